"""Edits whose instruction has two clauses."""

from collections.abc import Sequence
from dataclasses import replace

from mgie_engine.lab.scenes.drawing import fits
from mgie_engine.lab.scenes.edit_generators import (
    add,
    move,
    recolour,
    recolour_part,
    remove,
    replace_thing,
    resize,
)
from mgie_engine.lab.scenes.expressive_text import stays
from mgie_engine.lab.scenes.phrasing import dress, without_end_mark
from mgie_engine.lab.scenes.refusals import absent
from mgie_engine.lab.scenes.rng import RngStreams, weighted
from mgie_engine.lab.scenes.scene import Scene, SceneObject
from mgie_engine.lab.scenes.scene_edits import (
    Edit,
    EditGenerator,
    State,
    recolour_to,
    remove_it,
    resize_it,
    to,
)
from mgie_engine.lab.scenes.surroundings import background

_PARTS: Sequence[tuple[EditGenerator, float]] = (
    (recolour, 10), (remove, 8), (resize, 4), (replace_thing, 2), (add, 3), (move, 3),
    (recolour_part, 2), (background, 3),
)  # fmt: skip
_AROUND = ("ground", "sky", "time", "weather")


def compound(streams: RngStreams, state: State) -> Edit | None:
    """Two edits in one instruction; now and then one of them is of a thing that is not there."""
    bare = streams.bare()
    first = _part(bare, state)
    if first is None:
        return None
    if streams.content.random() < 0.1:
        return _half(streams, state, first)
    second = _part(bare, state)
    scene = _merged(state, first, second) if second else None
    if scene is None or second is None:
        return None
    touched = [edit.was for edit in (first, second) if edit.was]
    text = f"{opening(first)} {opening(second)} {stays(state.drawn, *touched)}"
    words = joined(streams, first.instruction, second.instruction)
    return Edit("compound", dress(streams.wording, words), text, to(state, scene))


def _part(bare: RngStreams, state: State) -> Edit | None:
    edit = weighted(bare.content, _PARTS)(bare, state)
    if edit is None or edit.kind in ("refuse", "nothing"):
        return None
    if not edit.expressive.partition(". ")[2].endswith(" stays.") or edit.expressive.count(". ") > 1:
        return None  # not one sentence and what stays
    return edit


def _half(streams: RngStreams, state: State, can: Edit) -> Edit | None:
    """One of the two cannot be done, which is said after the one that can."""
    cannot = absent(streams.bare(), state)
    said = (can.instruction, cannot.instruction)
    one, two = said if streams.wording.random() < 0.6 else said[::-1]
    text = f"{opening(can)} {cannot.expressive.partition('. ')[2]}"
    return Edit("compound", dress(streams.wording, joined(streams, one, two)), text, can.goal)


def opening(edit: Edit) -> str:
    """What an edit says first, without what stays."""
    return f"{edit.expressive.partition('. ')[0].rstrip('.')}."


def joined(streams: RngStreams, one: str, other: str) -> str:
    """Two instructions in one."""
    way = streams.template("joints", "compound")
    return way.replace("{one}", without_end_mark(one)).replace("{two}", without_end_mark(other))


def _merged(state: State, first: Edit, second: Edit) -> Scene | None:
    """The scene after both edits; None where they touch the same thing or place."""
    start, one, two = state.drawn, first.goal.drawn, second.goal.drawn
    gone = [[obj for obj in start.objects if obj not in scene.objects] for scene in (one, two)]
    new = [[obj for obj in scene.objects if obj not in start.objects] for scene in (one, two)]
    around = [
        {name for name in _AROUND if getattr(scene, name) != getattr(start, name)} for scene in (one, two)
    ]
    if not ((gone[0] or new[0] or around[0]) and (gone[1] or new[1] or around[1])):
        return None
    cells = [{obj.cell for obj in (*gone[n], *new[n])} for n in (0, 1)]
    if cells[0] & cells[1] or around[0] & around[1]:
        return None
    changes = (
        dict(zip((obj.cell for obj in gone[1]), new[1], strict=False)) if len(gone[1]) == len(new[1]) else {}
    )
    objects = [changes.get(obj.cell, obj) for obj in one.objects if obj not in gone[1] or obj.cell in changes]
    objects += [obj for obj in new[1] if obj not in objects]
    merged = replace(one, objects=tuple(objects), **{name: getattr(two, name) for name in around[1]})
    return merged if fits(merged) else None


def act_on(state: State, obj: SceneObject, act: str, colour: str) -> Edit | None:
    """A recolouring, removal, growth or shrinking of one thing; None if it cannot."""
    match act:
        case "recolour":
            return recolour_to(state, obj, colour, "")
        case "remove":
            return remove_it(state, obj, "")
    edit = resize_it(state, obj, 1 if act == "grow" else -1, "")
    return None if edit.kind == "refuse" else edit
