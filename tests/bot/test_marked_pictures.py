"""Every picture file that a model changed says so, whichever way it leaves; read back from its bytes."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from bot.discord_chat.ui.attachments import HEADROOM, before_file, result_file
from bot.openai_api.api_pictures import encoded, encoded_preview
from bot.openai_api.edit_form import EditForm
from bot.web_chat.image_responses import thumbnail
from bot.web_chat.picture_downloads import as_jpeg, as_png
from bot.workflow.grid import draw_grid, grid_cell
from conversations.animation import AnimationFrame, animation
from conversations.images.diff_image import change_map
from conversations.images.sandbox import read_picture
from conversations.settings import Grid
from mgie_engine.python_api.edited_picture import FORMATS, picture_file
from mgie_engine.serving.pictures import to_png, to_preview, to_result
from tests.support.xmp_reader import source_type

MARK = "compositeWithTrainedAlgorithmicMedia"
ROOT = Path(__file__).parents[2]
PHOTO = Image.effect_noise((96, 64), 80).convert("RGB")
UPLOAD, RESULT = to_png(PHOTO), to_result(PHOTO)
UNMARKED_WRITERS = {  # pictures that no model changed, or that leave no process
    "conversations/images/normalise.py": "uploads, without their metadata",
    "conversations/llava/conversation.py": "LLaVA's own demo",
    "mgie_engine/python_api/picture_source.py": "the caller's picture, to be opened",
    "mgie_engine/serving/pictures.py": "the engine's input, and masks",
}


def form(**fields: object) -> EditForm:
    return EditForm.model_validate({"prompt": "darker", **fields})


def test_a_result_is_marked_and_its_pixels_are_the_same() -> None:
    assert source_type(RESULT) == MARK
    assert source_type(UPLOAD) is None
    assert source_type(to_preview(PHOTO)) == MARK
    with Image.open(io.BytesIO(RESULT)) as marked:
        assert marked.tobytes() == PHOTO.tobytes()
        assert MARK.encode() in marked.info["xmp"]  # as Pillow reads it


@pytest.mark.parametrize("suffix", FORMATS)
def test_files_of_the_command_line_and_python(suffix: str) -> None:
    assert source_type(picture_file(RESULT, suffix)) == MARK
    assert source_type(picture_file(UPLOAD, suffix)) is None


@pytest.mark.parametrize("limit", [250_000, 60_000, 20_000])
def test_results_on_discord_also_where_they_are_reduced(limit: int) -> None:
    photo = Image.effect_noise((600, 400), 80).convert("RGB")
    file = result_file(to_result(photo), limit + HEADROOM)
    assert file.suffix == "webp"
    assert source_type(file.data) == MARK
    assert source_type(result_file(RESULT, len(RESULT) + HEADROOM).data) == MARK


def test_a_picture_before_an_edit_is_marked_if_it_is_a_result_itself() -> None:
    assert source_type(before_file(RESULT).data) == MARK
    assert source_type(before_file(UPLOAD).data) is None


def test_pictures_and_views_of_the_page() -> None:
    assert source_type(thumbnail(RESULT)) == MARK
    assert source_type(thumbnail(UPLOAD)) is None
    assert source_type(change_map(UPLOAD, RESULT).webp) == MARK
    for taken_along in (as_png, as_jpeg):
        assert source_type(taken_along(RESULT, "add snow")) == MARK
        assert source_type(taken_along(UPLOAD, "add snow")) is None


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("size", ["auto", "64x64"])
def test_answers_of_the_api(kind: str, size: str) -> None:
    asked = form(output_format=kind, size=size)
    assert source_type(encoded(RESULT, asked)) == MARK
    assert source_type(encoded(UPLOAD, asked)) is None
    assert source_type(encoded_preview(to_preview(PHOTO), asked)) == MARK


def test_grids_and_animations() -> None:
    cells = [grid_cell(RESULT)] * 2
    assert source_type(draw_grid(cells, Grid((2.0, 4.0), (1.0,)), "en").png) == MARK
    assert source_type(animation([AnimationFrame(UPLOAD, "v0"), AnimationFrame(RESULT, "v1")])) == MARK


def test_an_upload_does_not_bring_a_mark_along() -> None:
    """What others say of a picture is removed with all metadata; its edits are marked anyway."""
    assert source_type(read_picture(RESULT).png) is None


def test_no_other_module_writes_picture_files() -> None:
    saves = re.compile(r"\b(?:picture|image|small|upright|frames\[0\]|[a-z_]+image)\.save\(")
    found = {
        str(file.relative_to(ROOT))
        for package in ("bot", "conversations", "mgie_engine")
        for file in (ROOT / package).rglob("*.py")
        if "lab" not in file.relative_to(ROOT).parts and saves.search(file.read_text("utf-8"))
    }
    # What packs stored pictures keeps the mark of those that have it: test_picture_packing.py.
    assert found == {*UNMARKED_WRITERS, "conversations/ai_mark.py", "conversations/images/packed_pictures.py"}
