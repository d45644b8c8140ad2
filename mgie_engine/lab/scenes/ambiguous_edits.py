"""Ambiguous edits: instructions that only the picture makes clear.

A model that sees the picture can resolve them and a text-only model cannot: the words do not say which object
changes, or which colour it gets.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from mgie_engine.lab.scenes.edit_generators import other_colour
from mgie_engine.lab.scenes.expressive_text import there
from mgie_engine.lab.scenes.phrasing import plural
from mgie_engine.lab.scenes.references import nameless
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import Scene, SceneObject, is_sky_kind
from mgie_engine.lab.scenes.scene_edits import Edit, State, recolour_to, remove_it, to


def ambiguous(streams: RngStreams, state: State) -> Edit | None:
    """Any of the edits below that fits the picture."""
    makers = [_odd, _match, _odd, _match, _like, _swap, _remove_one, _recolour_one]
    for maker in streams.content.sample(makers, len(makers)):
        edit = maker(streams, state)
        if edit is not None:
            return replace(edit, kind="ambiguous")
    return None


def _odd(streams: RngStreams, state: State) -> Edit | None:
    """Three or more of a kind, one in another colour: it takes the colour of the others."""
    kinds = sorted({obj.kind for obj in state.drawn.objects})
    groups = [group for kind in kinds if _odd_one(group := state.drawn.of(kind))]
    if len(groups) != 1 or _pairs(state.drawn):
        return None
    odd = _odd_one(groups[0])
    assert odd
    colour = next(obj.colour for obj in groups[0] if obj.colour != odd.colour)
    words = streams.phrase("odd", names=plural(streams.say(odd.kind)))
    return recolour_to(state, odd, colour, words)


def has_odd_one(scene: Scene) -> bool:
    """Whether anything differs from others of its kind in colour."""
    return any(len({obj.colour for obj in scene.of(kind)}) > 1 for kind in {t.kind for t in scene.objects})


def _odd_one(group: Sequence[SceneObject]) -> SceneObject | None:
    """The one whose colour differs where all others have one colour."""
    colours = Counter(obj.colour for obj in group)
    if len(group) < 3 or len(colours) != 2 or min(colours.values()) != 1:
        return None
    return next(obj for obj in group if colours[obj.colour] == 1)


def _pairs(scene: Scene) -> list[list[SceneObject]]:
    """Pairs of a kind in two colours, each from left to right."""
    kinds = sorted({obj.kind for obj in scene.objects})
    groups = [sorted(scene.of(kind), key=lambda t: (t.cell.column, t.cell.row)) for kind in kinds]
    return [group for group in groups if len(group) == 2 and group[0].colour != group[1].colour]


def _match(streams: RngStreams, state: State) -> Edit | None:
    """Two of a kind: the right one takes the colour of the left one."""
    pairs = _pairs(state.drawn)
    if not pairs:
        return None
    left, right = streams.content.choice(pairs)
    words = streams.phrase("match", names=plural(streams.say(left.kind)))
    return recolour_to(state, right, left.colour, words)


def _two(content: Random, state: State) -> tuple[SceneObject, SceneObject] | None:
    objects = state.drawn.only_ones()
    if len({obj.colour for obj in objects}) < 2:
        return None
    one = content.choice(objects)
    return one, content.choice([obj for obj in objects if obj.colour != one.colour])


def _like(streams: RngStreams, state: State) -> Edit | None:
    """One object takes the colour of another."""
    two = _two(streams.content, state)
    if two is None:
        return None
    words = streams.phrase("colour_like", it=streams.the(two[0]), other=streams.the(two[1]))
    return recolour_to(state, two[0], two[1].colour, words)


def _swap(streams: RngStreams, state: State) -> Edit | None:
    """Two objects swap their colours."""
    two = _two(streams.content, state)
    if two is None:
        return None
    one, other = two
    words = streams.phrase("swap", it=streams.the(one), other=streams.the(other))
    scene = state.drawn.swapped(one, replace(one, colour=other.colour))
    scene = scene.swapped(other, replace(other, colour=one.colour))
    text = f"The {there(one)} turns {other.colour}. The {there(other)} turns {one.colour}."
    return Edit("ambiguous", words, text, to(state, scene))


def _remove_one(streams: RngStreams, state: State) -> Edit | None:
    """Remove the only red, striped, smallest, leftmost … object."""
    picked = _pick(streams, state, state.scene.objects if state.scene else ())
    return picked and remove_it(state, picked[0], streams.phrase("remove", it=picked[1]))


def _recolour_one(streams: RngStreams, state: State) -> Edit | None:
    """Recolour the only red, striped, smallest, leftmost … object."""
    picked = _pick(streams, state, state.drawn.objects)
    if picked is None:
        return None
    obj, it = picked
    colour = other_colour(streams.content, obj.colour)
    words = streams.phrase("recolour", it=it, colour=streams.target_colour(colour))
    return recolour_to(state, obj, colour, words)


def _pick(
    streams: RngStreams, state: State, objects: Sequence[SceneObject]
) -> tuple[SceneObject, str] | None:
    """An object on the ground, and words for it that do not name its kind."""
    ground = [obj for obj in state.drawn.objects if not is_sky_kind(obj.kind)]
    ways = [
        (obj, f"the {words}")
        for obj in ground
        if obj in objects
        for words in nameless(streams.wording, ground, obj)
    ]
    if len(ground) < 2 or not ways:
        return None
    picked, words = streams.content.choice(ways)
    return picked, streams.reworded(words, [others for obj, others in ways if obj is picked])
