"""Instructions that people wrote in their own words, each with the edit that it must resolve to.

They are in human_prompts_seen, _unseen, _followups, _fresh and _blind.toml; the last two have topics and
talks.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import count
from types import MappingProxyType
from typing import Any, NamedTuple

from mgie_engine.edits import Exchange
from mgie_engine.lab.scenes.addressed_tones import local_edit
from mgie_engine.lab.scenes.expressive_text import (
    ALL_STAYS,
    AS_ASKED,
    KNOWN_HERE,
    KNOWN_PHOTO,
    NOTHING,
    PromptSet,
)
from mgie_engine.lab.scenes.photo_generator import photo
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
from mgie_engine.restore.region_masks import WHOLE

MAX_HISTORY = 2
WITH_TOPICS = ("fresh", "blind")  # sets by topic; whatever equals one is left out of the training texts
TALKS: Mapping[str, str] = MappingProxyType(
    {"talks": "fresh", "blind-talks": "blind"}
)  # a set of talks → the set by topic whose file it is in
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
    """Every prompt of a set; of the follow-ups, the second turn of each conversation; of talks, all."""
    if which == "followups":
        yield from _followups()
    elif which in WITH_TOPICS:
        for _, prompt in topic_prompts(which):
            yield prompt
    elif which in TALKS:
        for _, prompt in talk_turns(which):
            yield prompt
    else:
        yield from _single(which)


def _single(which: PromptSet) -> Iterator[HumanPrompt]:
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


def topic_prompts(which: str) -> Iterator[tuple[str, HumanPrompt]]:
    """Every single instruction of a set of `WITH_TOPICS` with its topic."""
    for group in table(f"human_prompts_{which}")["prompts"]:
        start, named = _start_of(which, group["on"])
        for said in group["said"]:
            yield group["topic"], HumanPrompt(start, _all_meant(start, named, group["want"], said))


@cache
def held_out_words() -> frozenset[str]:
    """The words of every single instruction of the sets `WITH_TOPICS`, which no training text may equal."""
    groups = [group for which in WITH_TOPICS for group in table(f"human_prompts_{which}")["prompts"]]
    return frozenset(plain_words(said) for group in groups for said in group["said"])


def plain_words(said: str) -> str:
    """An instruction without capitals and punctuation; of one without letters, all of it."""
    return " ".join(re.findall(r"[a-z0-9&%]+", said.lower())) or said


def talk_turns(which: str) -> Iterator[tuple[int, HumanPrompt]]:
    """Every turn of the talks of a set of `TALKS` with its number, after the right earlier ones."""
    for talk in table(f"human_prompts_{TALKS[which]}")["talks"]:
        (state, named), history = _start_of(TALKS[which], talk["on"]), list[Exchange]()
        for number, turn in enumerate(talk["turns"], 1):
            edit = _all_meant(state, named, turn["want"], turn["said"])
            yield number, HumanPrompt(state, edit, tuple(history[-MAX_HISTORY:]))
            history.append(Exchange(edit.instruction, edit.expressive))
            state = edit.goal
            if state.scene:
                cells = {name: obj.cell for name, obj in named.items()}
                named = {name: obj for name, cell in cells.items() if (obj := state.scene.at(cell))}


def _start_of(which: str, on: str) -> tuple[State, Named]:
    if on == "photo":
        return State(None, photo=_layered_photo()), {}
    if on == "scene":
        start = prompt_start()
        return start, {obj.kind: obj for obj in start.drawn.objects}
    data = dict(table(f"human_prompts_{which}")["crowd"])
    named = {obj["name"]: _object(obj) for obj in data.pop("objects")}
    return State(Scene(tuple(named.values()), **data)), named


@cache
def _layered_photo() -> int:
    """A procedural photo on which there is all that the instructions name."""
    wanted = {"sky", "ground", "foliage", "subject"}
    return next(seed for seed in count(1_000_000) if wanted <= {*photo(seed).layers})


def _all_meant(start: State, named: Named, wants: Sequence[Any], said: str) -> Edit:
    """The edit of one or several wants, on what each leaves of the picture."""
    if not isinstance(wants[0], dict):
        tones = [(name, region, degree) for region, name, degree in wants]
        is_whole = all(region == WHOLE for _, region, _ in tones)
        edit = (
            tone_edit(start, [(n, d) for n, _, d in tones], said)
            if is_whole
            else local_edit(start, tones, said)
        )
        assert edit, wants
        return edit
    if len(wants) == 1 and wants[0]["kind"] == "refuse" and start.scene is None:
        return Edit("refuse", said, f"{NOTHING} {KNOWN_PHOTO}", start)
    edits = list[Edit]()
    for want in wants:
        edits.append(_meant(edits[-1].goal if edits else start, named, want, said))
    if len(edits) == 1:
        return edits[0]
    text = " ".join(f"{edit.expressive.partition('. ')[0]}." for edit in edits)
    return Edit("compound", said, f"{text} {ALL_STAYS}", edits[-1].goal)


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
