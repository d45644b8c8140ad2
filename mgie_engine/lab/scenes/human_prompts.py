"""Instructions that people wrote in their own words, each with the edit that it must resolve to.

They are in human_prompts_seen, _unseen and _followups.toml.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from mgie_engine.edits import Exchange
from mgie_engine.lab.scenes.expressive_text import AS_ASKED, KNOWN_HERE, NOTHING, PromptSet
from mgie_engine.lab.scenes.phrasing import table
from mgie_engine.lab.scenes.scene import Cell, Scene, SceneObject, in_place_of, new_object
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

Named = Mapping[str, SceneObject]


class HumanPrompt(NamedTuple):
    """A prompt: the picture it was written for, the edit it must resolve to, and the earlier turns."""

    start: State
    edit: Edit
    history: tuple[Exchange, ...] = ()


def prompt_start() -> State:
    """The scene all prompts were written for; the follow-ups have one object more."""
    data = dict(table("human_prompts_seen")["scene"])
    return State(Scene(tuple(map(_object, data.pop("objects"))), **data))


def human_prompts(which: PromptSet = "seen") -> Iterator[HumanPrompt]:
    """Every prompt of a set; of the follow-ups, the second turn of each conversation."""
    if which == "followups":
        yield from _followups()
        return
    start = prompt_start()
    named = {obj.kind: obj for obj in start.drawn.objects}
    for group in table(f"human_prompts_{which}")["prompts"]:
        for said in group["said"]:
            yield HumanPrompt(start, _meant(start, named, group["want"], said))


def _followups() -> Iterator[HumanPrompt]:
    start, data = prompt_start(), table("human_prompts_followups")
    more = {obj["name"]: _object(obj) for obj in data["more"]}
    named = {obj.kind: obj for obj in start.drawn.objects} | more
    start = replace(start, scene=start.drawn.plus(*more.values()))
    for talk in data["prompts"]:
        first = _meant(start, named, talk["meant"], talk["first"])
        now = _named_after(named, talk["meant"], first)
        edit = _meant(first.goal, now, talk["want"], talk["said"])
        yield HumanPrompt(first.goal, edit, (Exchange(first.instruction, first.expressive),))


def _named_after(named: Named, want: Mapping[str, Any], first: Edit) -> Named:
    """The objects after the first turn; "new" is the one that the turn changed or added."""
    scene = first.goal.scene
    assert scene
    left = {name: scene.at(obj.cell) for name, obj in named.items() if name != want.get("it")}
    now = left | {want.get("it", "new"): first.obj, "new": first.obj}
    return {name: obj for name, obj in now.items() if obj}


def _object(data: Mapping[str, Any]) -> SceneObject:
    return new_object(data["kind"], data["colour"], Cell(*data["cell"]), size=data["size"])


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
            new = new_object(want["new"], want["colour"], Cell(*want["to"]), size=size)
            edit = add_it(start, (new,), said)
        case "refuse":
            edit = Edit("refuse", said, f"{NOTHING} {KNOWN_HERE}", start)
        case "nothing":
            edit = Edit("nothing", said, AS_ASKED, start)
        case _:
            edit = _of_object(start, named[want["it"]], want, said)
    assert edit, want
    return edit


def _of_object(start: State, obj: SceneObject, want: Mapping[str, Any], said: str) -> Edit:
    match want["kind"]:
        case "recolour":
            return recolour_to(start, obj, want["colour"], said)
        case "remove":
            return remove_it(start, obj, said)
        case "resize":
            return resize_to(start, obj, want["size"], said)
        case "move":
            return move_it(start, obj, Cell(*want["to"]), said)
    return replace_by(start, obj, in_place_of(obj, want["new"], want["colour"]), said)
