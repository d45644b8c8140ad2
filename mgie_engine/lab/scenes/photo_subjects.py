"""Subjects of procedural photos: figures, animals, things and heaps, each a few rounded parts."""

import colorsys
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from mgie_engine.lab.scenes.drawing import Colour

PARTS = 8


class SubjectPart(NamedTuple):
    """A rounded part, |dx / a|^power + |dy / b|^power < 1; power 2 is an ellipse, 8 nearly a box."""

    x: float
    y: float
    half_width: float
    half_height: float
    power: float
    red: float
    green: float
    blue: float
    stripes: float = 0.0


class PhotoSubject(NamedTuple):
    """Parts from the back to the front, and the colour of the largest."""

    parts: tuple[SubjectPart, ...]
    colour: Colour


Form = Sequence[tuple[float, float, float, float, float, int]]  # x, y, half width, half height, power, colour

_SKIN: Sequence[Colour] = ((0.87, 0.68, 0.56), (0.66, 0.46, 0.34), (0.40, 0.26, 0.18), (0.93, 0.77, 0.66))


def _figure(rng: Random) -> Form:
    lean, wide = rng.gauss(0, 0.03), rng.uniform(0.2, 0.34)
    legs = rng.uniform(0.0, 0.16)
    return (
        (-legs, 0.62, 0.11, 0.38, 4, 2), (legs, 0.62, 0.11, 0.38, 4, 2), (lean, -0.05, wide, 0.38, 3, 0),
        (lean - wide, 0.05, 0.09, 0.3, 3, 0), (lean + wide, 0.05, 0.09, 0.3, 3, 0),
        (2 * lean, -0.66, 0.19, 0.22, 2, 3), (2 * lean, -0.62, 0.15, 0.19, 2, 1),
    )  # fmt: skip


def _portrait(rng: Random) -> Form:
    lean = rng.gauss(0, 0.06)
    return (
        (lean, -0.3, 0.44, 0.5, 2, 3), (0, 0.95, 0.8, 0.5, 2.5, 0), (lean, 0.35, 0.17, 0.3, 3, 1),
        (lean, -0.22, 0.34, 0.45, 2.2, 1), (lean, -0.62, 0.38, 0.2, 2, 3),
    )  # fmt: skip


def _animal(rng: Random) -> Form:
    side = rng.choice((-1, 1))
    return (
        (-0.45, 0.5, 0.09, 0.45, 4, 0), (0.4, 0.5, 0.09, 0.45, 4, 0), (-0.3, 0.5, 0.08, 0.42, 4, 3),
        (0.27, 0.5, 0.08, 0.42, 4, 3), (0, 0, 0.62, 0.3, 2.4, 0), (side * 0.62, -0.35, 0.25, 0.22, 2, 0),
        (side * 0.55, -0.58, 0.08, 0.14, 2, 3),
    )  # fmt: skip


def _vehicle(rng: Random) -> Form:
    return (
        (0, -0.22, 0.55, 0.28, 4, 0), (-0.22, -0.24, 0.22, 0.18, 5, 3), (0.25, -0.24, 0.22, 0.18, 5, 3),
        (0, 0.12, 1.0, 0.24, 5, 0), (-0.55, 0.36, 0.2, 0.2, 2, 3), (0.55, 0.36, 0.2, 0.2, 2, 3),
        (-0.95, 0.08, 0.06, 0.06, 2, 2), (0.95, 0.08, 0.06, 0.06, 2, 2),
    )  # fmt: skip


def _house(rng: Random) -> Form:
    wide = rng.uniform(0.5, 0.9)
    return (
        (0, 0.25, wide, 0.55, 12, 0), (0, -0.35, 1.15 * wide, 0.12, 8, 2), (0, -0.5, 0.7 * wide, 0.14, 3, 2),
        (-0.5 * wide, 0.1, 0.12, 0.15, 12, 3), (0.5 * wide, 0.1, 0.12, 0.15, 12, 3),
        (0, 0.5, 0.11, 0.3, 12, 3),
    )  # fmt: skip


def _flower(rng: Random) -> Form:
    ring = [(0.5, 0.0), (0.25, 0.43), (-0.25, 0.43), (-0.5, 0.0), (-0.25, -0.43), (0.25, -0.43)]
    petals = tuple((x, y, 0.34, 0.34, 2, 0) for x, y in ring)
    return ((0, 0.9, 0.05, 0.8, 3, 4), *petals, (0, 0, 0.24, 0.24, 2, 2))


def _bottle(rng: Random) -> Form:
    wide = rng.uniform(0.2, 0.4)
    return (
        (0, -0.6, 0.4 * wide, 0.35, 6, 0), (0, 0.2, wide, 0.7, 6, 0), (0, 0.25, wide, 0.25, 8, 2),
        (0, -0.9, 0.42 * wide, 0.08, 8, 3),
    )  # fmt: skip


def _heap(rng: Random) -> Form:
    return tuple(
        (rng.gauss(0, 0.4), rng.gauss(0.1, 0.3), rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.6),
         rng.choice((2, 2, 3, 8)), rng.choice((0, 0, 1, 2)))
        for _ in range(rng.randint(1, PARTS))
    )  # fmt: skip


FORMS: Sequence[Callable[[Random], Form]] = (
    _figure, _figure, _portrait, _portrait, _animal, _vehicle, _house, _flower, _bottle, _heap, _heap,
)  # fmt: skip


def random_subject(rng: Random, horizon: float, large: bool) -> PhotoSubject:
    """A subject that stands on the ground below a horizon, or before everything if `large`."""
    form = rng.choice(FORMS)(rng)
    size = rng.uniform(0.2, 0.42) if large else rng.uniform(0.12, 0.34)
    x = rng.uniform(0.25, 0.75) if large else rng.uniform(0.12, 0.88)
    low = max(0.0, min(horizon, 0.85))
    y = rng.uniform(0.4, 0.75) if large else rng.uniform(low + 0.05, 0.98) - 0.75 * size
    own = colorsys.hsv_to_rgb(
        rng.random(), rng.choice((0.1, 0.5, 0.85)) * rng.uniform(0.7, 1.15), rng.uniform(0.1, 0.95)
    )
    skin = rng.choice(_SKIN)
    second = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0, 0.8), rng.uniform(0.1, 0.9))
    dark = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0, 0.5), rng.uniform(0.03, 0.35))
    colours = (own, skin, second, dark, (0.2, 0.36, 0.12))
    striped = rng.choice((0.0, 0.0, 0.0, rng.uniform(4, 16)))
    bright = rng.uniform(0.6, 1.0)
    shown = [tuple(bright * channel for channel in colour) for colour in colours]
    parts = list[SubjectPart]()
    for dx, dy, a, b, power, which in form:
        red, green, blue = shown[which]
        stripes = 0.0 if which else striped
        parts.append(
            SubjectPart(x + size * dx, y + size * dy, size * a, size * b, power, red, green, blue, stripes)
        )
    return PhotoSubject(tuple(parts), shown[0])
