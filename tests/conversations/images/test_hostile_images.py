"""Every file becomes a clean picture or is refused with a message, and memory stays bounded."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from conversations.errors import PictureRefused
from conversations.images.image_store import Picture, read_picture
from conversations.messages import Message
from tests.support.hostile_images import FILES, Hostile

BY_NAME = {file.name: file for file in FILES}
REPOSITORY = Path(__file__).parents[3]
ROOM_MIB = 1500


def read(file: Hostile) -> Picture | Message:
    try:
        return read_picture(file.make())
    except PictureRefused as refusal:
        return refusal.message


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
def test_a_hostile_file_is_refused_with_a_message_or_becomes_a_picture(file: Hostile) -> None:
    outcome = read(file)
    assert outcome.code.startswith("file_") if isinstance(outcome, Message) else is_clean(outcome)
    if file.refused is not None:
        assert isinstance(outcome, Message) is file.refused, outcome


def test_an_unsupported_file_is_named() -> None:
    assert read(BY_NAME["pdf"]) == Message("file_kind", kind=Message("kind_pdf"))


def test_a_refusal_says_the_limit() -> None:
    size = Message("pixels", width=6500, height=6500)
    refused = Message("file_pixels", size=size, megapixels=42, limit=40.0)
    assert read(BY_NAME["png of too many pixels"]) == refused


def test_all_of_them_together_stay_within_memory(tmp_path: Path) -> None:
    for place, file in enumerate(FILES):
        (tmp_path / f"{place:03}").write_bytes(file.make())
    command = [sys.executable, "-m", "tests.support.hostile_images", str(tmp_path)]
    report = json.loads(subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout)
    assert len(report["outcomes"]) == len(FILES)
    assert report["own_mib"] + report["children_mib"] < ROOM_MIB
