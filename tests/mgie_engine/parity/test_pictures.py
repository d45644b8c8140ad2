"""Pictures in: bytes exact, floats to the last place."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from mgie_engine.config import VisionSizes
from mgie_engine.preprocess import clip_pixels, crop_resize, training_crop, vae_pixels
from tests.mgie_engine.parity.golden import close, golden, rule


def size(case):
    return f"{case['w']}x{case['h']}"


def picture(case):
    return Image.fromarray(rule.pattern(case["w"], case["h"]))


def digest(image):
    return hashlib.sha256(np.asarray(image).tobytes()).hexdigest()


@pytest.mark.parametrize("case", golden().section("crop_resize"), ids=size)
def test_the_centre_square_has_the_published_bytes(case, numbers):
    original = picture(case)
    assert digest(original) == case["input_sha256"]
    assert digest(crop_resize(original, 512)) == case["sz512_sha256"]
    assert digest(crop_resize(original, 256)) == case["sz256_sha256"]
    samples = np.asarray(crop_resize(original, 512))[::32, ::32]
    np.testing.assert_array_equal(samples, numbers.array("crop", size(case), "s32"))


@pytest.mark.parametrize("case", golden().section("train_resize"), ids=size)
def test_training_pictures_have_the_published_bytes(case, numbers):
    original = picture(case)
    assert digest(crop_resize(original, 512)) == case["resize512_sha256"]
    assert digest(training_crop(original, 256)) == case["resize256_sha256"]
    pixels = vae_pixels(training_crop(original, 256))[:, ::16, ::16]
    close(pixels, numbers.array("train", size(case), "p2p_s16"), atol=1e-6)


@pytest.mark.parametrize("case", golden().section("clip_preprocess"), ids=size)
def test_clip_sees_the_published_values(case, numbers):
    own, stock = numbers.config.vision, VisionSizes()
    close(clip_pixels(picture(case), own)[:, ::2, ::2], numbers.array("clippre", size(case)), atol=2e-6)
    close(
        clip_pixels(picture(case), stock)[:, ::16, ::16], numbers.array("clippre224", size(case)), atol=2e-6
    )
