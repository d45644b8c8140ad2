"""The content of a generated picture: plain data, no pixels.

A scene has a sky, a ground, a time of day, a weather, and objects in cells: four columns, and three rows (the
sky, the back, the front). A cell holds one object, so no object hides another and every edit has exactly one
goal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType

COLUMNS = 4
SKY, BACK, FRONT = 0, 1, 2
ROWS = (SKY, BACK, FRONT)

COLOURS: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {  # sRGB, 0 to 1
        "red": (0.85, 0.13, 0.13),
        "orange": (0.95, 0.52, 0.10),
        "yellow": (0.97, 0.85, 0.15),
        "green": (0.16, 0.62, 0.22),
        "blue": (0.13, 0.33, 0.85),
        "purple": (0.52, 0.20, 0.72),
        "pink": (0.97, 0.50, 0.70),
        "brown": (0.46, 0.28, 0.14),
        "black": (0.08, 0.08, 0.09),
        "white": (0.96, 0.96, 0.95),
        "grey": (0.52, 0.53, 0.55),
        "teal": (0.08, 0.62, 0.62),
    }
)
SIZES: Mapping[str, float] = MappingProxyType({"small": 0.62, "medium": 0.82, "large": 1.0})
MATERIALS = ("plain", "striped", "spotted")
GROUNDS = ("grass", "sand", "snow", "stone", "water")
TIMES = ("day", "sunset", "night")
WEATHERS = ("clear", "fog", "rain", "snow")
SKY_COLOURS = tuple(COLOURS)

GROUND_KINDS = ("ball", "box", "cone", "star", "heart", "house", "tree", "car", "flower", "mushroom")
SKY_KINDS = ("sun", "moon", "cloud", "balloon", "kite")
PART_OF: Mapping[str, tuple[str, ...]] = MappingProxyType({"house": ("roof", "door")})
NATURAL_COLOUR: Mapping[str, str] = MappingProxyType({"sun": "yellow", "moon": "white", "cloud": "white"})
PATTERNED = frozenset({"ball", "box", "cone", "balloon", "heart", "star"})


@dataclass(frozen=True, slots=True)
class Cell:
    """A place: row (sky, back, front) and column, counted from the left."""

    row: int
    column: int


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One object in its cell; `parts` are the colours of parts that have their own (roof, door)."""

    kind: str
    colour: str
    size: str
    cell: Cell
    material: str = "plain"
    parts: tuple[tuple[str, str], ...] = ()
    jitter: tuple[float, float] = (0.0, 0.0)  # shift from the cell's centre, in picture widths

    def part(self, name: str) -> str:
        """Colour of the part `name`; KeyError when it has none."""
        return dict(self.parts)[name]

    def moved_to(self, cell: Cell) -> "SceneObject":
        """The object in the middle of another cell."""
        return replace(self, cell=cell, jitter=(0.0, 0.0))

    def with_part(self, name: str, colour: str) -> "SceneObject":
        return replace(self, parts=tuple((n, colour if n == name else c) for n, c in self.parts))


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole drawn picture as data."""

    objects: tuple[SceneObject, ...]
    ground: str = "grass"
    sky: str = "blue"
    time: str = "day"
    weather: str = "clear"
    hills: tuple[tuple[float, float], ...] = ()  # (centre x, height), decoration behind everything

    def at(self, cell: Cell) -> SceneObject | None:
        return next((obj for obj in self.objects if obj.cell == cell), None)

    def of(self, kind: str) -> list[SceneObject]:
        """All objects of a kind."""
        return [obj for obj in self.objects if obj.kind == kind]

    def only_ones(self) -> list[SceneObject]:
        """The objects that are the only one of their kind."""
        return [obj for obj in self.objects if len(self.of(obj.kind)) == 1]

    def without(self, *gone: SceneObject) -> "Scene":
        return replace(self, objects=tuple(obj for obj in self.objects if obj not in gone))

    def plus(self, *new: SceneObject) -> "Scene":
        return replace(self, objects=self.objects + new)

    def swapped(self, old: SceneObject, new: SceneObject) -> "Scene":
        return replace(self, objects=tuple(new if obj is old else obj for obj in self.objects))


def is_sky_kind(kind: str) -> bool:
    return kind in SKY_KINDS


def new_object(
    kind: str, colour: str, cell: Cell, *, size: str = "medium", material: str = "plain"
) -> SceneObject:
    """An object as an edit adds it: centred in its cell, parts in their usual colours."""
    usual = {"roof": "red", "door": "brown"}
    parts = tuple((name, usual[name]) for name in PART_OF.get(kind, ()))
    return SceneObject(kind, colour, size, cell, material, parts)


def in_place_of(obj: SceneObject, kind: str, colour: str) -> SceneObject:
    """Another object in the place of `obj`, with its size."""
    return replace(new_object(kind, colour, obj.cell, size=obj.size), jitter=obj.jitter)


def random_object(rng: Random, kind: str, cell: Cell) -> SceneObject:
    colour = NATURAL_COLOUR.get(kind, rng.choice(tuple(COLOURS)))
    if kind == "tree":
        colour = rng.choice(("green", "green", "green", "orange", "red", "yellow", "pink", "teal"))
    material = rng.choice(MATERIALS) if kind in PATTERNED and rng.random() < 0.35 else "plain"
    parts = tuple((name, rng.choice([c for c in COLOURS if c != colour])) for name in PART_OF.get(kind, ()))
    jitter = (rng.uniform(-0.01, 0.01), rng.uniform(-0.01, 0.01))
    return SceneObject(kind, colour, rng.choice(tuple(SIZES)), cell, material, parts, jitter)


def _odd_one_out(rng: Random, objects: list[SceneObject]) -> list[SceneObject]:
    """The first three or more objects as copies of the first, one of them in another colour."""
    first, count = objects[0], rng.randint(3, len(objects))
    odd = rng.randrange(count)
    colour = rng.choice([colour for colour in COLOURS if colour != first.colour])
    copies = [
        replace(first, cell=obj.cell, colour=colour if index == odd else first.colour)
        for index, obj in enumerate(objects[:count])
    ]
    return copies + [obj for obj in objects[count:] if obj.kind != first.kind]


def grouped_scene(rng: Random) -> Scene:
    """A scene with three or four things of a kind in as many columns, mostly of different colours."""
    scene, kind = random_scene(rng, fewest=2, most=3), rng.choice(GROUND_KINDS)
    others = [obj for obj in scene.objects if obj.kind != kind and obj.cell.row != SKY]
    columns = rng.sample(range(COLUMNS), rng.choice((3, 3, 3, 4)))
    colours = (
        rng.sample(tuple(COLOURS), len(columns)) if rng.random() < 0.8 else [rng.choice(tuple(COLOURS))] * 4
    )
    row, group = rng.choice((BACK, FRONT, FRONT)), list[SceneObject]()
    for column, colour in zip(columns, colours, strict=False):
        cell = Cell(row if rng.random() < 0.85 else (BACK if row == FRONT else FRONT), column)
        group.append(replace(random_object(rng, kind, cell), colour=colour))
    taken = {obj.cell for obj in group}
    kept = [obj for obj in others if obj.cell not in taken]
    above = [obj for obj in scene.objects if obj.cell.row == SKY]
    return replace(scene, objects=(*group, *kept, *above))


def random_scene(rng: Random, *, fewest: int = 2, most: int = 6) -> Scene:
    """A scene with `fewest` to `most` objects on the ground and up to two in the sky."""
    cells = [Cell(row, column) for row in (BACK, FRONT) for column in range(COLUMNS)]
    chosen = rng.sample(cells, rng.randint(fewest, most))
    kinds = [rng.choice(GROUND_KINDS) for _ in chosen]
    if len(kinds) > 1 and rng.random() < 0.4:  # two alike, so that words must tell them apart
        kinds[1] = kinds[0]
    objects = [random_object(rng, kind, cell) for kind, cell in zip(kinds, chosen, strict=True)]
    if len(objects) > 2 and rng.random() < 0.12:
        objects = _odd_one_out(rng, objects)
    sky_cells = rng.sample(range(COLUMNS), rng.choice((0, 1, 1, 2)))
    for kind, column in zip(rng.sample(SKY_KINDS, len(sky_cells)), sky_cells, strict=True):
        objects.append(random_object(rng, kind, Cell(SKY, column)))
    return Scene(
        objects=tuple(objects),
        ground=rng.choice(GROUNDS),
        sky="blue" if rng.random() < 0.5 else rng.choice(SKY_COLOURS),
        time=rng.choice(("day", "day", "day", "sunset", "night")),
        weather=rng.choice(WEATHERS) if rng.random() < 0.25 else "clear",
        hills=tuple((rng.random(), rng.uniform(0.05, 0.16)) for _ in range(rng.randint(0, 2))),
    )
