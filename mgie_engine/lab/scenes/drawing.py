"""From a scene to the shapes that draw it: a fixed-size table of numbers per picture, still no pixels.

A picture is a `ShapeTable`: a backdrop (sky, ground, weather, light) and up to `SHAPES` shapes in order.
Lengths are in picture widths, x to the right, y down, angles in radians.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mgie_engine.lab.scenes.phrasing import table
from mgie_engine.lab.scenes.scene import COLOURS, COLUMNS, FRONT, SIZES, SKY, Cell, Scene, SceneObject

SHAPES = 64  # most shapes of a picture: six objects, two in the sky, two hills, and what edits add
ELLIPSE, BOX, TRIANGLE, STAR, CRESCENT = range(5)
KINDS = {"ellipse": ELLIPSE, "box": BOX, "triangle": TRIANGLE, "star": STAR, "crescent": CRESCENT}
NOTHING = -1
PLAIN, STRIPED, SPOTTED = range(3)
PATTERN = {"plain": PLAIN, "striped": STRIPED, "spotted": SPOTTED}

Colour = Sequence[float]  # red, green, blue in 0…1


class Shape(NamedTuple):
    """One shape; the field order is the column order of `ShapeTable.shapes`."""

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
    """Pack shapes into a table in drawing order; ValueError beyond `SHAPES`."""
    if len(shapes) > SHAPES:
        raise ValueError(f"a picture holds {SHAPES} shapes, not {len(shapes)}")
    table = np.full((SHAPES, len(Shape._fields)), NOTHING, dtype=np.float32)
    if shapes:
        table[: len(shapes)] = np.asarray(shapes, dtype=np.float32)
    flat = [v for item in backdrop for v in (item if isinstance(item, Sequence) else (item,))]
    return ShapeTable(table, np.asarray(flat, dtype=np.float32))


def draw(scene: Scene) -> ShapeTable:
    """The shape table of a scene: backdrop, hills, then objects from the back to the front."""
    colours = table("shapes")["backdrop"]
    sky_top, sky_bottom = colours["sky"][scene.sky]
    ground_top, ground_bottom = colours["ground"][scene.ground]
    backdrop = Backdrop(
        sky_top,
        sky_bottom,
        ground_top,
        ground_bottom,
        colours["light"][scene.time],
        stars=float(scene.time == "night"),
        fog=float(scene.weather == "fog"),
        rain=float(scene.weather == "rain"),
        snow=float(scene.weather == "snow"),
    )
    return shape_table(backdrop, _shapes(scene))


def fits(scene: Scene) -> bool:
    """Whether the scene has at most `SHAPES` shapes."""
    return len(_shapes(scene)) <= SHAPES


def _shapes(scene: Scene) -> list[Shape]:
    ground_top, _ = table("shapes")["backdrop"]["ground"][scene.ground]
    shapes = [_hill(x, height, ground_top) for x, height in scene.hills]
    for obj in sorted(scene.objects, key=lambda t: (t.cell.row, t.cell.column)):
        shapes += _draw_object(obj)
    return shapes


def _hill(x: float, height: float, ground: Colour) -> Shape:
    red, green, blue = (0.82 * c for c in ground)
    return Shape(ELLIPSE, x, 0.53, 0.30, height, red=red, green=green, blue=blue, shade=0.05)


def place(cell: Cell) -> tuple[float, float, float]:
    """Centre x, baseline y (centre y in the sky), and half-width of a large object in a cell."""
    x = (cell.column + 0.5) / COLUMNS
    if cell.row == SKY:
        return x, 0.17, 0.092
    return (x, 0.925, 0.112) if cell.row == FRONT else (x, 0.665, 0.088)


def _draw_object(obj: SceneObject) -> list[Shape]:
    """The shadow of an object that stands on the ground, then the shapes of its kind."""
    x, y, unit = place(obj.cell)
    x, y, unit = x + obj.jitter[0], y + obj.jitter[1], unit * SIZES[obj.size]
    shapes = [_shape(row, obj, x, y, unit) for row in table("shapes")["objects"][obj.kind]]
    if obj.cell.row == SKY:
        return shapes
    shadow = Shape(ELLIPSE, x, y, 0.95 * unit, 0.16 * unit, opacity=0.28, shade=0.0, softness=0.03)
    return [shadow, *shapes]


def _shape(row: Mapping[str, Any], obj: SceneObject, x: float, y: float, unit: float) -> Shape:
    """One row of shapes.toml for an object with its baseline at (x, y) and half-width `unit`."""
    (right, up), (half_width, half_height) = row["at"], row["half"]
    red, green, blue = _colour(row, obj)
    return Shape(
        KINDS[row["shape"]],
        x + right * unit,
        y - up * unit,
        half_width * unit,
        half_height * unit,
        row.get("angle", 0.0),
        row.get("corner", 0.0) * unit,
        red,
        green,
        blue,
        row.get("opacity", 1.0),
        PATTERN[obj.material] if row.get("patterned") else PLAIN,
        row.get("shade", 0.12),
    )


def _colour(row: Mapping[str, Any], obj: SceneObject) -> Colour:
    colour = row["colour"]
    if isinstance(colour, list):
        return colour
    name = str(row.get("on_same", colour) if colour == obj.colour else colour)
    return COLOURS[{"own": obj.colour, **dict(obj.parts)}.get(name, name)]
