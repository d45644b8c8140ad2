"""Wishes in people's own words, from typed.toml, as edits of the scene they were typed to."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mgie_engine.scenes.edits import (
    Edit,
    State,
    add_it,
    move_it,
    recolour_to,
    remove_it,
    replace_by,
    resize_to,
)
from mgie_engine.scenes.phrasing import table
from mgie_engine.scenes.scene import Cell, Scene, Thing, new_thing
from mgie_engine.scenes.surroundings import surround
from mgie_engine.scenes.tonal import tone_edit
from mgie_engine.scenes.wording import AS_ASKED, KNOWN_HERE, NOTHING, Typed


def typed_start() -> State:
    """The picture all wishes were typed to."""
    told = dict(table("typed")["scene"])
    things = tuple(
        new_thing(thing["kind"], thing["colour"], Cell(*thing["cell"]), size=thing["size"])
        for thing in told.pop("things")
    )
    return State(Scene(things, **told))


def typed_edits(which: Typed = "typed") -> Iterator[Edit]:
    """Every wish with what it must come to."""
    start = typed_start()
    for group in table("typed")[which]:
        for said in group["said"]:
            yield _meant(start, group["want"], said)


def _meant(start: State, want: Mapping[str, Any], said: str) -> Edit:
    """The edit that `want` describes."""
    assert start.scene
    thing = next((thing for thing in start.scene.things if thing.kind == want.get("it")), None)
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
            assert thing, want
            edit = _of_thing(start, thing, want, said)
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
    assert start.scene
    new = replace(new_thing(want["new"], want["colour"], thing.cell, size=thing.size), jitter=thing.jitter)
    return replace_by(start, thing, new, said)
