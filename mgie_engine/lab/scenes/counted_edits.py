"""Different edits of things of a kind: "first ball red, second blue", "remove ball 1, the last bigger"."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from mgie_engine.lab.scenes.compound_edits import act_on, joined
from mgie_engine.lab.scenes.counted_words import (
    counted_way,
    numbered,
    numbers,
    place_word,
    tidied,
)
from mgie_engine.lab.scenes.edit_generators import other_colour
from mgie_engine.lab.scenes.group_edits import groups_of, one_after_another
from mgie_engine.lab.scenes.phrasing import dress, fill
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import SceneObject
from mgie_engine.lab.scenes.scene_edits import Edit, State, recolour_to

_ACTS = ("recolour", "recolour", "remove", "grow", "shrink")
_DIFFERENT_ACTS, _ALL_OF_THEM, _EACH = 0.25, 0.3, 0.4
_GAPPED = 0.3  # how often two colours are in the words for any two things
_BY_END = 0.4  # how often two things are called by their ends, not their numbers


def each_its_own(streams: RngStreams, state: State) -> Edit | None:
    """Two or more things of a kind, identified by their numbers, each with its own colour or act."""
    content, groups = streams.content, groups_of(state.drawn)
    group = content.choice(groups) if groups else []
    way = content.random()
    if not group:
        return None
    if way < _DIFFERENT_ACTS:
        return _different_acts(streams, state, group)
    if len(group) > 2 and way < _DIFFERENT_ACTS + _ALL_OF_THEM:
        if len(group) == 3 and content.random() < _EACH:
            return _a_colour_each(streams, state, group)
        return _one_and_the_others(streams, state, group)
    return _two_colours(streams, state, group)


def _two_colours(streams: RngStreams, state: State, group: Sequence[SceneObject]) -> Edit:
    content, rng = streams.content, streams.wording
    one, other = sorted(content.sample(range(len(group)), 2))
    edit, (c, d) = _recoloured(streams, state, [group[one], group[other]], [0, 1])
    if rng.random() < _GAPPED:
        a, b = numbered(streams, group, one), numbered(streams, group, other)
        way = streams.template("gapped_colours", "compound")
        words = tidied(fill(way, a=a, b=b, c=c, d=d))
    else:
        known = numbers(streams, group, one, other) | {"c": c, "d": d}
        if rng.random() < _BY_END:
            known |= {"o": place_word(rng, one, len(group)), "p": place_word(rng, other, len(group))}
        words = counted_way(streams, "own_two", known)
    return replace(edit, instruction=dress(rng, words))


def _one_and_the_others(streams: RngStreams, state: State, group: Sequence[SceneObject]) -> Edit:
    place = streams.content.randrange(len(group))
    edit, (c, d) = _recoloured(streams, state, group, [int(number != place) for number in range(len(group))])
    known = numbers(streams, group, place) | {"c": c, "d": d}
    known["o"] = place_word(streams.wording, place, len(group))
    return replace(edit, instruction=dress(streams.wording, counted_way(streams, "own_rest", known)))


def _a_colour_each(streams: RngStreams, state: State, group: Sequence[SceneObject]) -> Edit:
    edit, (c, d, e) = _recoloured(streams, state, group, [0, 1, 2])
    words = counted_way(streams, "own_each", numbers(streams, group, 0) | {"c": c, "d": d, "e": e})
    return replace(edit, instruction=dress(streams.wording, words))


def _different_acts(streams: RngStreams, state: State, group: Sequence[SceneObject]) -> Edit | None:
    """Two acts, of which at most one gives a colour."""
    content = streams.content
    places = sorted(content.sample(range(len(group)), 2))
    acts = content.choice([(one, other) for one in _ACTS for other in _ACTS if one != other])
    chosen = [group[place] for place in places]
    colour = other_colour(content, *{obj.colour for obj in group})
    edits = [edit for obj, act in zip(chosen, acts, strict=True) if (edit := act_on(state, obj, act, colour))]
    if len(edits) < len(chosen):
        return None
    said = streams.target_colour(colour)
    one, other = (
        tidied(counted_way(streams, act, {"it": numbered(streams, group, place), "colour": said}))
        for act, place in zip(acts, places, strict=True)
    )
    edit = one_after_another(state, chosen, edits)
    return replace(edit, instruction=dress(streams.wording, joined(streams, one, other)))


def _recoloured(
    streams: RngStreams, state: State, chosen: Sequence[SceneObject], which: Sequence[int]
) -> tuple[Edit, list[str]]:
    """The recolouring of each of `chosen` to new colour number `which`, and how the colours are called."""
    colours = _new_colours(streams.content, chosen, max(which) + 1)
    edits = [recolour_to(state, obj, colours[at], "") for obj, at in zip(chosen, which, strict=True)]
    return one_after_another(state, chosen, edits), [*map(streams.target_colour, colours)]


def _new_colours(content: Random, chosen: Sequence[SceneObject], count: int) -> list[str]:
    colours = list[str]()
    for _ in range(count):
        colours.append(other_colour(content, *{obj.colour for obj in chosen}, *colours))
    return colours
