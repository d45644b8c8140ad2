"""A second look at a picture that is like a barred one: the colours of a finer grid, cell by cell. Pure.

Two scenes with the same sky and ground differ much in a few cells, where one of them has an object; a copy
that was cropped, mirrored, scaled or compressed differs little in every cell, if each may lie a little off.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CELLS = 16  # in each direction; no more, so that at most a blurred picture could be made from them
STEPS = (0.01, 0.005)  # by which a side is moved to find where the cells lie, of the width or height
MOST_MOVES = 4  # of all sides, with each of the steps
MOST_COUNTED = 20.0  # levels of one cell, so that one object does not decide where all cells lie
SHIFTS = np.arange(-2, 3) / 160  # how far a cell may lie off after that
OUTSIDE = 0.01  # by which a cell may reach beyond a picture and yet be compared

Sides = tuple[float, ...]  # what is left out left, top, right and below, of the width or height
CellColours = NDArray[np.uint8]  # (CELLS, CELLS, 3): rows, columns, red to blue
Levels = NDArray[np.float64]


def cell_colours(small: Image.Image) -> CellColours:
    """The mean colours of the cells of a picture in RGB."""
    edges = np.linspace(0.0, 1.0, CELLS + 1)
    across, down = (_weights(edges * side, side) for side in small.size)
    return _means(np.asarray(small, np.float64), across, down).round().astype(np.uint8)


def refined(known: CellColours, window: Sides, small: Image.Image, part: Sides) -> Sides:
    """The part of a picture, near the given one, that is most like the window of a known one.

    A side may be below zero: then the picture ends before the window does.
    """
    pixels, still = np.asarray(small, np.float64), np.zeros(1)

    def cost(sides: Sides) -> float:
        apart = _levels_apart(known, window, pixels, sides, still)
        return float(apart.clip(max=MOST_COUNTED).mean()) if apart.size else MOST_COUNTED

    best = cost(part), part
    for step in STEPS:
        for _ in range(MOST_MOVES):
            before = best
            for sides in _moved(best[1], step):
                best = min(best, (cost(sides), sides))
            if best == before:
                break
    return best[1]


def levels_apart(known: CellColours, window: Sides, small: Image.Image, part: Sides) -> Levels:
    """By how many levels (of 255) the cells of a picture differ from a known one, (cells that both show,).

    The `part` of the picture shows what the `window` of the known one does. Of each cell, the mean difference
    of the three colours where it is least among SHIFTS in both directions.
    """
    return _levels_apart(known, window, np.asarray(small, np.float64), part, SHIFTS)


def _levels_apart(
    known: CellColours, window: Sides, pixels: Levels, part: Sides, shifts: NDArray[np.float64]
) -> Levels:
    weights, is_shown = [], []
    for axis, side in enumerate((pixels.shape[1], pixels.shape[0])):
        scale = (1 - part[axis] - part[axis + 2]) / (1 - window[axis] - window[axis + 2])
        edges = part[axis] + (np.linspace(0.0, 1.0, CELLS + 1) - window[axis]) * scale
        is_shown.append((edges[:-1] > -OUTSIDE) & (edges[1:] < 1 + OUTSIDE))
        weights.append(np.concatenate([_weights((edges + shift) * side, side) for shift in shifts]))
    seen = _means(pixels, *weights).reshape(len(shifts), CELLS, len(shifts), CELLS, 3)
    apart: Levels = np.abs(seen - known[None, :, None]).mean(-1).min((0, 2))
    return apart[np.ix_(*reversed(is_shown))].ravel()


def _moved(sides: Sides, step: float) -> Iterator[Sides]:
    """The sides with one of them, or two opposite ones, moved by a step."""
    for axis in (0, 1):
        for near, far in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)):
            moved = list(sides)
            moved[axis] += near * step
            moved[axis + 2] += far * step
            yield tuple(moved)


def _weights(edges: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """(cells, side): the share of each pixel in the cells between edges, which are in pixels."""
    first, last = edges[:-1, None].clip(0, side - 1), edges[1:, None].clip(1, side)
    pixels = np.arange(side)
    covered = (np.minimum(pixels + 1, last) - np.maximum(pixels, first)).clip(min=0)
    shares: NDArray[np.float64] = covered / covered.sum(1, keepdims=True)
    return shares


def _means(pixels: Levels, across: NDArray[np.float64], down: NDArray[np.float64]) -> Levels:
    """(rows, columns, 3): weighted means of the pixels (height, width, 3)."""
    rows = np.tensordot(down, pixels, 1)  # (rows, width, 3)
    means: Levels = np.einsum("rwc,kw->rkc", rows, across, optimize=True)
    return means
