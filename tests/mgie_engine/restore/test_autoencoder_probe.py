"""A trial tells what a tone that pulls levels apart came to, whatever the autoencoder mixes up."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from mgie_engine.restore import Probe, choose_probe, restore
from mgie_engine.restore.autoencoder_probe import seems_more_contrasted
from mgie_engine.restore.calibration import MGIE_MINI
from tests.mgie_engine.restore.test_sharpening import coded, leaves, sharpened
from tests.support.restored_pictures import dimmed, drawing, psnr


def hard_light(size: int = 256) -> Image.Image:
    """Small bright things on a dark ground, and the other way round."""
    picture, dice = Image.new("RGB", (size, size), "#282420"), np.random.default_rng(1)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((size // 2, 0, size, size), "#dcd8d0")
    for x, y in dice.uniform(0, 0.97, (1500, 2)) * size:
        level = int(dice.integers(150, 240) if x < size / 2 else dice.integers(20, 110))
        draw.ellipse((x, y, x + size / 70, y + size / 70), (level, level - 6, level - 12))
    return picture


def with_contrast(picture: Image.Image, by: float = 1.4) -> Image.Image:
    """Levels pulled away from the middle; what leaves the scale is cut off."""
    return picture.point([round(min(255, max(0, 128 + by * (level - 128)))) for level in range(256)] * 3)


def brighter(picture: Image.Image) -> Image.Image:
    """The shadows lifted most."""
    return picture.point([round(255 * (level / 255) ** 0.6) for level in range(256)] * 3)


def test_a_trial_tells_what_more_contrast_came_to():
    picture = hard_light()
    wanted = with_contrast(picture)
    seen, painted = coded(picture), coded(wanted)
    probe = choose_probe(picture, seen, painted)
    assert probe
    assert probe.kind == "more contrast"
    assert isinstance(probe.picture, Image.Image)
    told = restore(
        picture, picture, painted, reconstruction=seen, probe=Probe(probe.kind, coded(probe.picture))
    )
    guessed = restore(picture, picture, painted, reconstruction=seen)
    assert psnr(told.picture, wanted) > psnr(guessed.picture, wanted) + 1


def test_only_what_was_pulled_apart_seems_steeper():
    seen = hard_light()
    assert seems_more_contrasted(coded(seen), coded(with_contrast(seen)), MGIE_MINI.probe)
    blurred = seen.filter(ImageFilter.GaussianBlur(2))
    for other in (seen, dimmed(seen), brighter(seen), blurred, sharpened(seen, 1)):
        assert not seems_more_contrasted(coded(seen), coded(other), MGIE_MINI.probe)


def test_nothing_is_tried_for_other_edits():
    picture = drawing(256, 256)
    for other in (picture, dimmed(picture), brighter(picture)):
        assert choose_probe(picture, coded(picture), coded(other)) is None


def test_a_new_thing_is_no_contrast():
    picture = leaves()
    changed = picture.copy()
    ImageDraw.Draw(changed).rectangle((0, 0, 128, 256), "#ffffff")
    assert not seems_more_contrasted(coded(picture), coded(changed), MGIE_MINI.probe)
