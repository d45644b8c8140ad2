import numpy as np
import pytest
import torch
from PIL import Image

from mgie_engine.config import VisionSizes
from mgie_engine.preprocess import clip_pixels, stack_vae_pixels, to_pictures, vae_pixels


def noise(width, height, mode="RGB"):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("size", [(32, 32), (100, 37), (37, 100), (1, 50), (3, 2)])
def test_clip_gets_its_square_from_any_shape(size):
    assert clip_pixels(noise(*size), VisionSizes(image_size=32)).shape == (3, 32, 32)


@pytest.mark.parametrize("mode", ["RGBA", "L", "CMYK"])
def test_any_mode_becomes_three_channels(mode):
    assert vae_pixels(noise(8, 16, mode)).shape == (3, 16, 8)


def test_a_picture_survives_the_way_to_tensors_and_back():
    pictures = [noise(16, 8), noise(16, 8).rotate(180)]
    back = to_pictures(stack_vae_pixels(pictures))
    for before, after in zip(pictures, back, strict=True):
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))


def test_pixels_out_of_range_are_clipped():
    assert np.asarray(to_pictures(torch.full((1, 3, 2, 2), 9.0))[0]).min() == 255
