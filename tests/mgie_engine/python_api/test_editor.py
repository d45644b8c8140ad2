"""`Editor` with a tiny model: what comes in, what goes out, what is refused."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import mgie_engine
from bot.i18n.catalog import ENGLISH, translations
from conversations.errors import PictureRefused, SettingsRefused
from mgie_engine import EditedPicture, Editor
from mgie_engine.checkpoints import native
from mgie_engine.edits import EditResult, Progress
from mgie_engine.errors import EditDeclined, EngineError, ModelError, RequestRefused
from mgie_engine.python_api.edited_picture import NOTES, edited_picture
from tests.support.fakes import a_picture, some_settings
from tests.support.tiny_serving import a_tiny_mgie


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("editor") / "model"
    native.save(a_tiny_mgie(), folder)
    return folder


@pytest.fixture(scope="module")
def editor(model: Path) -> Editor:
    return Editor(model, device="cpu")


def edit(editor: Editor, picture: Any = None, **options: Any) -> EditedPicture:
    return editor.edit(picture or a_picture(50, 30), "make the ball red", **{"steps": 2, "seed": 7} | options)


def test_an_edit_has_the_size_of_its_picture_and_says_how_it_was_made(editor: Editor):
    made = edit(editor)
    assert made.size == made.image.size == (50, 30)
    assert (made.settings.seed, made.settings.steps, made.model) == (7, 2, editor.model)
    assert made.expressive


def test_a_path_bytes_and_a_pillow_image_give_the_same_edit(editor: Editor, tmp_path: Path):
    data = a_picture(50, 30)
    (tmp_path / "in.png").write_bytes(data)
    sources = [data, tmp_path / "in.png", str(tmp_path / "in.png"), Image.open(io.BytesIO(data))]
    assert len({edit(editor, source).png for source in sources}) == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "HSV"])
def test_pillow_images_of_every_mode_are_edited(editor: Editor, mode: str):
    base = Image.new("L", (50, 30), 90) if mode in ("I;16", "F") else Image.new("RGB", (50, 30), "teal")
    assert edit(editor, base.convert(mode)).image.mode in ("RGB", "RGBA")


@pytest.mark.parametrize(("suffix", "kind"), [(".png", "PNG"), (".JPG", "JPEG"), (".webp", "WEBP")])
def test_the_suffix_names_the_format(editor: Editor, tmp_path: Path, suffix: str, kind: str):
    path = edit(editor, Image.new("RGBA", (50, 30))).save(tmp_path / f"out{suffix}")
    with Image.open(path) as written:
        assert (written.format, written.size) == (kind, (50, 30))


def test_a_picture_is_not_written_under_another_suffix(editor: Editor, tmp_path: Path):
    with pytest.raises(RequestRefused, match=r"not as \.tiff"):
        edit(editor).save(tmp_path / "out.tiff")


def test_progress_goes_through_the_stages(editor: Editor):
    seen: list[Progress] = []
    edit(editor, progress=seen.append)
    assert list(dict.fromkeys(progress.stage for progress in seen)) == ["reading", "painting", "finishing"]
    assert max(progress.step for progress in seen) == 2


def test_an_editor_can_be_used_again_after_its_caller_raised(editor: Editor):
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        edit(editor, progress=stop)
    assert edit(editor).size == (50, 30)


def test_an_expressive_instruction_can_be_given(editor: Editor):
    assert edit(editor, reading="The ball is red.").expressive == "The ball is red."


@pytest.mark.parametrize(
    ("picture", "words", "options", "error"),
    [
        (a_picture(), "  ", {}, RequestRefused),
        (a_picture(), "darker", {"steps": 0}, SettingsRefused),
        (a_picture(), "darker", {"sampler": "other"}, SettingsRefused),
        (a_picture(), "darker", {"strength": 1}, TypeError),
        (b"no picture", "darker", {}, PictureRefused),
        ("https://example.org/a.png", "darker", {}, PictureRefused),
        ("missing.png", "darker", {}, FileNotFoundError),
    ],
)
def test_what_cannot_be_edited_is_refused(
    editor: Editor, picture: bytes, words: str, options: dict, error: type[Exception]
):
    with pytest.raises(error):
        editor.edit(picture, words, **options)


def test_a_declined_edit_is_an_error_with_the_models_words():
    result = EditResult(a_picture(), "Nothing changes.", some_settings(), "mini", (12, 9), is_declined=True)
    with pytest.raises(EditDeclined, match=r"mini declined: Nothing changes\."):
        edited_picture(result, "add a dragon")


def test_no_model_is_said_when_the_editor_is_made():
    with pytest.raises(ModelError, match="No model 'nothing'"):
        Editor("nothing")


def test_a_closed_editor_says_so(model: Path):
    with Editor(model, device="cpu") as closed:
        assert repr(closed) == f"<Editor: {closed.model} on cpu>"
    with pytest.raises(EngineError, match="closed"):
        edit(closed)


def test_every_note_has_its_words():
    keys = (key if isinstance(key, str) else key[0] for key in translations(ENGLISH)._catalog)
    assert set(NOTES) == {code for code in keys if code.startswith("note_")}


def test_a_name_that_is_not_there_is_an_attribute_error():
    name = "Edtor"
    with pytest.raises(AttributeError, match="no attribute 'Edtor'"):
        getattr(mgie_engine, name)


def test_the_python_api_imports_nothing_of_the_bot_and_torch_only_with_a_model():
    code = (
        "import sys; from mgie_engine import AsyncEditor, Editor, MGIEPipeline; "
        "print([name for name in sys.modules if name.split('.')[0] in ('bot', 'torch', 'diffusers')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
