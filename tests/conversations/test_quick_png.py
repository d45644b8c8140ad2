"""PNGs of large uploads and of results: the very pixels, the same bytes on any number of cores, the mark."""

import io
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from conversations.ai_mark import is_marked, quickly_marked_png
from conversations.images.normalise import to_png
from conversations.images.packed_pictures import packed, unpacked
from conversations.quick_png import _paeth, quick_png
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


@pytest.mark.parametrize("width", [90, 512, 3000])  # several bands; several strips in each, and one
def test_the_number_of_cores_does_not_change_the_bytes(width: int) -> None:
    assert quick_png(noisy(width, 500), 1) == quick_png(noisy(width, 500), 3)


def test_how_many_strips_are_filtered_at_once_does_not_change_the_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    picture = noisy(130, 100)
    at_once = quick_png(picture)
    monkeypatch.setattr("conversations.quick_png.BAND_BYTES", 1)
    assert quick_png(picture) == at_once


def test_paeth_is_what_the_standard_says() -> None:
    """Of left, above and corner what is nearest to left + above - corner, in this order."""
    levels = np.array([0, 1, 2, 100, 127, 128, 129, 254, 255], np.uint8)
    left, above, corner = (found.ravel() for found in np.meshgrid(levels, levels, levels))
    rows = np.stack([left, left * 0], 1)
    found = _paeth(rows, np.stack([corner, above], 1), 1)[:, 1]
    for a, b, c, foretold in zip(left.tolist(), above.tolist(), corner.tolist(), found, strict=True):
        assert foretold == min((a, b, c), key=lambda one: abs(a + b - c - one))


def test_the_mark_is_before_the_pixels() -> None:
    with Image.open(io.BytesIO(quickly_marked_png(noisy(9, 9)))) as found:
        assert is_marked(found)  # pixels are not read yet


def test_it_is_about_as_small_as_what_pillow_writes() -> None:
    picture, file = a_photo(), io.BytesIO()
    picture.save(file, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    assert len(quick_png(picture)) < 1.05 * len(file.getvalue())


@pytest.mark.parametrize(("write", "side"), [(to_png, 2500), (to_result, 2500), (to_result, 512)])
def test_a_picture_that_is_written_so_can_be_packed(write: Callable[[Image.Image], bytes], side: int) -> None:
    picture = a_photo().resize((side, side * 3 // 4), Image.Resampling.BICUBIC)
    png = write(picture)
    assert png == (quick_png if write is to_png else quickly_marked_png)(picture)
    small = packed(png)
    assert small is not None
    assert unpacked(small) == png
    with Image.open(io.BytesIO(small)) as found:
        assert is_marked(found) == (write is to_result)
