"""One edit of all things but one or two, in one clause: "balls green, yellow one stays"."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mgie_engine.lab.scenes.excluding_edits import one_left_out
from mgie_engine.lab.scenes.expressive_text import where
from mgie_engine.lab.scenes.group_edits import act_on_all
from mgie_engine.lab.scenes.phrasing import dress_without_rest, fill, table, templates, vary
from mgie_engine.lab.scenes.references import refer
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import SceneObject
from mgie_engine.lab.scenes.scene_edits import Edit, State

_MOST = 4  # things of which one is left out: what happens to each is a sentence
_TWO_LEFT = 0.3  # of four things: how often two are left out
_OF_ONE = re.compile(r"\b(stays|is|isn't|isnt|aint|has|keeps|it|that|which)\b")  # no words for two
_ACTS = ("recolour", "recolour", "recolour", "remove", "remove", "remove", "grow", "shrink")
_SIZES: Mapping[str, Sequence[str]] = {
    "grow": ("bigger", "bigger", "larger"),
    "shrink": ("smaller", "smaller", "tinier"),
}


def rest_of_kind(streams: RngStreams, state: State) -> Edit | None:
    """An act on every thing of a kind but one; None without two to four of distinct colours."""
    drawn = one_left_out(streams, state.drawn)
    if drawn is None:
        return None
    group, left, known = drawn
    rest = table("left_out")["others"]["two" if len(group) == 2 else "more"]
    known["others"] = vary(streams.wording, streams.wording.choice(rest)).format(**known)
    if known["x"] == known["c"]:  # "balls green, not yellow" is of the new colour
        known["x"] = f"the {known['c']} one"
    if not known["x"].endswith(known["name"]) and known["name"] not in known["others"]:
        known["x"] = f"the {known['c']} {known['name']}"  # the kind is named once at least
    return _all_but(streams, state, group, [left], "rest", known)


def all_things_but(streams: RngStreams, state: State) -> Edit | None:
    """An act on every thing of the picture but one, or two of four; None without two to four things."""
    things = state.drawn.objects
    if not 2 <= len(things) <= _MOST:
        return None
    are_two = len(things) == _MOST and streams.content.random() < _TWO_LEFT
    left = streams.content.sample(things, 2 if are_two else 1)
    words = table("left_out")["everything"]
    known = {name: streams.wording.choice(words[name]) for name in ("all", "else")}
    known["x"] = _both(streams, state, left) if are_two else refer(streams.wording, state.drawn, left[0]).it
    return _all_but(streams, state, things, left, "things", known)


def _both(streams: RngStreams, state: State, pair: Sequence[SceneObject]) -> str:
    """Words for two things: no neighbours ("the ball by the house and the tree"), no second "one"."""
    one, other = (refer(streams.wording, state.drawn, obj, by_neighbour=False).it for obj in pair)
    if re.search(r"\bone\b", other):
        other = f"{streams.the(pair[1])} {where(pair[1].cell)}"
    return f"{one} and {other}"


def _all_but(
    streams: RngStreams,
    state: State,
    things: Sequence[SceneObject],
    left: Sequence[SceneObject],
    kind: str,
    known: Mapping[str, str],
) -> Edit | None:
    """One act on all of `things` but `left`, in a phrasing of `kind`; None if one of them cannot do it."""
    chosen = [obj for obj in things if obj not in left]
    done = act_on_all(streams, state, chosen, left, _ACTS, things)
    if done is None:
        return None
    edit, act, colour = done
    more = streams.wording.choice(_SIZES.get(act, ("",)))
    said = {"to": streams.target_colour(colour), "more": more, **known}
    ways = templates(f"{kind}_{'resize' if act in _SIZES else act}", streams.split, "left_out")
    ways = [way for way in ways if len(left) == 1 or not _OF_ONE.search(way)]
    words = fill(vary(streams.wording, streams.wording.choice(ways)), **said)
    return replace(edit, instruction=dress_without_rest(streams.wording, words))
