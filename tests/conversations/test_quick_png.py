"""PNGs of large pictures: the very pixels, the same bytes on any number of cores, with the mark."""

import io
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from conversations.ai_mark import is_marked, quickly_marked_png
from conversations.images.encoding import QUICK_FROM
from conversations.images.normalise import to_png
from conversations.images.packed_pictures import packed, unpacked
from conversations.quick_png import quick_png
from mgie_engine.serving.pictures import to_result
from tests.conversations.test_picture_packing import a_photo


def noisy(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Ramps with noise, above a plain area."""
    at = np.linspace(0, 200, height * width * len(mode)).reshape(height, width, len(mode))
    pixels = (at + np.random.default_rng(1).normal(0, 4, at.shape)).clip(0, 255).astype(np.uint8)
    pixels[height // 2 :] = 77
    return Image.fromarray(pixels)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (3, 40), (50, 1), (131, 97)])
def test_the_file_holds_the_very_pixels(mode: str, size: tuple[int, int]) -> None:
    picture = noisy(*size, mode)
    file = quick_png(picture)
    with Image.open(io.BytesIO(file)) as found:
        assert found.mode == mode
        assert found.tobytes() == picture.tobytes()
    Image.open(io.BytesIO(file)).verify()
    zlib.decompress(file[file.index(b"IDAT") + 4 : -16])  # raises for another checksum


def test_the_number_of_cores_does_not_change_the_bytes() -> None:
    assert quick_png(noisy(90, 100), 1) == quick_png(noisy(90, 100), 3)


def test_the_mark_is_before_the_pixels() -> None:
    with Image.open(io.BytesIO(quickly_marked_png(noisy(9, 9)))) as found:
        assert is_marked(found)  # pixels are not read yet


def test_it_is_about_as_small_as_what_pillow_writes() -> None:
    picture, file = a_photo(), io.BytesIO()
    picture.save(file, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    assert len(quick_png(picture)) < 1.05 * len(file.getvalue())


@pytest.mark.parametrize("write", [to_png, to_result])
def test_a_large_picture_is_written_so_and_can_be_packed(write: Callable[[Image.Image], bytes]) -> None:
    picture = a_photo().resize((2500, 1875), Image.Resampling.BICUBIC)
    assert picture.width * picture.height > QUICK_FROM
    png = write(picture)
    assert png == (quick_png if write is to_png else quickly_marked_png)(picture)
    small = packed(png)
    assert small is not None
    assert unpacked(small) == png
    with Image.open(io.BytesIO(small)) as found:
        assert is_marked(found) == (write is to_result)
