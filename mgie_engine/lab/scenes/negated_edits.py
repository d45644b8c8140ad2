"""An edit of a thing with what must not happen to it: "I don't want it gone, just smaller"; or no edit."""

from dataclasses import replace

from mgie_engine.lab.scenes.compound_edits import act_on
from mgie_engine.lab.scenes.edit_generators import other_colour
from mgie_engine.lab.scenes.expressive_text import AS_ASKED
from mgie_engine.lab.scenes.phrasing import dress, dress_without_rest, fill, table
from mgie_engine.lab.scenes.references import Reference, refer
from mgie_engine.lab.scenes.rng import RngStreams, weighted
from mgie_engine.lab.scenes.scene import SceneObject
from mgie_engine.lab.scenes.scene_edits import Edit, State

_WAYS = (
    ("same_place", 3), ("not_gone", 3), ("same_colour", 2), ("same_size", 1), ("wrong_colour", 3),
    ("as_it_is", 3), ("no_change", 1),
)  # fmt: skip
_SIZED = ("grow", "shrink")


def negated(streams: RngStreams, state: State) -> Edit | None:
    """One act on a thing and what of it stays, or that it stays as it is; None if the act cannot be done."""
    content, wording = streams.content, streams.wording
    if not state.drawn.objects:
        return None
    obj, way = content.choice(state.drawn.objects), weighted(content, _WAYS)
    at = refer(wording, state.drawn, obj)
    if way in ("as_it_is", "no_change"):
        words = dress_without_rest(wording, _said(streams, way, at))
        return Edit("nothing", words, AS_ASKED, state)
    act = _act(streams, way)
    colour = other_colour(content, obj.colour)
    edit = act_on(state, obj, act, colour)
    if edit is None:
        return None
    words = _said(streams, way, at, **_changes(streams, obj, act, colour))
    return replace(edit, instruction=dress(wording, words))


def _act(streams: RngStreams, way: str) -> str:
    if way == "same_colour":
        return streams.content.choice(_SIZED)
    if way in ("same_size", "wrong_colour"):
        return "recolour"
    return streams.content.choice((*_SIZED, "recolour"))


def _changes(streams: RngStreams, obj: SceneObject, act: str, colour: str) -> dict[str, str]:
    """The fields for what becomes of the thing, and for another colour that it must not have."""
    rng, said = streams.wording, streams.target_colour(colour)
    if act in _SIZED:
        return {"do": rng.choice(table("revised")["becomes"][act])}
    wrong = obj.colour if rng.random() < 0.3 else other_colour(rng, colour, obj.colour)
    return {"do": said, "c": said, "w": streams.target_colour(wrong)}


def _said(streams: RngStreams, kind: str, at: Reference, **known: str) -> str:
    given = {"it": at.it, **({"name": at.name} if at.name else {}), **known}
    return fill(streams.template(kind, "revised", given), **given)
