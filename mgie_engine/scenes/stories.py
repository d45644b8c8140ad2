"""Stories: pictures and the edits that lead from one to the next, with the talk that each edit can refer to.

`story(seed, split)` is the whole generator: the same seed and split give the same story for ever. A story is
either a fan (independent edits of one picture) or a chain (follow-ups, with "it", "too", "more").
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from mgie_engine.scenes.edits import (
    SCENE_EDITS,
    Edit,
    Maker,
    State,
    move_it,
    recolour_to,
    remove_it,
    resize_it,
)  # fmt: skip
from mgie_engine.scenes.scene import COLUMNS, FIXED_COLOUR, Cell, random_scene
from mgie_engine.scenes.tonal import OPPOSITE, content_on_photo, nothing, refuse, tonal, tone_edit
from mgie_engine.scenes.wording import Split, dress, say

CHAIN_SHARE, PHOTO_SHARE = 0.3, 0.22
MAX_HISTORY = 2  # earlier turns that reach the prompt


@dataclass(frozen=True, slots=True)
class Step:
    """One edit of a story: from picture `before` to picture `after` (indices), after the talk `history`."""

    before: int
    after: int
    edit: Edit
    history: tuple[tuple[str, str], ...] = ()  # (instruction, expressive), oldest first


@dataclass(frozen=True, slots=True)
class Story:
    states: tuple[State, ...]
    steps: tuple[Step, ...]


def story(seed: int, split: Split) -> Story:
    """The story number `seed` of a split."""
    rng = Random(f"{split}-{seed}")
    if rng.random() < PHOTO_SHARE:
        start = State(None, photo=rng.getrandbits(30))
        makers: Sequence[tuple[Maker, float]] = (
            (tonal, 16),
            (content_on_photo, 2),
            (refuse, 2),
            (nothing, 0.6),
        )
    else:
        start = State(random_scene(rng))
        if rng.random() < 0.1:
            start = _toned(rng, start, split)
        makers = (*SCENE_EDITS, (tonal, 12), (refuse, 5), (nothing, 1.5))
    if rng.random() < CHAIN_SHARE:
        return _chain(rng, start, makers, split)
    return _fan(rng, start, makers, split)


def first_edit(rng: Random, state: State, makers: Sequence[tuple[Maker, float]], split: Split) -> Edit:
    """One edit of `state` that needs no history; makers that do not fit the picture are drawn again."""
    kinds, weights = zip(*makers, strict=True)
    while True:
        edit = rng.choices(kinds, weights)[0](rng, state, split)
        if edit is not None:
            return edit


def _toned(rng: Random, state: State, split: Split) -> State:
    edit = tonal(rng, state, split)
    return edit.goal if edit else state


def _fan(rng: Random, start: State, makers: Sequence[tuple[Maker, float]], split: Split) -> Story:
    states, steps = [start], []
    for _ in range(3):
        edit = first_edit(rng, start, makers, split)
        if edit.goal not in states:
            states.append(edit.goal)
        steps.append(Step(0, states.index(edit.goal), edit))
    return Story(tuple(states), tuple(steps))


def _chain(rng: Random, start: State, makers: Sequence[tuple[Maker, float]], split: Split) -> Story:
    states, steps, said = [start], list[Step](), list[tuple[str, str]]()
    last: Edit | None = None
    for _ in range(rng.randint(2, 4)):
        state = states[-1]
        edit = _follow_up(rng, state, last) if last and rng.random() < 0.75 else None
        edit = edit or first_edit(rng, state, makers, split)
        states.append(edit.goal)
        steps.append(Step(len(states) - 2, len(states) - 1, edit, tuple(said[-MAX_HISTORY:])))
        said.append((edit.instruction, edit.expressive))
        last = edit
    return Story(tuple(states), tuple(steps))


def _follow_up(rng: Random, state: State, last: Edit) -> Edit | None:
    """An edit whose words lean on the last one; None where nothing fits."""
    if last.kind == "tonal" and last.goal.tones:
        edit = _more_or_back(rng, state, last.goal.tones[-1][0])
    elif state.scene and last.thing and last.thing in state.scene.things:
        edit = rng.choice((_recolour_it, _recolour_it, _too, _change_it, _change_it))(rng, state, last)
    else:
        return None
    return replace(edit, kind="follow-up") if edit else None


def _more_or_back(rng: Random, state: State, tone: str) -> Edit | None:
    if tone in OPPOSITE and rng.random() < 0.3:
        words = rng.choice(("too much", "a bit less", "less", "not that much", "back a little"))
        return tone_edit(rng, state, OPPOSITE[tone], "little", dress(rng, words))
    words = rng.choice(("more", "even more", "again", "more of that", "stronger", "once more"))
    return tone_edit(rng, state, tone, "plain", dress(rng, words))


def _recolour_it(rng: Random, state: State, last: Edit) -> Edit | None:
    thing = last.thing
    assert state.scene
    assert thing
    if thing.kind in FIXED_COLOUR:
        return None
    colour = rng.choice([c for c in ("red", "orange", "yellow", "green", "blue", "purple", "pink",
    "black", "white",
                                     "brown", "grey", "teal") if c != thing.colour])  # fmt: skip
    said = say(rng, colour)
    words = rng.choice(
        (f"now {said}", f"now {said}", f"make it {said}", f"make it {said} instead", f"{said}",
         f"better {said}",
         f"and now {said}", f"no, {said}", f"I prefer {said}", f"turn it {said}", f"{said} instead",
         f"try {said}")
    )  # fmt: skip
    return recolour_to(rng, state, thing, colour, dress(rng, words))


def _too(rng: Random, state: State, last: Edit) -> Edit | None:
    """The same colour for another thing."""
    assert state.scene
    assert last.thing
    alone = [
        t for t in state.scene.things
        if t is not last.thing and t.kind not in FIXED_COLOUR and t.colour != last.thing.colour
        and sum(o.kind == t.kind for o in state.scene.things) == 1
    ]  # fmt: skip
    if not alone:
        return None
    thing, colour, it = rng.choice(alone), last.thing.colour, say(rng, last.thing.kind)
    name = say(rng, thing.kind)
    ways = [f"make the {name} the same colour as the {it}", f"same colour as the {it} for the {name}"]
    if last.colour:
        ways += [f"the {name} too", f"now the {name} too", f"and the {name}", f"same for the {name}",
                 f"do the same with the {name}", f"the {name} as well"]  # fmt: skip
    return recolour_to(rng, state, thing, colour, dress(rng, rng.choice(ways)))


def _change_it(rng: Random, state: State, last: Edit) -> Edit | None:
    thing = last.thing
    assert state.scene
    assert thing
    act = rng.choice(("remove", "grow", "shrink", "move"))
    if act == "remove":
        words = rng.choice(("remove it", "delete it", "take it away again", "get rid of it", "no, remove it"))
        return remove_it(state, thing, dress(rng, words))
    if act == "move":
        step = rng.choice((-1, 1))
        cell = Cell(thing.cell.row, thing.cell.column + step)
        if not 0 <= cell.column < COLUMNS or state.scene.at(cell):
            return None
        side = "right" if step > 0 else "left"
        words = rng.choice(
            (f"move it to the {side}", f"a bit to the {side}", f"put it to the {side}", f"{side}")
        )
        return move_it(state, thing, cell, dress(rng, words))
    step = 1 if act == "grow" else -1
    words = rng.choice(
        ("bigger", "make it bigger", "larger") if step > 0 else ("smaller", "make it smaller", "shrink it")
    )
    return resize_it(state, thing, step, dress(rng, words))
