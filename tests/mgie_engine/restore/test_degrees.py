"""A change of tone goes as far as the degree says; other edits are as painted."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from mgie_engine.restore import restore
from tests.support.restored_pictures import as_seen, carried, differ, drawing, noisy

DEGREES = (0.5, 0.7, 1.0, 1.4)


def moved(before: Image.Image, after: Image.Image) -> float:
    """The mean difference, in levels."""
    return float(np.abs(np.asarray(before, np.float64) - np.asarray(after, np.float64)).mean())


@pytest.mark.parametrize("factor", [0.85, 1.15])
def test_a_tone_is_scaled_by_the_degree(factor: float):
    picture = drawing(512, 512)
    seen = as_seen(picture)
    painted = noisy(as_seen(ImageEnhance.Brightness(picture).enhance(factor)))
    far = [moved(picture, restore(picture, seen, painted, degree=degree).picture) for degree in DEGREES]
    assert [one / far[2] for one in far] == pytest.approx(DEGREES, rel=0.06)


def test_a_degree_of_one_changes_no_byte():
    picture = drawing()
    wanted = ImageEnhance.Brightness(picture).enhance(0.8)
    assert (
        carried(picture, wanted, degree=1.0).picture.tobytes() == carried(picture, wanted).picture.tobytes()
    )


def test_a_blur_gets_weaker_and_never_more_than_whole():
    picture = drawing(256, 256)
    wanted = picture.filter(ImageFilter.GaussianBlur(2))
    whole, half, twice = (carried(picture, wanted, degree=degree).picture for degree in (1.0, 0.5, 2.0))
    assert moved(picture, half) == pytest.approx(moved(picture, whole) / 2, rel=0.1)
    assert twice.tobytes() == whole.tobytes()


def test_a_new_object_is_as_painted():
    picture = drawing(512, 512)
    wanted = picture.copy()
    ImageDraw.Draw(wanted).ellipse((300, 300, 380, 380), "purple")
    once, twice = (carried(picture, wanted, degree=degree).picture for degree in (1.0, 2.0))
    assert not differ(once, twice).any()
