"""Two or three edits in one instruction of short clauses: "ball blue, tree gone", "no tree and a bigger sun".

The makers draw what happens to which things; `paired_words` draws the clauses and how they are joined.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from mgie_engine.lab.scenes.addressed_tones import POSITIONS, local_edit
from mgie_engine.lab.scenes.compound_edits import opening
from mgie_engine.lab.scenes.drawing import fits
from mgie_engine.lab.scenes.edit_generators import other_colour
from mgie_engine.lab.scenes.expressive_text import describe, stays, where
from mgie_engine.lab.scenes.paired_words import ClausePart, said_of_one, said_of_parts
from mgie_engine.lab.scenes.phrasing import dress, table
from mgie_engine.lab.scenes.references import REGIONS, first_free, home_rows, region, towards
from mgie_engine.lab.scenes.rng import RngStreams, weighted
from mgie_engine.lab.scenes.scene import (  # fmt: skip
    BACK,
    COLOURS,
    FRONT,
    GROUND_KINDS,
    GROUNDS,
    NATURAL_COLOUR,
    SKY_COLOURS,
    SKY_KINDS,
    TIMES,
    WEATHERS,
    Cell,
    Scene,
    SceneObject,
    in_place_of,
    is_sky_kind,
    new_object,
)
from mgie_engine.lab.scenes.scene_edits import (
    Edit,
    State,
    add_it,
    move_it,
    recolour_to,
    remove_it,
    replace_by,
    resize_it,
    to,
)
from mgie_engine.lab.scenes.surroundings import surround
from mgie_engine.lab.scenes.tonal import tone_edit

_WAYS = (("mixed", 10), ("both", 2.5), ("both and one", 2), ("three", 1.5), ("one thing", 2), ("half", 1))
_PAIRS = (
    (("tint", "gone"), 8), (("tint", "size"), 4), (("gone", "size"), 4), (("extra", "gone"), 3),
    (("extra", "tint"), 2), (("extra", "size"), 1), (("shift", "tint"), 1), (("shift", "gone"), 1.5),
    (("around", "tint"), 2), (("around", "gone"), 2), (("around", "size"), 1), (("around", "extra"), 1),
    (("tone", "gone"), 2), (("tone", "tint"), 1), (("tone", "size"), 0.5), (("tone", "extra"), 0.5),
    (("swap", "gone"), 2), (("swap", "tint"), 1.5), (("swap", "size"), 1), (("place", "gone"), 1.5),
    (("place", "tint"), 0.7), (("place", "size"), 0.5),
)  # fmt: skip
_THREE = (
    ("tint", "gone", "size"), ("tint", "gone", "gone"), ("tint", "tint", "gone"), ("gone", "gone", "size"),
    ("tint", "gone", "around"), ("gone", "size", "extra"), ("tint", "size", "tone"),
)  # fmt: skip
_ALONE = ("around", "extra", "tone", "place")  # what needs no thing of the picture
_TONES = ("brighter", "darker", "warm", "cool", "vivid", "muted", "contrast", "sharpen", "blur")
_AROUND = {
    "sky": SKY_COLOURS,
    "ground": GROUNDS,
    "time": TIMES,
    "weather": [name for name in WEATHERS if name != "clear"],
}


def paired(streams: RngStreams, state: State) -> Edit | None:
    """Edits of several things, each in a clause of its own, or of one thing that also moves."""
    content = streams.content
    way = weighted(content, _WAYS)
    things = content.sample(known := _easily_called(state.drawn), len(known))
    if way == "one thing":
        return _recast(streams, state, things)
    if way == "half":
        return _half(streams, state, things)
    if way == "mixed":
        acts = list(weighted(content, _PAIRS))
    elif way == "three":
        acts = list(content.choice(_THREE))
    else:
        acts = [content.choice(("gone2", "gone2", "gone2", "tint2", "size2"))]
        acts += [content.choice(_unlike(acts[0]))] if way == "both and one" else []
    parts = _parts(content, state, acts, things)
    content.shuffle(parts)
    goal = _merged(state, [edit for part in parts for edit in part.edits])
    if len(parts) < len(acts) or goal is None:
        return None
    edits = [edit for part in parts for edit in part.edits]
    touched = [edit.was for edit in edits if edit.was]
    text = f"{' '.join(map(opening, edits))} {stays(state.drawn, *touched)}"
    return Edit("compound", dress(streams.wording, said_of_parts(streams, state.drawn, parts)), text, goal)


def _half(streams: RngStreams, state: State, things: list[SceneObject]) -> Edit | None:
    """Two edits, one of them of a thing that is not there, which is said after the one that can be done."""
    content = streams.content
    acts = content.choices(("tint", "gone", "size"), k=2)
    kind = _absent_kind(content, state, (*GROUND_KINDS, *SKY_KINDS))
    absent = new_object(kind, content.choice(tuple(COLOURS)), Cell(FRONT, 0))
    parts = _parts(content, state, acts[:1], things)
    cannot = _of_things(content, state, acts[1], [absent])
    if not parts or cannot is None:
        return None
    can = parts[0].edits[0]
    content.shuffle(parts := [*parts, cannot])
    text = f"{opening(can)} I see no {kind} here."
    return Edit(
        "compound", dress(streams.wording, said_of_parts(streams, state.drawn, parts)), text, can.goal
    )


def _unlike(act: str) -> Sequence[str]:
    """What may stand beside an act on two things."""
    return [
        other for other in ("tint", "tint", "gone", "size", "around", "tone") if not act.startswith(other)
    ]


def _easily_called(scene: Scene) -> list[SceneObject]:
    """Things whose kind, or whose kind and colour, no other thing has."""
    looks = [(obj.kind, obj.colour) for obj in scene.objects]
    return [obj for obj in scene.objects if looks.count((obj.kind, obj.colour)) == 1]


def _parts(content: Random, state: State, acts: Sequence[str], things: list[SceneObject]) -> list[ClausePart]:
    """A part for each act on the next of `things`; fewer where one does not fit."""
    parts = list[ClausePart]()
    for act in acts:
        count = 0 if act in _ALONE else 2 if act.endswith("2") else 1
        of, things = things[:count], things[count:]
        if len(of) < count or len({obj.kind for obj in of}) < count:
            return []
        part = _alone(content, state, act, "gone" in acts) if not of else _of_things(content, state, act, of)
        parts += [part] if part else []
    return parts


def _of_things(content: Random, state: State, act: str, of: Sequence[SceneObject]) -> ClausePart | None:
    match act.removesuffix("2"):
        case "tint":
            alike = [obj.colour for obj in state.drawn.objects if obj.kind in {thing.kind for thing in of}]
            colour = other_colour(content, *alike, *(obj.colour for obj in of))
            return ClausePart(act, [recolour_to(state, obj, colour, "") for obj in of], colour)
        case "gone":
            return ClausePart(act, [remove_it(state, obj, "") for obj in of])
        case "size":
            step = {"small": 1, "large": -1}.get(of[0].size, content.choice((-1, 1)))
            edits = [resize_it(state, obj, step, "") for obj in of]
            if any(edit.kind == "refuse" for edit in edits):
                return None
            return ClausePart(act, edits, "bigger" if step > 0 else "smaller")
        case "swap":
            return _swap(content, state, of[0])
    way, edit = _shift(content, state, of[0])
    return ClausePart(act, [edit], way) if edit else None


def _swap(content: Random, state: State, obj: SceneObject) -> ClausePart | None:
    """A thing becomes one of a kind that is not there, which has its usual colour or one that is said."""
    kind = _absent_kind(content, state, SKY_KINDS if is_sky_kind(obj.kind) else GROUND_KINDS)
    coloured = content.random() < (0.1 if kind in NATURAL_COLOUR else 0.5)
    usual: str = table("words")["usual"][kind]
    colour = other_colour(content) if coloured else usual
    edit = replace_by(state, obj, in_place_of(obj, kind, colour), "")
    return ClausePart("swap", [edit], colour if coloured else "")


def _shift(content: Random, state: State, obj: SceneObject) -> tuple[str, Edit | None]:
    """One step to a side, or one row to the front or back; where to, and None if that is not free."""
    way = content.choice(("left", "right", "depth") if not is_sky_kind(obj.kind) else ("left", "right"))
    if way == "depth":
        way, row = ("front", FRONT) if obj.cell.row == BACK else ("back", BACK)
        cell = first_free(state.drawn, [Cell(row, obj.cell.column)])
    else:
        cell = first_free(state.drawn, towards(obj, -1 if way == "left" else 1))
    return way, move_it(state, obj, cell, "") if cell else None


def _alone(content: Random, state: State, act: str, place_needed: bool) -> ClausePart | None:
    """A new thing, other surroundings, or a tone of the whole picture."""
    if act == "extra":
        return _extra(content, state, place_needed)
    if act == "place":
        tone = content.choice(_TONES)
        side = content.choice(POSITIONS)
        edit = local_edit(state, [(tone, side, "plain")], "")
        return ClausePart(act, [edit], f"{tone} {side}") if edit else None
    if act == "tone":
        tone = content.choice(_TONES)
        edit = tone_edit(state, [(tone, "plain")], "")
        return ClausePart(act, [edit], tone) if edit else None
    aspect = content.choice(tuple(_AROUND))
    new = content.choice([name for name in _AROUND[aspect] if name != getattr(state.drawn, aspect)])
    return ClausePart(aspect, [surround(state, "", {aspect: new})], new)


def _extra(content: Random, state: State, place_needed: bool) -> ClausePart | None:
    """A thing of a kind that is not there; its place is said beside a removal, else it were a replacement."""
    kind = _absent_kind(content, state, (*GROUND_KINDS, *SKY_KINDS))
    named = content.choice(("left", "right", "middle", *(() if is_sky_kind(kind) else REGIONS[3:])))
    place = named if place_needed or content.random() < 0.5 else ""
    coloured = content.random() < (0.1 if kind in NATURAL_COLOUR else 0.6)
    usual: str = table("words")["usual"][kind]
    colour = other_colour(content) if coloured else usual
    cell = first_free(state.drawn, region(place, home_rows(kind)))
    edit = add_it(state, (new_object(kind, colour, cell),), "") if cell else None
    return ClausePart("extra", [edit], f"{colour if coloured else ''} {place}") if edit else None


def _absent_kind(content: Random, state: State, kinds: Sequence[str]) -> str:
    """A kind of which nothing is there."""
    there = {obj.kind for obj in state.drawn.objects}
    return content.choice([kind for kind in kinds if kind not in there])


def _merged(state: State, edits: Sequence[Edit]) -> State | None:
    """The state after all edits; None where two touch the same place."""
    scene, tones = state.drawn, state.tones
    cells = [{obj.cell for obj in (edit.was, edit.obj) if obj} for edit in edits]
    if sum(map(len, cells)) > len(set().union(*cells)):
        return None
    for edit in edits:
        tones += edit.goal.tones[len(state.tones) :]
        if edit.was:
            scene = scene.swapped(edit.was, edit.obj) if edit.obj else scene.without(edit.was)
        elif edit.obj:
            scene = scene.plus(edit.obj)
        else:
            changed = {name: getattr(edit.goal.drawn, name) for name in _AROUND}
            changed = {name: new for name, new in changed.items() if new != getattr(state.drawn, name)}
            scene = replace(scene, **changed)
    return replace(to(state, scene), tones=tones) if fits(scene) else None


def _recast(streams: RngStreams, state: State, things: Sequence[SceneObject]) -> Edit | None:
    """One thing in another colour or size that also moves; what is said last is the move."""
    content = streams.content
    act = content.choice(("tint", "tint", "size"))
    for obj in things[:3]:
        first = _of_things(content, state, act, [obj])
        way, moved = _shift(content, state, obj)
        if not first or not moved or not moved.obj or not first.edits[0].obj:
            continue
        new = first.edits[0].obj.moved_to(moved.obj.cell)
        goal = state.drawn.swapped(obj, new)
        if fits(goal):
            moves = f"The {describe(new)} moves from {where(obj.cell)} to {where(new.cell)}."
            text = f"{opening(first.edits[0])} {moves} {stays(state.drawn, obj)}"
            said = said_of_one(streams, state.drawn, first, way)
            return Edit("compound", dress(streams.wording, said), text, to(state, goal))
    return None
