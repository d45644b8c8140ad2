"""A change that depends on the colour of a pixel alone is carried to where its colours are."""

import numpy as np
import torch
from PIL import Image, ImageDraw

from mgie_engine.restore import restore
from mgie_engine.restore.colour_table import apply_table, fit_table
from tests.mgie_engine.restore.test_local import db
from tests.support.restored_pictures import as_seen, noisy

SIDE = 512


def beads() -> Image.Image:
    """Red, green, blue and grey beads of many shades, everywhere."""
    rng = np.random.default_rng(3)
    hues = np.array([[1, 0.2, 0.2], [0.2, 0.8, 0.3], [0.3, 0.4, 1], [0.7, 0.7, 0.7]])
    cells = hues[rng.integers(0, 4, (32, 32))] * rng.uniform(60, 230, (32, 32, 1))
    return Image.fromarray(np.kron(cells, np.ones((16, 16, 1))).clip(0, 255).astype(np.uint8))


def reds(picture: Image.Image) -> np.ndarray:
    """How red each pixel is, 0 to 1."""
    red, green, blue = np.moveaxis(np.asarray(picture, np.float64), -1, 0)
    return np.clip((red - np.maximum(green, blue)) / 50 - 0.3, 0, 1)


def without_other_colours(picture: Image.Image) -> Image.Image:
    """Black and white except the red."""
    weight = reds(picture)[..., None]
    grey = np.asarray(picture.convert("L"), np.float64)[..., None]
    mixed = np.asarray(picture, np.float64) * weight + grey * (1 - weight)
    return Image.fromarray(mixed.round().astype(np.uint8))


def test_black_and_white_except_the_red_leaves_the_red():
    picture = beads()
    wanted = without_other_colours(picture)
    result = restore(picture, as_seen(picture), noisy(as_seen(wanted), levels=2.0)).picture
    red = reds(picture) == 1
    assert db(picture, wanted, ~red) < 20
    assert db(result, wanted, ~red) > 30
    assert db(result, picture, red) > 35


def test_a_thing_that_went_is_no_change_of_colour():
    picture = Image.new("RGB", (SIDE, SIDE), "#60a060")
    before = picture.copy()
    draw = ImageDraw.Draw(before)
    draw.ellipse((150, 150, 330, 330), "#d03030", "#101010", 6)
    draw.line((180, 240, 300, 240), "#f0f0f0", 6)
    result = restore(before, as_seen(before), noisy(as_seen(picture), levels=1.0)).picture
    assert np.abs(np.asarray(result, np.float64) - np.asarray(picture)).max() < 40


def test_a_table_adds_what_was_fitted_and_nothing_to_other_colours():
    colours = torch.randint(0, 256, (3, 64, 64), generator=torch.Generator().manual_seed(0)).float()
    dark = colours.mean(0) < 128
    table = fit_table(colours, torch.where(dark, 20.0, 0.0).expand(3, -1, -1))
    added = apply_table(table, torch.tensor([[[30.0, 230.0]], [[30.0, 230.0]], [[30.0, 230.0]]]))
    assert torch.allclose(added[:, 0, 0], torch.full((3,), 20.0), atol=3)
    assert torch.equal(added[:, 0, 1], torch.zeros(3))
