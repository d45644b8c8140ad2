"""Two edits of things in one clause: "make the ball red and the box blue", "the car green and bigger"."""

from dataclasses import replace

from mgie_engine.lab.scenes.compound_edits import opening
from mgie_engine.lab.scenes.drawing import fits
from mgie_engine.lab.scenes.edit_generators import other_colour
from mgie_engine.lab.scenes.expressive_text import stays
from mgie_engine.lab.scenes.phrasing import dress, fill
from mgie_engine.lab.scenes.references import refer
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene_edits import Edit, State, recolour_to, resize_it, to

_SIZE_WORDS = {
    1: ("bigger", "larger", "a size bigger", "a bit bigger"),
    -1: ("smaller", "a size smaller", "a bit smaller"),
}
_SIZE_VERBS = {1: ("enlarge", "grow"), -1: ("shrink", "downsize")}


def gapped(streams: RngStreams, state: State) -> Edit | None:
    """Two things recoloured, each its own way, or one recoloured and resized."""
    if len(state.drawn.objects) < 2:
        return None
    return (
        _two_colours(streams, state) if streams.content.random() < 0.6 else _colour_and_size(streams, state)
    )


def _two_colours(streams: RngStreams, state: State) -> Edit:
    content, rng, scene = streams.content, streams.wording, state.drawn
    one, other = content.sample(scene.objects, 2)
    colours = [other_colour(content, obj.colour) for obj in (one, other)]
    edits = [recolour_to(state, obj, to_, "") for obj, to_ in zip((one, other), colours, strict=True)]
    goal = scene.swapped(one, replace(one, colour=colours[0]))
    goal = goal.swapped(other, replace(other, colour=colours[1]))
    known = {"a": refer(rng, scene, one).it, "b": refer(rng, scene, other).it}
    known |= {"c": streams.target_colour(colours[0]), "d": streams.target_colour(colours[1])}
    text = f"{opening(edits[0])} {opening(edits[1])} {stays(scene, one, other)}"
    return Edit("compound", _said(streams, "gapped_colours", known), text, to(state, goal))


def _colour_and_size(streams: RngStreams, state: State) -> Edit | None:
    content, rng, scene = streams.content, streams.wording, state.drawn
    obj, step = content.choice(scene.objects), content.choice((-1, 1))
    colour = other_colour(content, obj.colour)
    tinted, sized = recolour_to(state, obj, colour, ""), resize_it(state, obj, step, "")
    if sized.obj is None:
        return None
    goal = scene.swapped(obj, replace(sized.obj, colour=colour))
    if not fits(goal):
        return None
    known = {"a": refer(rng, scene, obj).it, "c": streams.target_colour(colour)}
    known |= {"s": rng.choice(_SIZE_WORDS[step]), "v": rng.choice(_SIZE_VERBS[step])}
    text = f"{opening(tinted)} {opening(sized)} {stays(scene, obj)}"
    return Edit("compound", _said(streams, "gapped_thing", known), text, to(state, goal))


def _said(streams: RngStreams, kind: str, known: dict[str, str]) -> str:
    return dress(streams.wording, fill(streams.template(kind, "compound"), **known))
