"""One edit of several things: both, the first two, all but the last; or of one identified by its number."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from mgie_engine.lab.scenes.compound_edits import act_on, opening
from mgie_engine.lab.scenes.counted_words import (
    act_words,
    around,
    counted_way,
    numbers,
    one_counted,
    phrase_of,
    place_word,
)
from mgie_engine.lab.scenes.edit_generators import other_colour
from mgie_engine.lab.scenes.expressive_text import stays
from mgie_engine.lab.scenes.phrasing import dress
from mgie_engine.lab.scenes.references import refer
from mgie_engine.lab.scenes.rng import RngStreams, weighted
from mgie_engine.lab.scenes.scene import Scene, SceneObject, is_sky_kind
from mgie_engine.lab.scenes.scene_edits import Edit, State, to

_ACTS = ("recolour", "recolour", "recolour", "remove", "remove", "grow", "shrink")
_OF_TWO = (("number", 4.0), ("both", 4.0))
_OF_MORE = (
    ("number", 5.0), ("first_two", 1.2), ("last_two", 1.2), ("outer", 1.2), ("pair", 1.8), ("every", 1.8),
    ("but_one", 1.4), ("two_of", 0.5), ("one_of", 0.3),
)  # fmt: skip
_THIS_AND_THAT = 1.5  # weight of two things of different kinds


def some(streams: RngStreams, state: State) -> Edit | None:
    """One edit of several things, or of one that is identified by its number."""
    content, groups, alone = streams.content, groups_of(state.drawn), state.drawn.only_ones()
    group = content.choice([one for one in groups if len(one) > 2] or groups) if groups else []
    ways = [*(_OF_MORE if len(group) > 2 else _OF_TWO)] if group else []
    ways += [("inner", 0.8)] if len(group) == 4 else []
    ways += [("and", _THIS_AND_THAT)] if len(alone) > 1 else []
    if not ways:
        return None
    how = weighted(content, ways)
    if how == "and":
        return _this_and_that(streams, state, content.sample(alone, 2))
    return _counted(streams, state, group, how)


def _counted(streams: RngStreams, state: State, group: Sequence[SceneObject], how: str) -> Edit | None:
    """One act on those of a group that `how` says."""
    content, count = streams.content, len(group)
    one, other = sorted(content.sample(range(count), 2))
    place = content.randrange(count)
    chosen = {
        "number": [place], "one_of": [0], "first_two": [0, 1], "two_of": [0, 1], "outer": [0, count - 1],
        "last_two": [count - 2, count - 1], "inner": [1, 2], "pair": [one, other],
        "but_one": [number for number in range(count) if number != place],
    }.get(how, list(range(count)))  # fmt: skip
    left = [group[place]] if how == "but_one" else []
    done = act_on_all(streams, state, [group[number] for number in chosen], left)
    if done is None:
        return None
    edit, act, colour = done
    colour = streams.target_colour(colour)
    if how == "number":
        words = one_counted(streams, group, place, act, colour)
    elif how == "but_one":
        words = _all_but_one(streams, group, place, act, colour)
    else:
        it = counted_way(streams, how, numbers(streams, group, chosen[0], chosen[-1]))
        words = act_words(streams, act, it, colour, is_one=False)
    return replace(edit, instruction=dress(streams.wording, words))


def _all_but_one(streams: RngStreams, group: Sequence[SceneObject], place: int, act: str, colour: str) -> str:
    rng, known = streams.wording, numbers(streams, group, place)
    known["o"] = place_word(rng, place, len(group))
    if rng.random() < 0.5:
        return act_words(streams, act, counted_way(streams, "but_one", known), colour, is_one=False)
    words = act_words(streams, act, counted_way(streams, "the_others", known), colour, is_one=False)
    return around(streams, "stays", words, **known)


def _this_and_that(streams: RngStreams, state: State, pair: Sequence[SceneObject]) -> Edit | None:
    """One act on two things of different kinds."""
    done = act_on_all(streams, state, pair)
    if done is None:
        return None
    edit, act, colour = done
    a, b = (refer(streams.wording, state.drawn, obj).it for obj in pair)
    it = counted_way(streams, "this_and_that", {"a": a, "b": b})
    words = act_words(streams, act, it, streams.target_colour(colour), is_one=False)
    return replace(edit, instruction=dress(streams.wording, words))


def edit_of_all(
    streams: RngStreams,
    state: State,
    chosen: Sequence[SceneObject],
    it: str,
    left: Sequence[SceneObject] = (),
    said: Callable[[str, str], str] = lambda _, words: words,
) -> Edit | None:
    """One act on all of `chosen`, called `it`; `said` words the whole from the act and its instruction.

    What stays is `left`, where something is left out in so many words.
    """
    done = act_on_all(streams, state, chosen, left)
    if done is None:
        return None
    edit, act, colour = done
    words = phrase_of(streams, act, it, streams.target_colour(colour))
    return replace(edit, instruction=dress(streams.wording, said(act, words)))


def act_on_all(
    streams: RngStreams,
    state: State,
    chosen: Sequence[SceneObject],
    left: Sequence[SceneObject] = (),
    acts: Sequence[str] = _ACTS,
    beside: Sequence[SceneObject] = (),
) -> tuple[Edit, str, str] | None:
    """One of `acts` on all of `chosen` without its words, its name, and its colour; None where one cannot.

    The colour is none of theirs, and of none `beside` them.
    """
    content = streams.content
    act = content.choice(acts)
    colour = other_colour(content, *{obj.colour for obj in (*chosen, *beside)})
    edits = [edit for obj in chosen if (edit := act_on(state, obj, act, colour))]
    if len(edits) < len(chosen):
        return None
    return one_after_another(state, chosen, edits, left), act, colour


def one_after_another(
    state: State, chosen: Sequence[SceneObject], edits: Sequence[Edit], left: Sequence[SceneObject] = ()
) -> Edit:
    """The edits of different things as one, without its words; each thing has a sentence of its own."""
    scene = state.drawn
    for obj, edit in zip(chosen, edits, strict=True):
        scene = scene.without(obj) if edit.obj is None else scene.swapped(obj, edit.obj)
    rest = [stays(Scene((obj,))) for obj in left] or [stays(state.drawn, *chosen)]
    text = " ".join((*map(opening, edits), *rest))
    if len(edits) == 1:
        return replace(edits[0], expressive=text, goal=to(state, scene))
    return Edit("compound", "", text, to(state, scene))


def groups_of(scene: Scene) -> list[list[SceneObject]]:
    """Things of one kind in distinct columns, from the left."""
    kinds = sorted({obj.kind for obj in scene.objects if not is_sky_kind(obj.kind)})
    groups = [sorted(scene.of(kind), key=lambda obj: obj.cell.column) for kind in kinds]
    return [group for group in groups if len({obj.cell.column for obj in group}) == len(group) > 1]
