"""The other way round: which things of a scene do some words mean?"""

import re
from collections.abc import Sequence

from mgie_engine.lab.scenes.expressive_text import ROW_WORDS, where
from mgie_engine.lab.scenes.phrasing import plural, table
from mgie_engine.lab.scenes.scene import SIZES, Cell, Scene, SceneObject, is_sky_kind


def meant(scene: Scene, words: str) -> list[SceneObject]:
    """Every thing that the reference fits."""
    if (named_by_look := _looks_so(scene, words.removeprefix("the "))) is not None:
        return named_by_look
    if of_two := re.fullmatch(r"the (.+) of the two (.+)", words):
        (alike,) = (scene.of(kind) for kind in KINDS if of_two[2] in map(plural, NAMES[kind]))
        return _either(alike, of_two[1])
    who, nearby, other = _nearby(words.removeprefix("the "))
    if other:
        objects = [t for t in scene.objects if _stands(scene, t, nearby, scene.of(other)[0])]
        return objects if who in ("one", "thing") else [t for t in objects if t.kind == _split(who)[0]]
    kind, before, after = _split(words.removeprefix("the "))
    alike = scene.of(kind)
    if len(alike) == 2 and not after and (either := _either(alike, before)):
        return either
    found = [obj for obj in alike if _has(obj, before)]
    return [obj for obj in found if not after or _is_there(obj, alike, after)]


def _either(alike: Sequence[SceneObject], word: str) -> list[SceneObject]:
    """Which of two is on one side, or bigger or smaller than the other; none where the word says neither."""
    if word in SIDES:
        return [max(alike, key=lambda obj: SIDES[word] * _column(obj))]
    return [max(alike, key=lambda obj: COMPARED[word] * _size(obj))] if word in COMPARED else []


def _looks_so(scene: Scene, words: str) -> list[SceneObject] | None:
    """What is told without its name; None for words that name it or what stands near."""
    if kinds := table("words")["looks"].get(words):
        return [obj for obj in scene.objects if obj.kind in kinds]
    if found := re.fullmatch(r"(.*?) ?thing (in the sky|up there)", words):
        return [obj for obj in scene.objects if is_sky_kind(obj.kind) and _has(obj, found[1])]
    if found := re.fullmatch(r"(?:thing|one) in the (.+) corner", words):
        return [obj for obj in scene.objects if CORNERS.get(found[1]) == obj.cell]
    objects = [obj for obj in scene.objects if not is_sky_kind(obj.kind)]
    if words in EXTREMES:
        of, best = EXTREMES[words]
        return [obj for obj in objects if of(obj) == best(map(of, objects))]
    found = re.fullmatch(r"(.+) (one|thing)", words)
    return [obj for obj in objects if _has(obj, found[1])] if found else None


def _size(obj: SceneObject) -> float:
    return SIZES[obj.size]


def _column(obj: SceneObject) -> int:
    return obj.cell.column


CORNERS = {
    f"{depth} {side}": Cell(row, column)
    for depth, row in (("top", 0), ("bottom", 2))
    for side, column in (("left", 0), ("right", 3))
}
SIDES = {"left": -1, "left-hand": -1, "right": 1, "right-hand": 1}
COMPARED = {"bigger": 1, "larger": 1, "big": 1, "smaller": -1, "little": -1, "small": -1}
EXTREMES = {
    **dict.fromkeys(("biggest one", "largest thing", "biggest thing"), (_size, max)),
    **dict.fromkeys(("smallest one", "smallest thing", "tiniest thing"), (_size, min)),
    **dict.fromkeys(("leftmost thing", "thing on the far left", "one furthest left"), (_column, min)),
    **dict.fromkeys(("rightmost thing", "thing on the far right", "one furthest right"), (_column, max)),
}


def _nearby(words: str) -> tuple[str, str, str]:
    """Who stands how to which kind of thing, as in "one", "behind", "car"; the last may be empty."""
    found = re.fullmatch(
        r"(.+?) (next to|beside|right by|by|near|(?:to the )?(?:left|right) of|(?:right )?behind|in back of|"
        r"(?:right )?in front of|under|above|straight above|over) the (?!middle)(.+)",
        words,
    )
    return (found[1], found[2], _split(found[3])[0]) if found else (words, "", "")


def _stands(scene: Scene, obj: SceneObject, nearby: str, other: SceneObject) -> bool:
    rows, columns = other.cell.row - obj.cell.row, other.cell.column - obj.cell.column
    if nearby in ("next to", "beside", "right by", "by", "near"):
        return rows == 0 and abs(columns) == 1
    if nearby.endswith(" of") and nearby.split()[-2] in ("left", "right"):
        return rows == 0 and columns == (1 if "left" in nearby else -1)
    if nearby == "under" or nearby.endswith("in front of"):
        return columns == 0 and rows == -1
    between = scene.at(Cell(1, obj.cell.column))
    return columns == 0 and (rows == 1 or (rows == 2 and between is None))


def _split(words: str) -> tuple[str, str, str]:
    names = [(said, kind) for kind, ways in table("words")["names"].items() for said in ways]
    for said, kind in sorted(names, key=lambda pair: -len(pair[0])):
        before, found, after = f" {words} ".partition(f" {said} ")
        if found and kind in KINDS:
            return kind, before.strip(), after.strip()
    raise AssertionError(words)


KINDS = frozenset(table("words")["usual"])
NAMES = table("words")["names"]
EVERYWHERE = frozenset(where(Cell(row, column)) for row in range(3) for column in range(4))


def _has(obj: SceneObject, adjectives: str) -> bool:
    """Whether all adjectives fit."""
    names = table("words")["names"]
    rest = f" {adjectives} "
    for value in (obj.size, obj.colour, obj.material):
        for said in sorted(names.get(value, [value]), key=len, reverse=True):
            rest = rest.replace(f" {said} ", "  ", 1)
    return not rest.strip()


def _is_there(obj: SceneObject, alike: Sequence[SceneObject], place: str) -> bool:
    if place in EVERYWHERE:
        return place == where(obj.cell)
    columns = [other.cell.column for other in alike]
    rows = [other.cell.row for other in alike]
    if place in ROW_WORDS.values():
        return place == ROW_WORDS[obj.cell.row] and rows.count(obj.cell.row) == 1
    if len(alike) == 1:
        return place == ("on the left" if obj.cell.column < 2 else "on the right")
    extreme = {"left": min(columns), "right": max(columns)}[place.split()[-1]]
    return obj.cell.column == extreme and columns.count(extreme) == 1
