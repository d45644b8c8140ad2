"""From a scene to the shapes that draw it: a fixed-size table of numbers per picture, still no pixels.

A picture is a `ShapeTable`: a backdrop (sky, ground, weather, light) and up to `SHAPES` shapes in order.
Lengths are in picture widths, x to the right, y down, angles in radians.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mgie_engine.lab.scenes.scene import COLOURS, COLUMNS, FRONT, SIZES, SKY, Cell, Scene, SceneObject

SHAPES = 64  # shapes a picture may have: six things, two in the sky, two hills, and what edits add
ELLIPSE, BOX, TRIANGLE, STAR, CRESCENT = range(5)
NOTHING = -1
PLAIN, STRIPED, SPOTTED = range(3)
PATTERN = {"plain": PLAIN, "striped": STRIPED, "spotted": SPOTTED}

Colour = tuple[float, float, float]


class Shape(NamedTuple):
    """One painted shape; the field order is the column order of `ShapeTable.shapes`."""

    kind: float
    x: float
    y: float
    half_width: float
    half_height: float
    angle: float = 0.0
    corner: float = 0.0  # corner radius of a box
    red: float = 0.0
    green: float = 0.0
    blue: float = 0.0
    opacity: float = 1.0
    pattern: float = PLAIN
    shade: float = 0.12  # lighter top, darker bottom, by this share
    softness: float = 0.0  # width of the edge, beyond antialiasing


class Backdrop(NamedTuple):
    """Everything behind and over the shapes; the field order is the column order of `ShapeTable.backdrop`."""

    sky_top: Colour
    sky_bottom: Colour
    ground_top: Colour
    ground_bottom: Colour
    light: Colour  # multiplies the finished picture
    horizon: float = 0.52
    stars: float = 0.0  # 0 or 1
    fog: float = 0.0  # 0 to 1, thickest at the horizon
    rain: float = 0.0
    snow: float = 0.0
    grain: float = 0.0  # amplitude of 1/f noise, 0 for drawn scenes
    grain_seed: float = 0.0


@dataclass(frozen=True, slots=True)
class ShapeTable:
    """A picture as numbers: `shapes` (SHAPES, 14) and `backdrop` (22,), both float32."""

    shapes: NDArray[np.float32]
    backdrop: NDArray[np.float32]


def shape_table(backdrop: Backdrop, shapes: list[Shape]) -> ShapeTable:
    """Pack shapes into a table, painted first to last; ValueError beyond `SHAPES`."""
    if len(shapes) > SHAPES:
        raise ValueError(f"a picture holds {SHAPES} shapes, not {len(shapes)}")
    table = np.full((SHAPES, len(Shape._fields)), NOTHING, dtype=np.float32)
    if shapes:
        table[: len(shapes)] = np.asarray(shapes, dtype=np.float32)
    flat = [v for item in backdrop for v in (item if isinstance(item, tuple) else (item,))]
    return ShapeTable(table, np.asarray(flat, dtype=np.float32))


SKY_TONES: dict[str, tuple[Colour, Colour]] = {
    "blue": ((0.36, 0.62, 0.93), (0.78, 0.90, 0.98)),
    "pink": ((0.95, 0.55, 0.72), (0.99, 0.85, 0.88)),
    "orange": ((0.96, 0.58, 0.25), (0.99, 0.86, 0.62)),
    "purple": ((0.48, 0.32, 0.72), (0.82, 0.72, 0.92)),
    "teal": ((0.22, 0.68, 0.67), (0.72, 0.93, 0.90)),
    "grey": ((0.55, 0.58, 0.62), (0.80, 0.82, 0.84)),
    "red": ((0.90, 0.36, 0.32), (0.99, 0.74, 0.70)),
    "yellow": ((0.98, 0.90, 0.46), (1.0, 0.96, 0.76)),
    "green": ((0.42, 0.76, 0.46), (0.80, 0.94, 0.78)),
    "brown": ((0.60, 0.46, 0.34), (0.84, 0.74, 0.64)),
    "black": ((0.20, 0.20, 0.25), (0.36, 0.36, 0.42)),
    "white": ((0.84, 0.86, 0.88), (0.97, 0.97, 0.98)),
}
GROUND_TONES: dict[str, tuple[Colour, Colour]] = {
    "grass": ((0.50, 0.76, 0.36), (0.30, 0.58, 0.24)),
    "sand": ((0.94, 0.85, 0.60), (0.85, 0.72, 0.45)),
    "snow": ((0.95, 0.97, 0.99), (0.84, 0.89, 0.95)),
    "stone": ((0.66, 0.65, 0.64), (0.50, 0.49, 0.50)),
    "water": ((0.42, 0.70, 0.84), (0.20, 0.46, 0.70)),
}
LIGHT: dict[str, Colour] = {"day": (1.0, 1.0, 1.0), "sunset": (1.0, 0.80, 0.64), "night": (0.46, 0.52, 0.74)}


def draw(scene: Scene) -> ShapeTable:
    """The sheet of a scene: backdrop, hills, then things from the back to the front."""
    sky_top, sky_bottom = SKY_TONES[scene.sky]
    ground_top, ground_bottom = GROUND_TONES[scene.ground]
    backdrop = Backdrop(
        sky_top,
        sky_bottom,
        ground_top,
        ground_bottom,
        LIGHT[scene.time],
        stars=float(scene.time == "night"),
        fog=float(scene.weather == "fog"),
        rain=float(scene.weather == "rain"),
        snow=float(scene.weather == "snow"),
    )
    return shape_table(backdrop, _shapes(scene))


def fits(scene: Scene) -> bool:
    """Whether a sheet has room for the scene."""
    return len(_shapes(scene)) <= SHAPES


def _shapes(scene: Scene) -> list[Shape]:
    ground_top, _ = GROUND_TONES[scene.ground]
    shapes = [_hill(x, height, ground_top) for x, height in scene.hills]
    for obj in sorted(scene.objects, key=lambda t: (t.cell.row, t.cell.column)):
        shapes += _draw_thing(obj)
    return shapes


def _hill(x: float, height: float, ground: Colour) -> Shape:
    red, green, blue = (0.82 * c for c in ground)
    return Shape(ELLIPSE, x, 0.53, 0.30, height, red=red, green=green, blue=blue, shade=0.05)


def place(cell: Cell) -> tuple[float, float, float]:
    """Centre x, baseline y (centre y in the sky), and half-width of a large thing in a cell."""
    x = (cell.column + 0.5) / COLUMNS
    if cell.row == SKY:
        return x, 0.17, 0.092
    return (x, 0.925, 0.112) if cell.row == FRONT else (x, 0.665, 0.088)


def _draw_thing(obj: SceneObject) -> list[Shape]:
    x, y, unit = place(obj.cell)
    pen = _Pen(x + obj.jitter[0], y + obj.jitter[1], unit * SIZES[obj.size], PATTERN[obj.material])
    shadow = [] if obj.cell.row == SKY else [pen.shadow()]
    return shadow + _RECIPES[obj.kind](pen, obj)


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws in units of a thing's half-width, from its baseline up."""

    x: float
    y: float
    unit: float
    pattern: int = PLAIN

    def shape(
        self,
        kind: int,
        dx: float,
        up: float,
        half_width: float,
        half_height: float,
        colour: str | Colour,
        *,
        angle: float = 0.0,
        corner: float = 0.0,
        patterned: bool = False,
        opacity: float = 1.0,
        shade: float = 0.12,
    ) -> Shape:
        red, green, blue = COLOURS[colour] if isinstance(colour, str) else colour
        u = self.unit
        x, y = self.x + dx * u, self.y - up * u
        size = (half_width * u, half_height * u, angle, corner * u)
        pattern = self.pattern if patterned else PLAIN
        return Shape(kind, x, y, *size, red, green, blue, opacity, pattern, shade)

    def shadow(self) -> Shape:
        u = self.unit
        size = (0.95 * u, 0.16 * u)
        return Shape(ELLIPSE, self.x, self.y, *size, opacity=0.28, shade=0.0, softness=0.03)


