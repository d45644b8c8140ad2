"""Cells of a copy differ little from those of its picture, wherever it was cut; those of others do not."""

import random

import numpy as np
from PIL import Image

from bot.policy.fine_colours import CELLS, cell_colours, levels_apart

WHOLE = (0.0, 0.0, 0.0, 0.0)


def blobs(seed: int) -> Image.Image:
    """A picture of soft blobs, 128 wide and 96 high."""
    few = Image.frombytes("RGB", (8, 6), random.Random(seed).randbytes(144))
    return few.resize((128, 96), Image.Resampling.BICUBIC)


def test_cells_have_the_mean_colours_of_their_pixels():
    pixels = np.asarray(blobs(1), np.float64).reshape(CELLS, 6, CELLS, 8, 3)
    assert np.abs(cell_colours(blobs(1)) - pixels.mean((1, 3))).max() <= 0.5


def test_a_picture_differs_from_itself_by_its_rounding():
    assert levels_apart(cell_colours(blobs(1)), WHOLE, blobs(1), WHOLE).max() <= 0.5


def test_of_a_cut_picture_the_cells_are_compared_that_it_shows():
    left, top = 16, 12  # an eighth of each side
    cut = blobs(1).crop((left, top, 128, 96))
    apart = levels_apart(cell_colours(blobs(1)), (left / 128, top / 96, 0.0, 0.0), cut, WHOLE)
    assert len(apart) == (CELLS - 2) ** 2
    assert apart.max() <= 0.5


def test_a_cell_may_lie_a_little_off():
    cut = blobs(1).crop((1, 0, 128, 96))
    assert levels_apart(cell_colours(blobs(1)), WHOLE, cut, WHOLE).max() < 4


def test_one_other_thing_changes_a_cell():
    other = blobs(1)
    other.paste("white", (64, 48, 72, 54))
    assert levels_apart(cell_colours(blobs(1)), WHOLE, other, WHOLE).max() > 20


def test_pictures_of_a_few_pixels_are_compared():
    few = blobs(1).resize((7, 5))
    assert levels_apart(cell_colours(few), WHOLE, few, (0.025,) * 4).shape == (CELLS**2,)
