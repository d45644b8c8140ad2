"""Pictures on their way in and out."""

import io

import pytest
from PIL import Image

from mgie_engine.errors import RequestRefused
from mgie_engine.serving.pictures import for_the_model, open_picture, to_png, to_preview
from tests.support.fakes import a_picture


def test_a_picture_opens_at_its_size():
    assert open_picture(a_picture(30, 20)).size == (30, 20)


@pytest.mark.parametrize("data", [b"", b"no picture", a_picture()[:40]])
def test_bytes_that_are_no_picture_are_refused_with_a_sentence(data: bytes):
    with pytest.raises(RequestRefused, match="cannot be read"):
        open_picture(data)


def test_other_modes_become_rgb():
    assert open_picture(to_png(Image.new("L", (4, 4)))).mode == "RGB"


def test_the_whole_picture_is_squeezed_into_the_square():
    picture = Image.new("RGB", (40, 10), "blue")
    picture.paste("red", (0, 0, 10, 10))
    square = for_the_model(picture, 8)
    assert square.size == (8, 8)
    assert square.getpixel((0, 0)) == (255, 0, 0)
    assert square.getpixel((7, 7)) == (0, 0, 255)


def test_a_picture_of_the_models_size_is_left_as_it_is():
    noise = Image.effect_noise((8, 8), 90).convert("RGB")
    assert for_the_model(noise, 8).tobytes() == noise.tobytes()


def test_what_is_transparent_is_shown_on_white():
    assert for_the_model(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), 4).getpixel((0, 0)) == (255, 255, 255)


def test_a_preview_is_a_small_webp():
    with Image.open(io.BytesIO(to_preview(Image.new("RGB", (64, 64))))) as preview:
        assert preview.format == "WEBP"