def _ball(pen: _Pen, obj: SceneObject) -> list[Shape]:
    glint = pen.shape(ELLIPSE, -0.32, 1.2, 0.2, 0.14, "white", opacity=0.45, angle=-0.6, shade=0.0)
    return [pen.shape(ELLIPSE, 0, 0.86, 0.88, 0.88, obj.colour, patterned=True, shade=0.2), glint]


def _box(pen: _Pen, obj: SceneObject) -> list[Shape]:
    body = pen.shape(BOX, 0, 0.8, 0.82, 0.8, obj.colour, corner=0.1, patterned=True)
    return [body, pen.shape(BOX, 0, 1.5, 0.82, 0.1, "white", corner=0.08, opacity=0.25, shade=0.0)]


def _cone(pen: _Pen, obj: SceneObject) -> list[Shape]:
    return [pen.shape(TRIANGLE, 0, 0.95, 0.85, 0.95, obj.colour, patterned=True)]


def _star(pen: _Pen, obj: SceneObject) -> list[Shape]:
    return [pen.shape(STAR, 0, 0.9, 0.98, 0.98, obj.colour, patterned=True)]


def _heart(pen: _Pen, obj: SceneObject) -> list[Shape]:
    lobes = [
        pen.shape(ELLIPSE, side * 0.43, 1.28, 0.46, 0.44, obj.colour, patterned=True, shade=0.0)
        for side in (-1, 1)
    ]
    tip = pen.shape(TRIANGLE, 0, 0.58, 0.86, 0.58, obj.colour, angle=math.pi, patterned=True, shade=0.0)
    return [*lobes, tip]


