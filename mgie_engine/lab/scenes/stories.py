"""Stories: pictures and the edits between them, with the history that each edit can refer to.

`story(seed, split)` is the whole generator: the same seed and split always give the same story. A story is
either a fan (independent edits of one picture) or a chain (follow-ups, with "it", "too", "more"). `tellings`
gives it in several wordings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from mgie_engine.edits import Exchange
from mgie_engine.lab.scenes.addressed_tones import addressed, mistaken_first, two_tones
from mgie_engine.lab.scenes.ambiguous_edits import ambiguous
from mgie_engine.lab.scenes.compound_edits import compound
from mgie_engine.lab.scenes.counted_edits import each_its_own
from mgie_engine.lab.scenes.edit_generators import (
    add,
    move,
    recolour,
    recolour_part,
    remove,
    replace_thing,
    resize,
    several,
)
from mgie_engine.lab.scenes.excluding_edits import all_but
from mgie_engine.lab.scenes.expressive_text import Split
from mgie_engine.lab.scenes.followups import follow_up
from mgie_engine.lab.scenes.gapped_edits import gapped
from mgie_engine.lab.scenes.gapped_tones import gapped_tones, tones_not_wanted
from mgie_engine.lab.scenes.group_edits import some
from mgie_engine.lab.scenes.left_out_edits import all_things_but, rest_of_kind
from mgie_engine.lab.scenes.left_out_tones import tone_but_part
from mgie_engine.lab.scenes.negated_edits import negated
from mgie_engine.lab.scenes.paired_edits import paired
from mgie_engine.lab.scenes.refusals import content_on_photo, nothing, refuse
from mgie_engine.lab.scenes.revised_edits import revised
from mgie_engine.lab.scenes.revised_tones import revised_tone
from mgie_engine.lab.scenes.rng import RecordingRandom, ReplayingRandom, RngStreams
from mgie_engine.lab.scenes.scene import grouped_scene, random_scene
from mgie_engine.lab.scenes.scene_edits import Edit, EditGenerator, State
from mgie_engine.lab.scenes.slip_edits import by_emoji, corrected, not_wanted
from mgie_engine.lab.scenes.surroundings import background
from mgie_engine.lab.scenes.tonal import tonal

CHAIN_SHARE, PHOTO_SHARE, TONED_SHARE = 0.38, 0.32, 0.1
GROUP_SHARE = 0.25  # of scenes: three or four things of a kind, to be counted
CROWDED_SHARE = 0.4  # of training scenes: as many objects as a long conversation adds
MAX_HISTORY = 2  # earlier turns that reach the prompt

Makers = Sequence[tuple[EditGenerator, float]]

ON_SCENES: Makers = (
    (recolour, 24), (recolour_part, 7), (remove, 15), (add, 16), (replace_thing, 12), (resize, 11),
    (move, 17), (background, 12), (several, 4), (ambiguous, 18), (tonal, 14), (refuse, 8), (nothing, 1.5),
    (compound, 10), (gapped, 7), (some, 10), (all_but, 16), (corrected, 7), (not_wanted, 9), (by_emoji, 2),
    (addressed, 4), (paired, 10), (each_its_own, 6), (rest_of_kind, 11), (all_things_but, 20), (revised, 6),
    (negated, 5), (revised_tone, 1.5),
)  # fmt: skip
ON_PHOTOS: Makers = (
    (tonal, 13), (addressed, 22), (mistaken_first, 1.5), (two_tones, 1.5), (gapped_tones, 5),
    (tones_not_wanted, 4.5), (content_on_photo, 2), (refuse, 2.5), (nothing, 0.6),
    (tone_but_part, 4), (revised_tone, 4),
)  # fmt: skip
ON_ALTERED: Makers = ((tonal, 8), (nothing, 1))  # scenes whose colours are no longer recognisable


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One edit of a story: from picture `before` to picture `after` (indices), with its `history`."""

    before: int
    after: int
    edit: Edit
    history: tuple[Exchange, ...] = ()  # oldest first


@dataclass(frozen=True, slots=True)
class Story:
    """Pictures, and the edits between them."""

    states: tuple[State, ...]
    steps: tuple[StoryStep, ...]


def story(seed: int, split: Split) -> Story:
    """The story number `seed` of a split."""
    return tellings(seed, split, 1)[0]


def tellings(seed: int, split: Split, count: int) -> tuple[Story, ...]:
    """The story number `seed` of a split in `count` >= 1 wordings; the first is always the same.

    They share states, order and expressive instructions; instructions and histories differ in wording.
    """
    rng = Random(f"{split}-{seed}")
    start = _start(rng, split)
    taped = RecordingRandom(rng)
    stories = [_one_telling(RngStreams(taped, rng, split), start)]
    for number in range(1, count):
        content, wording = ReplayingRandom(taped.tape), Random(f"{split}-{seed}-{number}")
        streams = RngStreams(content, wording, split, is_rewording=True)
        stories.append(_one_telling(streams, start))
    return tuple(stories)


def first_edit(streams: RngStreams, state: State) -> Edit:
    """One edit of `state` that needs no history; generators that do not fit the picture are skipped."""
    makers = ON_PHOTOS if state.scene is None else ON_SCENES if state.is_readable else ON_ALTERED
    kinds, weights = [kind for kind, _ in makers], [weight for _, weight in makers]
    while True:
        edit: Edit | None = streams.content.choices(kinds, weights)[0](streams, state)
        if edit is not None:
            return edit


def _start(rng: Random, split: Split) -> State:
    if rng.random() < PHOTO_SHARE:
        return State(None, photo=rng.getrandbits(30))
    crowded = split == "train" and rng.random() < CROWDED_SHARE
    scene = (
        grouped_scene(rng) if rng.random() < GROUP_SHARE else random_scene(rng, fewest=5 if crowded else 2)
    )
    start = State(scene)
    if rng.random() < TONED_SHARE:
        edit = tonal(RngStreams.of(rng, split), start)
        return edit.goal if edit and edit.goal.is_readable else start
    return start


def _one_telling(streams: RngStreams, start: State) -> Story:
    return (_chain if streams.content.random() < CHAIN_SHARE else _fan)(streams, start)


def _fan(streams: RngStreams, start: State) -> Story:
    states, steps = [start], []
    for _ in range(3):
        edit = first_edit(streams, start)
        if edit.goal not in states:
            states.append(edit.goal)
        steps.append(StoryStep(0, states.index(edit.goal), edit))
    return Story(tuple(states), tuple(steps))


def _chain(streams: RngStreams, start: State) -> Story:
    states, steps, said = [start], list[StoryStep](), list[Exchange]()
    last: Edit | None = None
    for _ in range(streams.content.randint(2, 5)):
        state = states[-1]
        edit = follow_up(streams, state, last) if last and streams.content.random() < 0.8 else None
        edit = edit or first_edit(streams, state)
        states.append(edit.goal)
        steps.append(StoryStep(len(states) - 2, len(states) - 1, edit, tuple(said[-MAX_HISTORY:])))
        said.append(Exchange(edit.instruction, edit.expressive))
        last = edit
    return Story(tuple(states), tuple(steps))
