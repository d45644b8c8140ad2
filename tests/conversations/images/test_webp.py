"""The size of a WebP is known before its decoder takes memory, so large ones get the room that they need."""

import io

import pytest
from PIL import Image

from conversations.images.sandbox import SMALL, read_picture
from conversations.images.webp import claimed_size


def webp(width: int, height: int, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height), "teal").save(file, "WEBP", **options)
    return file.getvalue()


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0"}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_size_is_in_the_first_chunk(mode: str, options: dict[str, object]) -> None:
    assert claimed_size(webp(301, 77, mode, **options)) == (301, 77)


@pytest.mark.parametrize("data", [b"", b"RIFF", webp(9, 9)[:25], b"RIFF\0\0\0\0WEBPVP8 " + bytes(20)])
def test_other_bytes_have_no_size(data: bytes) -> None:
    assert claimed_size(data) is None


def test_a_webp_whose_canvas_does_not_fit_into_the_small_room_is_read() -> None:
    width, height = 6000, 4000
    assert 8 * width * height > 0.8 * SMALL.memory_bytes
    assert read_picture(webp(width, height, method=0)).width == width
