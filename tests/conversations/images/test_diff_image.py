"""Where two pictures differ can be seen and counted."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from conversations.images.diff_image import change_map


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def a_square(mode: str = "RGB") -> tuple[Image.Image, Image.Image]:
    before = Image.new(mode, (100, 80), "grey")
    after = before.copy()
    ImageDraw.Draw(after).rectangle((10, 10, 19, 29), "red")
    return before, after


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_share_is_that_of_pixels_that_differ(mode):
    before, after = a_square(mode)
    assert change_map(png(before), png(after)).changed == pytest.approx(200 / 8000)


def test_the_map_is_warm_where_it_changed_and_grey_elsewhere():
    before, after = a_square()
    with Image.open(io.BytesIO(change_map(png(before), png(after)).webp)) as drawn:
        red, green, blue = np.asarray(drawn.convert("RGB"), int)[20, 14]
        assert red > green + 80 > blue
        quiet = np.asarray(drawn.convert("RGB"), int)[60, 80]
        assert max(quiet) - min(quiet) < 12


def test_equal_pictures_have_no_difference():
    before, _ = a_square()
    assert change_map(png(before), png(before)).changed == 0


def test_transparency_counts_as_a_difference():
    before = Image.new("RGBA", (10, 10), (9, 9, 9, 255))
    after = Image.new("RGBA", (10, 10), (9, 9, 9, 0))
    assert change_map(png(before), png(after)).changed == 1


def test_a_large_picture_gives_a_map_of_handy_size():
    large = Image.new("RGB", (3000, 1000))
    with Image.open(io.BytesIO(change_map(png(large), png(large)).webp)) as drawn:
        assert drawn.size == (1024, 341)


def test_pictures_of_two_sizes_can_be_compared():
    assert change_map(png(Image.new("RGB", (20, 20))), png(Image.new("RGB", (40, 40)))).changed == 0
