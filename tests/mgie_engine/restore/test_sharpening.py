"""A trial tells by how much an edit sharpened, whatever the autoencoder loses of it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from mgie_engine.restore import Probe, restore
from mgie_engine.restore.calibration import MGIE_MINI
from mgie_engine.restore.sharpening import seems_sharper, unsharp_mask
from tests.support.restored_pictures import dimmed, drawing, psnr, with_contrast


def leaves(size: int = 256) -> Image.Image:
    """A picture full of detail of a few pixels."""
    picture, dice = drawing(size, size), np.random.default_rng(1)
    draw = ImageDraw.Draw(picture)
    for x, y in dice.uniform(0, 0.97, (400, 2)) * size:
        draw.ellipse((x, y, x + size / 60, y + size / 90), tuple(dice.integers(40, 220, 3).tolist()))
    return picture


def sharpened(picture: Image.Image, amount: float) -> Image.Image:
    """An unsharp mask with a blur of one 160th of the width."""
    blurred = picture.filter(ImageFilter.GaussianBlur(picture.width / 160))
    levels, soft = (np.asarray(p, np.float64) for p in (picture, blurred))
    return Image.fromarray((levels + amount * (levels - soft)).round().clip(0, 255).astype(np.uint8))


def coded(picture: Image.Image) -> Image.Image:
    """As an autoencoder gives it back: hardly any detail of a pixel or two."""
    return picture.filter(ImageFilter.GaussianBlur(1.3))


def probe_of(picture: Image.Image) -> Probe:
    """The picture sharpened on purpose, through that autoencoder."""
    return Probe("sharper", coded(unsharp_mask(picture)))


@pytest.mark.parametrize("amount", [0.6, 1.2, 1.9])
def test_a_trial_tells_the_amount(amount: float):
    picture = leaves()
    wanted = sharpened(picture, amount)
    seen, painted = coded(picture), coded(wanted)
    guessed = restore(picture, picture, painted, reconstruction=seen)
    told = restore(picture, picture, painted, reconstruction=seen, probe=probe_of(picture))
    assert psnr(told.picture, wanted) > 32
    assert psnr(told.picture, wanted) > psnr(guessed.picture, wanted) + 3


def test_a_grey_picture_is_sharpened_and_stays_grey():
    picture = leaves().convert("L").convert("RGB")
    wanted = sharpened(picture, 1.2)
    probe = probe_of(picture)
    told = restore(picture, picture, coded(wanted), reconstruction=coded(picture), probe=probe).picture
    assert psnr(told, wanted) > 32
    assert len({channel.tobytes() for channel in told.split()}) == 1


def test_a_trial_of_another_size_is_refused():
    picture = drawing(128, 128)
    with pytest.raises(ValueError, match="128"):
        restore(picture, picture, picture, probe=Probe("sharper", drawing(64, 64)))


def test_a_trial_changes_nothing_where_nothing_was_sharpened():
    picture = leaves()
    wanted = dimmed(picture)
    seen, painted, probe = coded(picture), coded(wanted), probe_of(picture)
    without = restore(picture, picture, painted, reconstruction=seen)
    assert restore(picture, picture, painted, reconstruction=seen, probe=probe).picture == without.picture


def test_only_what_became_sharper_and_kept_its_levels_seems_sharper():
    picture = leaves()
    seen = coded(picture)
    assert seems_sharper(seen, coded(sharpened(picture, 0.4)), MGIE_MINI.probe)
    blurred = picture.filter(ImageFilter.GaussianBlur(2))
    for other in (picture, dimmed(picture), with_contrast(picture), blurred):
        assert not seems_sharper(seen, coded(other), MGIE_MINI.probe)


def test_a_thing_that_is_new_does_not_make_a_picture_seem_sharper():
    picture = leaves()
    changed = picture.copy()
    ImageDraw.Draw(changed).ellipse((60, 60, 120, 120), "#2040d0", "#101010", 4)
    assert not seems_sharper(coded(picture), coded(changed), MGIE_MINI.probe)


def test_a_picture_blurred_more_in_places_keeps_its_own_pixels_there():
    picture = leaves()
    wanted, softer = (picture.filter(ImageFilter.GaussianBlur(radius)) for radius in (1.6, 3))
    places = Image.fromarray((np.random.default_rng(0).random((16, 16)) < 0.3).astype(np.uint8) * 255)
    painted = Image.composite(softer, wanted, places.resize(picture.size, Image.Resampling.NEAREST))
    restored = restore(picture, picture, painted)
    assert restored.painted < 0.02
    assert psnr(restored.picture, wanted) > psnr(painted, wanted) + 3


@pytest.mark.parametrize("radius", [1.2, 2.0, 3.2])
def test_a_blur_is_as_strong_as_it_was_painted_and_takes_no_tint_over(radius: float):
    picture = leaves()
    wanted = picture.filter(ImageFilter.GaussianBlur(radius))
    painted = wanted.point([min(255, level + 3) for level in range(256)] * 3)
    assert psnr(restore(picture, picture, painted).picture, wanted) > 40
