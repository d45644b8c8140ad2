"""What people typed in their own words (typed, unheard and talks.toml), with what it must come to."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from mgie_engine.lab.scenes.expressive_text import AS_ASKED, KNOWN_HERE, NOTHING, Typed
from mgie_engine.lab.scenes.phrasing import table
from mgie_engine.lab.scenes.scene import Cell, Scene, Thing, in_place_of, new_thing
from mgie_engine.lab.scenes.scene_edits import (
    Edit,
    State,
    add_it,
    move_it,
    recolour_to,
    remove_it,
    replace_by,
    resize_to,
)
from mgie_engine.lab.scenes.surroundings import surround
from mgie_engine.lab.scenes.tonal import tone_edit

Named = Mapping[str, Thing]


class Wish(NamedTuple):
    """The picture something was typed to, what it must come to, and what was said before."""

    start: State
    edit: Edit
    history: tuple[tuple[str, str], ...] = ()  # (instruction, expressive)


def typed_start() -> State:
    """The picture all wishes were typed to; talks begin with one thing more."""
    told = dict(table("typed")["scene"])
    return State(Scene(tuple(map(_thing, told.pop("things"))), **told))


def typed_wishes(which: Typed = "typed") -> Iterator[Wish]:
    """Every wish, or every second wish of the talks."""
    if which == "talks":
        yield from _talks()
        return
    start = typed_start()
    assert start.scene
    named = {thing.kind: thing for thing in start.scene.things}
    for group in table(which)[which]:
        for said in group["said"]:
            yield Wish(start, _meant(start, named, group["want"], said))


def _talks() -> Iterator[Wish]:
    start = typed_start()
    assert start.scene
    more = {thing["name"]: _thing(thing) for thing in table("talks")["more"]}
    named = {thing.kind: thing for thing in start.scene.things} | more
    start = replace(start, scene=start.scene.plus(*more.values()))
    for talk in table("talks")["talks"]:
        first = _meant(start, named, talk["meant"], talk["first"])
        now = _named_after(named, talk["meant"], first)
        edit = _meant(first.goal, now, talk["want"], talk["said"])
        yield Wish(first.goal, edit, ((first.instruction, first.expressive),))


def _named_after(named: Named, want: Mapping[str, Any], first: Edit) -> Named:
    """What the things are after the first turn, and under "new" the one that it changed or brought in."""
    scene = first.goal.scene
    assert scene
    left = {name: scene.at(thing.cell) for name, thing in named.items() if name != want.get("it")}
    now = left | {want.get("it", "new"): first.thing, "new": first.thing}
    return {name: thing for name, thing in now.items() if thing}


def _thing(told: Mapping[str, Any]) -> Thing:
    return new_thing(told["kind"], told["colour"], Cell(*told["cell"]), size=told["size"])


def _meant(start: State, named: Named, want: Mapping[str, Any], said: str) -> Edit:
    """The edit that `want` describes."""
    edit: Edit | None
    match want["kind"]:
        case "around":
            edit = surround(start, said, {name: value for name, value in want.items() if name != "kind"})
        case "tonal":
            edit = tone_edit(start, ((want["tone"], want.get("degree", "plain")),), said)
        case "add":
            size = want.get("size", "medium")
            new = new_thing(want["new"], want["colour"], Cell(*want["to"]), size=size)
            edit = add_it(start, (new,), said)
        case "refuse":
            edit = Edit("refuse", said, f"{NOTHING} {KNOWN_HERE}", start)
        case "nothing":
            edit = Edit("nothing", said, AS_ASKED, start)
        case _:
            edit = _of_thing(start, named[want["it"]], want, said)
    assert edit, want
    return edit


def _of_thing(start: State, thing: Thing, want: Mapping[str, Any], said: str) -> Edit:
    match want["kind"]:
        case "recolour":
            return recolour_to(start, thing, want["colour"], said)
        case "remove":
            return remove_it(start, thing, said)
        case "resize":
            return resize_to(start, thing, want["size"], said)
        case "move":
            return move_it(start, thing, Cell(*want["to"]), said)
    return replace_by(start, thing, in_place_of(thing, want["new"], want["colour"]), said)
