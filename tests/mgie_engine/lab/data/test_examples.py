"""Pictures of a data set are read by the rules for users' pictures."""

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversations.images.image_store import read_picture
from mgie_engine.errors import DataError
from mgie_engine.lab.data.examples import opened
from tests.support.hostile_images import avif, chunk, heic, ihdr, photo, png, saved


def on_its_side() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(photo(), "JPEG", exif=exif)


def sixteen_bit_grey() -> bytes:
    ramp = np.linspace(0, 65535, 64 * 48).round().astype(">u2").reshape(48, 64)
    rows = b"".join(b"\0" + row.tobytes() for row in ramp)
    return png(ihdr(64, 48, 16, 0), chunk(b"IDAT", zlib.compress(rows)))


def in_p3() -> bytes:
    data = saved(Image.new("RGB", (16, 16), (184, 55, 49)), "PNG")
    return data[:33] + chunk(b"cICP", bytes((12, 13, 0, 1))) + data[33:]


@pytest.mark.parametrize(
    "data", [on_its_side(), sixteen_bit_grey(), in_p3(), avif(64, 48), saved(photo(), "JPEG")[:-2]]
)
def test_a_picture_is_read_as_a_user_s_picture_is(data: bytes) -> None:
    right = Image.open(io.BytesIO(read_picture(data).png))
    assert np.array_equal(np.asarray(opened(data)), np.asarray(right))


def test_the_right_values() -> None:
    assert opened(on_its_side()).size == (48, 64)
    grey = np.asarray(opened(sixteen_bit_grey()))[..., 0].ravel()
    assert np.abs(grey - np.linspace(0, 255, 64 * 48)).max() <= 1
    colour = np.asarray(opened(in_p3()))[8, 8].astype(int)
    assert np.abs(colour - (200, 40, 40)).max() <= 2


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_is_transparent_is_shown_on_white(kind: str) -> None:
    clear = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    clear.paste((200, 40, 40, 128), (8, 0, 16, 16))
    picture = opened(saved(clear, kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert (picture.mode, picture.getpixel((0, 0))) == ("RGB", (255, 255, 255))
    assert np.abs(np.asarray(picture)[8, 12].astype(int) - (227, 147, 147)).max() <= 1


def test_other_formats_are_read_by_the_same_rules(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = tmp_path / "photo.tif"
    photo().save(file, exif=exif)
    assert np.array_equal(np.asarray(opened(file)), np.rot90(np.asarray(photo()), -1))


def test_thin_and_tiny_pictures_are_read() -> None:
    assert opened(saved(photo(400, 2), "PNG")).size == (400, 2)
    assert opened(heic(64, 48)).mode == "RGB"


def test_a_picture_of_too_many_pixels_is_an_error() -> None:
    with pytest.raises(DataError, match="16000 × 8000 pixels"):
        opened(png(ihdr(16_000, 8000, 1, 0), chunk(b"IDAT", b"")))
