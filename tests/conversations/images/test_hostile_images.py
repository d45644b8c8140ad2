"""Whatever is sent becomes a clean picture or one clear sentence, and memory stays bounded."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from conversations.errors import PictureRefused
from conversations.images.image_store import Picture, read_picture
from tests.support.hostile_images import FILES, Hostile

BY_NAME = {file.name: file for file in FILES}
REPOSITORY = Path(__file__).parents[3]
ROOM_MIB = 1500


def read(file: Hostile) -> Picture | str:
    try:
        return read_picture(file.make())
    except PictureRefused as refusal:
        return str(refusal)


def is_one_sentence(text: str) -> bool:
    return text[0].isupper() and text.endswith(".") and "\n" not in text and 20 < len(text) < 200


def is_clean(picture: Picture) -> bool:
    with Image.open(io.BytesIO(picture.png)) as image:
        image.load()
        return (
            image.format == "PNG"
            and image.mode in ("RGB", "RGBA")
            and image.size == (picture.width, picture.height)
            and not image.info
        )


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data", "ignore:Invalid APNG")  # Pillow says so on stderr
@pytest.mark.parametrize("file", [pytest.param(file, id=file.name) for file in FILES])
def test_a_hostile_file_gets_a_sentence_or_becomes_a_picture(file: Hostile) -> None:
    outcome = read(file)
    assert is_one_sentence(outcome) if isinstance(outcome, str) else is_clean(outcome)
    if file.refused is not None:
        assert isinstance(outcome, str) is file.refused, outcome


def test_a_stranger_is_called_by_its_name() -> None:
    assert read(BY_NAME["pdf"]) == (
        "This is a PDF document, not a picture I can edit; "
        "please send a PNG, JPEG, WebP, GIF, BMP, HEIC or AVIF picture."
    )


def test_a_refusal_says_the_limit() -> None:
    assert read(BY_NAME["png of too many pixels"]) == (
        "The picture is 6,500 × 6,500 pixels, 42 megapixels, and I take up to 40; please send a smaller one."
    )


def test_all_of_them_together_stay_within_memory(tmp_path: Path) -> None:
    for place, file in enumerate(FILES):
        (tmp_path / f"{place:03}").write_bytes(file.make())
    command = [sys.executable, "-m", "tests.support.hostile_images", str(tmp_path)]
    told = json.loads(subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout)
    assert told["files"] == len(FILES)
    assert told["own_mib"] + told["children_mib"] < ROOM_MIB
