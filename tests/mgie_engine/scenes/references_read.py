"""The other way round: which things of a scene do some words mean?"""

import re
from collections.abc import Sequence

from mgie_engine.scenes.phrasing import table
from mgie_engine.scenes.scene import Cell, Scene, Thing
from mgie_engine.scenes.wording import ROW_WORDS, where


def meant(scene: Scene, words: str) -> list[Thing]:
    """Every thing that the reference fits."""
    who, nearby, other = _nearby(words.removeprefix("the "))
    if other:
        things = [t for t in scene.things if _stands(scene, t, nearby, scene.of(other)[0])]
        return things if who in ("one", "thing") else [t for t in things if t.kind == _split(who)[0]]
    kind, before, after = _split(words.removeprefix("the "))
    alike = scene.of(kind)
    found = [thing for thing in alike if _has(thing, before)]
    return [thing for thing in found if not after or _is_there(thing, alike, after)]


def _nearby(words: str) -> tuple[str, str, str]:
    """Who stands how to which kind of thing, as in "one", "behind", "car"; the last may be empty."""
    found = re.fullmatch(
        r"(.+?) (next to|beside|right by|behind|in back of|in front of|above|over) the (.+)", words
    )
    return (found[1], found[2], _split(found[3])[0]) if found else (words, "", "")


def _stands(scene: Scene, thing: Thing, nearby: str, other: Thing) -> bool:
    rows, columns = other.cell.row - thing.cell.row, other.cell.column - thing.cell.column
    if nearby in ("next to", "beside", "right by"):
        return rows == 0 and abs(columns) == 1
    return columns == 0 and rows == (-1 if nearby == "in front of" else 1)


def _split(words: str) -> tuple[str, str, str]:
    names = [(said, kind) for kind, ways in table("words")["names"].items() for said in ways]
    for said, kind in sorted(names, key=lambda pair: -len(pair[0])):
        before, found, after = f" {words} ".partition(f" {said} ")
        if found and kind in KINDS:
            return kind, before.strip(), after.strip()
    raise AssertionError(words)


KINDS = frozenset(table("words")["usual"])
EVERYWHERE = frozenset(where(Cell(row, column)) for row in range(3) for column in range(4))


def _has(thing: Thing, adjectives: str) -> bool:
    """Whether all adjectives fit."""
    names = table("words")["names"]
    rest = f" {adjectives} "
    for value in (thing.size, thing.colour, thing.material):
        for said in sorted(names.get(value, [value]), key=len, reverse=True):
            rest = rest.replace(f" {said} ", "  ", 1)
    return not rest.strip()


def _is_there(thing: Thing, alike: Sequence[Thing], place: str) -> bool:
    if place in EVERYWHERE:
        return place == where(thing.cell)
    columns = [other.cell.column for other in alike]
    rows = [other.cell.row for other in alike]
    if place in ROW_WORDS.values():
        return place == ROW_WORDS[thing.cell.row] and rows.count(thing.cell.row) == 1
    if len(alike) == 1:
        return place == ("on the left" if thing.cell.column < 2 else "on the right")
    extreme = {"left": min(columns), "right": max(columns)}[place.split()[-1]]
    return thing.cell.column == extreme and columns.count(extreme) == 1
