"""Tones and blurs of a part of a picture arrive there, and every byte of the rest stays."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from mgie_engine.restore import restore
from tests.support.restored_pictures import as_seen, drawing, noisy

SIDE = 1024
EDGE = 0.06  # half the width of the soft border, in picture widths


def soft_mask(side: int = SIDE) -> np.ndarray:
    """1 on the left half, with a soft border, 0 on the right, (side, side)."""
    at = (np.arange(side) + 0.5) / side
    share = np.clip((0.5 + EDGE - at) / (2 * EDGE), 0, 1)
    return np.broadcast_to(share * share * (3 - 2 * share), (side, side))


def blended(picture: Image.Image, changed: Image.Image) -> Image.Image:
    """The changed picture on the left half."""
    weight = soft_mask()[..., None]
    mixed = np.asarray(picture, np.float64) * (1 - weight) + np.asarray(changed, np.float64) * weight
    return Image.fromarray(mixed.round().astype(np.uint8))


def db(one: Image.Image, other: Image.Image, where: np.ndarray) -> float:
    """PSNR over a mask; 99 where nothing differs."""
    error = np.square(np.asarray(one, np.float64) - np.asarray(other, np.float64))[where].mean()
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


def textured() -> Image.Image:
    """A drawing with detail everywhere."""
    cells = np.random.default_rng(5).normal(0, 18, (SIDE // 8, SIDE // 8, 1))
    grain = np.kron(cells, np.ones((8, 8, 1)))
    return Image.fromarray((np.asarray(drawing(SIDE, SIDE)) * 0.8 + 25 + grain).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: ImageEnhance.Brightness(picture).enhance(0.7),
        lambda picture: ImageOps.grayscale(picture).convert("RGB"),
    ],
    ids=["darker", "grey"],
)
def test_a_tone_of_one_half_stays_in_it(change):
    picture = textured()
    wanted = blended(picture, change(picture))
    result = restore(picture, as_seen(picture), as_seen(wanted)).picture
    assert db(result, wanted, soft_mask() > 0.5) > 30
    assert db(result, picture, soft_mask() == 0) > 45


def test_a_blur_of_one_half_is_carried_to_full_size():
    picture = textured()
    wanted = blended(picture, picture.filter(ImageFilter.GaussianBlur(SIDE / 128)))
    result = restore(picture, as_seen(picture), noisy(as_seen(wanted))).picture
    assert db(picture, wanted, soft_mask() > 0.5) < 27
    assert db(result, wanted, soft_mask() > 0.5) > 30
    assert db(result, picture, soft_mask() == 0) > 45
