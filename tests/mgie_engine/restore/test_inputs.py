"""Odd pictures from the reading of a file to the delivered PNG."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from conversations.images.image_store import read_picture
from conversations.messages import Message
from conversations.settings import EditSettings, Keep
from mgie_engine.serving.pictures import for_the_model, open_picture
from mgie_engine.serving.postprocess import Delivered, Painted, finish

SIDE = 128
DIM = [round(level * 0.6) for level in range(256)] * 3


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def garden(width: int, height: int) -> Image.Image:
    """A sky over a lawn, with a red box at the right end."""
    picture = ImageOps.colorize(Image.linear_gradient("L"), "#4a90d9", "#7a9a4a").resize((width, height))
    ImageDraw.Draw(picture).rectangle((0.8 * width, 0.3 * height, 0.95 * width, 0.8 * height), "red")
    return picture


def delivered(original: Image.Image, painted: Image.Image, keep: Keep = "auto") -> Delivered:
    """`painted`, at the size of the original, as if a model had painted it small."""
    seen, output = for_the_model(original, SIDE), for_the_model(painted, SIDE)
    settings = EditSettings(text_cfg=7.5, image_cfg=1.5, steps=1, sampler="dpmpp_2m", seed=0, keep=keep)
    return finish(Painted(original, seen, seen, output, None, "mgie-mini"), settings)


def opened(edit: Delivered) -> Image.Image:
    return Image.open(io.BytesIO(edit.png))


@pytest.mark.parametrize("size", [(1600, 200), (200, 1600)])
def test_an_edit_of_a_very_long_picture_reaches_its_corners(size: tuple[int, int]):
    original = garden(*size)
    wanted = original.point(DIM)
    edit = opened(delivered(original, wanted))
    assert edit.size == size
    corners = np.ix_((0, -1), (0, -1))
    assert np.abs(np.asarray(edit, int)[corners] - np.asarray(wanted, int)[corners]).max() <= 3


def test_a_thing_at_the_end_of_a_panorama_is_edited_and_the_rest_stays():
    original = garden(1600, 200)
    wanted = original.copy()
    ImageDraw.Draw(wanted).rectangle((0.8 * 1600, 0.3 * 200, 0.95 * 1600, 0.8 * 200), "blue")
    edit = np.asarray(opened(delivered(original, wanted)))
    assert (edit[:, :1200] == np.asarray(original)[:, :1200]).all()
    assert np.abs(edit[100, 1400].astype(int) - (0, 0, 255)).max() <= 8


@pytest.mark.parametrize("keep", ["auto", "strict", "off"])
def test_a_single_pixel_comes_back_as_one(keep: Keep):
    dot = Image.new("RGB", (1, 1), "#808080")
    edit = delivered(dot, dot.point(DIM), keep)
    assert edit.size == opened(edit).size == (1, 1)
    assert opened(edit).getpixel((0, 0)) == (77, 77, 77)


def test_sixteen_bits_are_delivered_as_eight_and_that_is_said():
    ramp = np.linspace(0, 65535, 256 * 200).reshape(200, 256).astype(np.uint16)
    read = read_picture(png(Image.fromarray(ramp)))
    original = open_picture(read.png)
    edit = opened(delivered(original, original.point(DIM)))
    assert read.notes == (Message("note_8_bits"),)
    assert (edit.mode, edit.size) == ("RGB", (256, 200))
    assert np.ptp(np.asarray(edit), axis=2).max() == 0


def test_a_grey_file_with_alpha_stays_grey_and_keeps_its_alpha():
    grey = garden(300, 200).convert("LA")
    grey.putalpha(Image.radial_gradient("L").resize(grey.size))
    original = open_picture(read_picture(png(grey)).png)
    edit = opened(delivered(original, original.convert("RGB").point(DIM)))
    assert edit.mode == "RGBA"
    assert edit.getchannel("A").tobytes() == grey.getchannel("A").tobytes()
    assert np.ptp(np.asarray(edit)[..., :3], axis=2).max() == 0


def test_a_grey_file_gets_the_colour_that_was_painted():
    original = open_picture(read_picture(png(garden(300, 200).convert("L"))).png)
    sepia = ImageOps.colorize(original.convert("L"), "#201000", "#ffe0a0")
    edit = np.asarray(opened(delivered(original, sepia)), np.int16)
    assert np.abs(edit - np.asarray(sepia)).mean() < 3