def _house(pen: _Pen, obj: SceneObject) -> list[Shape]:
    return [
        pen.shape(BOX, 0, 0.62, 0.8, 0.62, obj.colour, corner=0.03),
        pen.shape(TRIANGLE, 0, 1.62, 1.02, 0.42, obj.part("roof")),
        pen.shape(BOX, -0.32, 0.38, 0.2, 0.38, obj.part("door"), corner=0.03),
        pen.shape(BOX, 0.36, 0.72, 0.22, 0.22, (0.75, 0.88, 0.96), corner=0.03),
    ]


def _tree(pen: _Pen, obj: SceneObject) -> list[Shape]:
    return [
        pen.shape(BOX, 0, 0.5, 0.13, 0.5, "brown", corner=0.03),
        pen.shape(ELLIPSE, -0.34, 1.15, 0.5, 0.44, obj.colour),
        pen.shape(ELLIPSE, 0.34, 1.15, 0.5, 0.44, obj.colour),
        pen.shape(ELLIPSE, 0, 1.52, 0.56, 0.52, obj.colour),
    ]


def _car(pen: _Pen, obj: SceneObject) -> list[Shape]:
    wheels = [pen.shape(ELLIPSE, side * 0.52, 0.24, 0.24, 0.24, "black") for side in (-1, 1)]
    return [
        pen.shape(BOX, 0, 0.88, 0.52, 0.36, obj.colour, corner=0.18),
        pen.shape(BOX, 0, 0.92, 0.38, 0.2, (0.75, 0.88, 0.96), corner=0.1),
        pen.shape(BOX, 0, 0.5, 0.98, 0.28, obj.colour, corner=0.14),
        *wheels,
    ]


def _flower(pen: _Pen, obj: SceneObject) -> list[Shape]:
    petals = [
        pen.shape(ELLIPSE, 0.4 * math.cos(turn), 1.3 + 0.4 * math.sin(turn), 0.3, 0.3, obj.colour, shade=0.05)
        for turn in (math.pi / 2 + 2 * math.pi * i / 5 for i in range(5))
    ]
    heart = "orange" if obj.colour == "yellow" else "yellow"
    return [
        pen.shape(BOX, 0, 0.5, 0.07, 0.5, "green"),
        *petals,
        pen.shape(ELLIPSE, 0, 1.3, 0.24, 0.24, heart),
    ]


def _mushroom(pen: _Pen, obj: SceneObject) -> list[Shape]:
    spot = "red" if obj.colour == "white" else "white"
    spots = [
        pen.shape(ELLIPSE, dx, up, 0.13, 0.1, spot, shade=0.0) for dx, up in ((-0.4, 0.95), (0.35, 0.92))
    ]
    return [
        pen.shape(BOX, 0, 0.42, 0.24, 0.42, (0.94, 0.88, 0.76), corner=0.1),
        pen.shape(ELLIPSE, 0, 0.95, 0.9, 0.5, obj.colour),
        *spots,
        pen.shape(ELLIPSE, 0.02, 1.18, 0.15, 0.12, spot, shade=0.0),
    ]


def _sun(pen: _Pen, obj: SceneObject) -> list[Shape]:
    glow = pen.shape(ELLIPSE, 0, 0, 0.95, 0.95, obj.colour, opacity=0.35, shade=0.0)
    return [glow, pen.shape(ELLIPSE, 0, 0, 0.68, 0.68, obj.colour, shade=0.04)]


def _moon(pen: _Pen, obj: SceneObject) -> list[Shape]:
    return [pen.shape(CRESCENT, 0, 0, 0.75, 0.75, obj.colour, shade=0.0)]


def _cloud(pen: _Pen, obj: SceneObject) -> list[Shape]:
    return [
        pen.shape(ELLIPSE, dx, up, width, height, obj.colour, shade=0.05)
        for dx, up, width, height in ((-0.5, -0.1, 0.5, 0.34), (0.5, -0.1, 0.5, 0.34), (0, 0.14, 0.58, 0.48))
    ]


def _balloon(pen: _Pen, obj: SceneObject) -> list[Shape]:
    return [
        pen.shape(ELLIPSE, 0, 0.25, 0.68, 0.78, obj.colour, patterned=True, shade=0.2),
        pen.shape(BOX, 0, -0.62, 0.03, 0.16, "black", shade=0.0),
        pen.shape(BOX, 0, -0.86, 0.2, 0.15, "brown", corner=0.04),
    ]


def _kite(pen: _Pen, obj: SceneObject) -> list[Shape]:
    tail = pen.shape(BOX, 0.42, -0.72, 0.03, 0.42, "black", angle=-0.7, shade=0.0)
    return [tail, pen.shape(BOX, 0, 0.1, 0.56, 0.56, obj.colour, angle=math.pi / 4)]


_RECIPES = {
    "ball": _ball,
    "box": _box,
    "cone": _cone,
    "star": _star,
    "heart": _heart,
    "house": _house,
    "tree": _tree,
    "car": _car,
    "flower": _flower,
    "mushroom": _mushroom,
    "sun": _sun,
    "moon": _moon,
    "cloud": _cloud,
    "balloon": _balloon,
    "kite": _kite,
}
