"""Pictures as files: lossless where they fit, honest where they do not."""

import io
import random

import pytest
from PIL import Image

from bot.discord_chat.ui.attachments import BEFORE_SIDE_PX, before_file, result_file
from tests.support.english import in_english


def noise(width: int, height: int, mode: str = "RGB") -> bytes:
    """A PNG that hardly compresses."""
    file = io.BytesIO()
    data = random.Random(1).randbytes(width * height * len(mode))
    Image.frombytes(mode, (width, height), data).save(file, "PNG", compress_level=1)
    return file.getvalue()


def size_of(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.size


def test_a_picture_that_fits_is_sent_as_it_is() -> None:
    png = noise(64, 64)
    file = result_file(png, 10 * 2**20)
    assert (file.data, file.suffix, file.note) == (png, "png", None)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_larger_one_keeps_its_pixels_and_says_how(mode: str) -> None:
    png = noise(400, 300, mode)
    file = result_file(png, len(png) - 1)
    assert len(file.data) < len(png)
    assert size_of(file.data) == (400, 300)
    assert in_english(file.note).startswith("Shown as WebP at quality ")


def test_a_much_larger_one_is_made_smaller_and_says_so() -> None:
    file = result_file(noise(2100, 700), 256 * 1024)
    assert len(file.data) < 256 * 1024
    assert in_english(file.note).startswith(f"Shown as WebP at {size_of(file.data)[0]:,} × ")


def test_a_picture_too_long_for_webp_becomes_a_jpeg() -> None:
    file = result_file(noise(17000, 8, "RGBA"), 400_000)
    assert file.suffix == "jpg"


def test_a_limit_nothing_fits_into_is_a_bug_not_a_wrong_picture() -> None:
    with pytest.raises(ValueError, match="fits into 5000 bytes"):
        result_file(noise(600, 600), 5000)


@pytest.mark.parametrize(("mode", "suffix"), [("RGB", "jpg"), ("RGBA", "webp")])
def test_the_picture_before_is_a_light_copy(mode: str, suffix: str) -> None:
    file = before_file(noise(1500, 300, mode))
    assert size_of(file.data) == (BEFORE_SIDE_PX, 205)
    assert file.suffix == suffix
