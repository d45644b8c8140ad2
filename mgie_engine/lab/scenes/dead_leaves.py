"""Procedural pictures with the statistics of photographs: dead leaves, 1/f grain, soft depth, hard light.

They carry no content anybody would name; they are there so that light and colour can be learned on any
picture. Denoisers trained on dead leaves come close to those trained on photographs (Achddou et al. 2021,
2023).
"""

import colorsys
from random import Random
from typing import NamedTuple

from mgie_engine.lab.scenes.drawing import Backdrop, Colour, Shape, ShapeTable, shape_table


class Palette(NamedTuple):
    """How the colours of a picture are spread: hue and saturation on [0, 1], values about `value`."""

    hue: float
    hues: float  # standard deviations
    saturation: float
    value: float
    values: float

    def colour(self, rng: Random) -> Colour:
        """One colour; much of a wide spread of values is black or white."""
        saturation = min(1.0, max(0.0, rng.gauss(self.saturation, 0.22)))
        value = min(1.0, max(0.02, rng.gauss(self.value, self.values)))
        return colorsys.hsv_to_rgb((self.hue + rng.gauss(0, self.hues)) % 1.0, saturation, value)


def dead_leaves(rng: Random) -> ShapeTable:
    """Overlapping shapes; two of five pictures lie in hard light, with blown and black areas."""
    hard = rng.random() < 0.4
    palette = Palette(
        rng.random(),
        rng.choice((0.06, 0.15, 0.5)),
        rng.choice((0.08, 0.32, 0.6)) if hard else 0.32,
        0.55 if hard else 0.5,
        rng.choice((0.4, 0.6)) if hard else 0.25,
    )
    gain = rng.uniform(0.9, 1.25) if hard else rng.uniform(0.55, 1.15)
    warmth = rng.uniform(-0.12, 0.12) * (0.5 if hard else 1)
    sky_top, sky_bottom, ground_top, ground_bottom = (palette.colour(rng) for _ in range(4))
    backdrop = Backdrop(
        sky_top,
        sky_bottom,
        ground_top,
        ground_bottom,
        light=(gain * (1 + warmth), gain, gain * (1 - warmth)),
        horizon=rng.uniform(0.15, 0.85),
        fog=rng.choice((0.0, 0.0, rng.uniform(0.1, 0.7))),
        grain=rng.choice((0.05, 0.35, 0.6, 1.0) if hard else (0.15, 0.35, 0.6, 1.0)) * rng.random(),
        grain_seed=rng.uniform(0, 60),
    )
    count = rng.randint(12, 56)
    blur = rng.choice((0.0, 0.01, 0.04))
    sizes = sorted((_power_law(rng) for _ in range(count)), reverse=True)
    return shape_table(backdrop, [_leaf(rng, size, blur, palette.colour(rng)) for size in sizes])


def _power_law(rng: Random, smallest: float = 0.015, largest: float = 0.45) -> float:
    """A size whose density falls with the cube of the size, as in the dead-leaves model."""
    u = rng.random()
    return (
        (smallest**-2 + u * (largest**-2 - smallest**-2)) ** -0.5 if u < 0.75 else rng.uniform(0.1, largest)
    )


def _leaf(rng: Random, size: float, blur: float, colour: Colour) -> Shape:
    aspect = rng.uniform(0.35, 1.0)
    return Shape(
        rng.choice((0, 0, 1, 1, 2)),
        rng.random(),
        rng.random(),
        size,
        size * aspect,
        rng.uniform(0, 3.1416),
        corner=size * aspect * rng.uniform(0, 0.9),
        red=colour[0],
        green=colour[1],
        blue=colour[2],
        opacity=rng.choice((1.0, 1.0, rng.uniform(0.4, 1.0))),
        pattern=rng.choice((0, 0, 0, 1, 2)),
        shade=rng.uniform(0.0, 0.55),
        softness=blur * rng.random(),
    )
