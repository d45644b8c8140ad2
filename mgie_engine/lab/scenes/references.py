"""Words that identify one object or one place of a scene, and the rule that picks the place."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from mgie_engine.lab.scenes.expressive_text import COLUMN_WORDS, ROW_WORDS, where
from mgie_engine.lab.scenes.phrasing import plural, say, table
from mgie_engine.lab.scenes.scene import (
    BACK,
    COLUMNS,
    FRONT,
    SIZES,
    SKY,
    Cell,
    Scene,
    SceneObject,
    is_sky_kind,
)

NEIGHBOURLY = 0.12  # share of objects that are identified by a neighbour
NAMELESS = 0.1  # how often by its look or its place alone
OF_TWO = 0.4  # how often one of two of a kind by what tells it from the other
ATTRIBUTES = ("size", "colour", "material")  # the order in which they are spoken


@dataclass(frozen=True, slots=True)
class Reference:
    """Words for one object: with its article, and the bare name if that is enough."""

    it: str
    name: str | None


def refer(rng: Random, scene: Scene, obj: SceneObject, *, by_neighbour: bool = True) -> Reference:
    """Words that single out `obj` in `scene`, from "the ball" to "the small red ball in front".

    Now and then by what stands near, as in "the one behind the car"; not where a place follows, which would
    be mistaken for it.
    """
    if by_neighbour and rng.random() < NEIGHBOURLY and (near := _relations(rng, scene, obj)):
        who = rng.choice((say(rng, obj.kind), say(rng, obj.kind), "one", "thing"))
        return Reference(f"the {who} {rng.choice(near)}", None)
    if rng.random() < NAMELESS and (bare := _by_look(rng, scene, obj)):
        look = rng.choice(bare)
        return Reference(look if look.startswith("whatever ") else f"the {look}", None)
    name = say(rng, obj.kind)
    alike = [other for other in scene.objects if other.kind == obj.kind]
    if len(alike) == 1 and rng.random() < 0.6:
        return Reference(f"the {name}", name)
    ways = [chosen for chosen in _adjectives(obj) if _matches(alike, obj, chosen) == [obj]]
    if len(alike) == 2 and rng.random() < OF_TWO and (either := _of_two(rng, obj, alike, name)):
        return Reference(f"the {rng.choice(either)}", None)
    sides = _sides(obj, alike)
    if sides and (not ways or rng.random() < 0.4):
        said = rng.choice([(), (), ("colour",)])
        return Reference(f"the {_spoken(rng, obj, said)}{name} {rng.choice(sides)}", None)
    if not ways:
        return Reference(f"the {_spoken(rng, obj, ('size', 'colour'))}{name} {where(obj.cell)}", None)
    fewest = min(len(chosen) for chosen in ways)
    chosen = rng.choice([w for w in ways if len(w) <= max(1, fewest)] or ways)
    return Reference(f"the {_spoken(rng, obj, chosen)}{name}", None if chosen else name)


def other_than(rng: Random, scene: Scene, obj: SceneObject) -> str | None:
    """Words for another object of the scene that cannot be confused with `obj`."""
    others = [t for t in scene.objects if t is not obj and (t.kind, t.colour) != (obj.kind, obj.colour)]
    if not others:
        return None
    other = rng.choice(others)
    is_plain = other.kind != obj.kind and len(scene.of(other.kind)) == 1 and rng.random() < 0.8
    return f"the {'' if is_plain else f'{say(rng, other.colour)} '}{say(rng, other.kind)}"


def _of_two(rng: Random, obj: SceneObject, alike: Sequence[SceneObject], name: str) -> list[str]:
    """What `obj` is called beside the one other of its kind: "left ball", "bigger of the two balls"."""
    other = next(one for one in alike if one is not obj)
    ways = []
    if obj.cell.column != other.cell.column:
        side = "left" if obj.cell.column < other.cell.column else "right"
        ways += [
            f"{side} {name}",
            f"{side} {name}",
            f"{side} of the two {plural(name)}",
            f"{side}-hand {name}",
        ]
    if obj.size != other.size:
        is_bigger = SIZES[obj.size] > SIZES[other.size]
        words = ("bigger", "larger", "big") if is_bigger else ("smaller", "little", "small")
        word = rng.choice(words)
        ways += [f"{word} {name}", f"{word} {name}", f"{words[0]} of the two {plural(name)}"]
    if obj.colour != other.colour:
        ways += [f"{say(rng, obj.colour)} {name}"] * 2
    return ways


def nameless(rng: Random, among: Sequence[SceneObject], obj: SceneObject) -> list[str]:
    """Words that identify `obj` among others without its kind: "red one", "biggest thing"."""
    others = [other for other in among if other is not obj]
    ways = []
    for attribute in ("colour", "material"):
        value = getattr(obj, attribute)
        if value != "plain" and all(getattr(other, attribute) != value for other in others):
            ways += [f"{say(rng, value)} one", f"{say(rng, value)} thing"]
    size = SIZES[obj.size]
    if all(SIZES[other.size] < size for other in others):
        ways += ["biggest one", "largest thing", "biggest thing"]
    if all(SIZES[other.size] > size for other in others):
        ways += ["smallest one", "smallest thing", "tiniest thing"]
    if all(other.cell.column > obj.cell.column for other in others):
        ways += ["leftmost thing", "thing on the far left", "one furthest left"]
    if all(other.cell.column < obj.cell.column for other in others):
        ways += ["rightmost thing", "thing on the far right", "one furthest right"]
    return ways


def _by_look(rng: Random, scene: Scene, obj: SceneObject) -> list[str]:
    """What `obj` alone may be called by its look or its place."""
    here = [other.kind for other in scene.objects]
    ways = [
        look
        for look, kinds in table("words")["looks"].items()
        if obj.kind in kinds and sum(kind in kinds for kind in here) == 1
    ]
    if (corner := _CORNERS.get(obj.cell)) and rng.random() < 0.5:
        ways += [f"thing in the {corner} corner", f"one in the {corner} corner"]
    if obj.cell.row != SKY:
        return ways + nameless(rng, [t for t in scene.objects if not is_sky_kind(t.kind)], obj)
    above = [other for other in scene.objects if other.cell.row == SKY]
    if len(above) == 1:
        ways += ["thing in the sky", "thing up there"]
    if sum(other.colour == obj.colour for other in above) == 1:
        ways.append(f"{say(rng, obj.colour)} thing {rng.choice(('in the sky', 'up there'))}")
    return ways


_CORNERS = {
    Cell(SKY, 0): "top left",
    Cell(SKY, COLUMNS - 1): "top right",
    Cell(FRONT, 0): "bottom left",
    Cell(FRONT, COLUMNS - 1): "bottom right",
}


def _adjectives(obj: SceneObject) -> list[tuple[str, ...]]:
    named = [a for a in ATTRIBUTES if getattr(obj, a) != "plain"]
    return [chosen for count in (1, 2, 3) for chosen in combinations(named, count)]


def _matches(alike: Sequence[SceneObject], obj: SceneObject, attributes: Sequence[str]) -> list[SceneObject]:
    return [other for other in alike if all(getattr(other, a) == getattr(obj, a) for a in attributes)]


def _spoken(rng: Random, obj: SceneObject, attributes: Sequence[str]) -> str:
    return "".join(f"{say(rng, getattr(obj, attribute))} " for attribute in attributes)


def _sides(obj: SceneObject, alike: Sequence[SceneObject]) -> list[str]:
    """Places that only `obj` has among objects of its kind."""
    others = [other for other in alike if other is not obj]
    if not others:
        return [where(obj.cell), "on the left" if obj.cell.column < COLUMNS / 2 else "on the right"]
    ways = []
    if all(other.cell.column > obj.cell.column for other in others):
        ways += ["on the left", "on the left", "furthest left", "to the left"]
    if all(other.cell.column < obj.cell.column for other in others):
        ways += ["on the right", "on the right", "furthest right", "to the right"]
    if all(other.cell.row != obj.cell.row for other in others):
        ways.append(ROW_WORDS[obj.cell.row])
    return ways


def _relations(rng: Random, scene: Scene, obj: SceneObject) -> list[str]:
    """Positions that only `obj` has, relative to objects that are the only ones of their kind."""
    ways = [
        f"{side} the {say(rng, near.kind)}"
        for side, near in _in_line(scene, obj.cell)
        if len(scene.of(near.kind)) == 1
    ]
    for step, side in ((1, "left"), (-1, "right")):
        near = _alone_at(scene, Cell(obj.cell.row, obj.cell.column + step))
        if near and near.kind != obj.kind:
            ways.append(f"{rng.choice(('to the ', ''))}{side} of the {say(rng, near.kind)}")
            if [other for cell in beside(scene, near) if (other := scene.at(cell))] == [obj]:
                word = rng.choice(("next to", "next to", "beside", "right by", "by", "near"))
                ways.append(f"{word} the {say(rng, near.kind)}")
    return ways


# --- places ---

_IN_LINE = {
    SKY: ((BACK, "above"), (BACK, "over"), (BACK, "straight above")),
    BACK: ((FRONT, "behind"), (FRONT, "in back of"), (FRONT, "right behind")),
    FRONT: ((BACK, "in front of"), (BACK, "right in front of")),
}  # the row of what is named, and where that is seen from a cell of the same column
_OVER = tuple((FRONT, side) for _, side in _IN_LINE[SKY])  # as well, where nothing stands between


def _in_line(scene: Scene, cell: Cell) -> list[tuple[str, SceneObject]]:
    """What stands in the same column, each with how the cell lies to it."""
    between = scene.at(Cell(BACK, cell.column))
    sides = _IN_LINE[cell.row] + (_OVER if cell.row == SKY and between is None else ())
    found = [(side, near) for row, side in sides if (near := scene.at(Cell(row, cell.column)))]
    if cell.row == FRONT and between and between.kind == "tree":
        found.append(("under", between))
    return found


REGIONS = ("left", "right", "middle", "front", "back")


def home_rows(kind: str) -> tuple[int, ...]:
    """Rows where objects of this kind may be, the preferred one first."""
    return (SKY,) if is_sky_kind(kind) else (FRONT, BACK)


def region(name: str, rows: Sequence[int]) -> list[Cell]:
    """Cells of a region in the order in which they are taken: "" is anywhere, "sky" and "ground" too."""
    columns = {"left": (0, 1), "right": (3, 2), "middle": (1, 2)}.get(name)
    if columns and name != "middle":
        return [Cell(row, column) for column in columns for row in rows]
    kept = [row for row in rows if row == {"front": FRONT, "back": BACK}.get(name, row)]
    return [Cell(row, column) for row in kept for column in columns or range(COLUMNS)]


def beside(scene: Scene, obj: SceneObject) -> list[Cell]:
    """Cells next to an object in the order of preference: its right, then its left."""
    steps = [Cell(obj.cell.row, obj.cell.column + step) for step in (1, -1)]
    return [cell for cell in steps if 0 <= cell.column < COLUMNS]


def first_free(scene: Scene, cells: Sequence[Cell]) -> Cell | None:
    """The placing rule: the first of these cells where nothing stands."""
    return next((cell for cell in cells if scene.at(cell) is None), None)


def towards(obj: SceneObject, step: int) -> list[Cell]:
    """Cells to the left (-1) or right (+1) of an object in its row, the nearest first."""
    end = COLUMNS if step > 0 else -1
    return [Cell(obj.cell.row, column) for column in range(obj.cell.column + step, end, step)]


def region_words(rng: Random, name: str) -> str:
    """Words for a region."""
    words: str = rng.choice(table("words")["places"][name])
    return words


def place_words(rng: Random, scene: Scene, cell: Cell) -> str:
    """Words for exactly this cell: its place, a corner, or next to an object that makes it clear."""
    ways = [where(cell)]
    if cell.column in (0, COLUMNS - 1) and cell.row != SKY:
        side = "left" if cell.column == 0 else "right"
        depth = "front" if cell.row == FRONT else "back"
        ways += [f"in the {depth} {side} corner", f"{depth} {side}"]
    if cell.row == SKY:
        ways.append(f"in the sky {COLUMN_WORDS[cell.column]}")
    if cell in _CORNERS:
        ways += [f"in the {_CORNERS[cell]} corner", _CORNERS[cell]]
    for side, seen in _in_line(scene, cell):
        if len(scene.of(seen.kind)) == 1:
            ways += [f"{side} the {say(rng, seen.kind)}"] * 2
    neighbours = [_alone_at(scene, Cell(cell.row, cell.column + step)) for step in (-1, 1)]
    for near, side in zip(neighbours, ("right", "left"), strict=True):
        if near:
            name = say(rng, near.kind)
            ways += [f"to the {side} of the {name}"] * 3 + [
                f"{side} of the {name}",
                f"{rng.choice(('just', 'immediately', 'directly', 'right'))} {side} of the {name}",
                f"directly to the {side} of the {name}",
            ]
    if all(neighbours):
        names = [say(rng, near.kind) for near in neighbours if near]
        ways += [f"between the {one} and the {other}" for one, other in (names, names[::-1])] * 2
        ways.append(f"in the gap between the {names[0]} and the {names[1]}")
    return rng.choice(ways)


def _alone_at(scene: Scene, cell: Cell) -> SceneObject | None:
    """What stands in a cell and is the only one of its kind."""
    near = scene.at(cell) if 0 <= cell.column < COLUMNS else None
    return near if near and len(scene.of(near.kind)) == 1 else None
