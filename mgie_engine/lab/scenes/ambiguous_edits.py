"""Ambiguous wishes: what they mean only the picture tells.

They are what a model that looks can do and one that only reads cannot: the words do not say which thing
changes, or which colour it gets.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from mgie_engine.lab.scenes.edit_generators import other_colour
from mgie_engine.lab.scenes.expressive_text import Split, there
from mgie_engine.lab.scenes.phrasing import phrase, plural, say, wished_colour
from mgie_engine.lab.scenes.references import nameless
from mgie_engine.lab.scenes.rng import Dice
from mgie_engine.lab.scenes.scene import Scene, Thing, is_sky_kind
from mgie_engine.lab.scenes.scene_edits import Edit, State, recolour_to, remove_it, to


def ambiguous(dice: Dice, state: State, split: Split) -> Edit | None:
    """Any of the wishes below that fits the picture."""
    assert state.scene
    makers = [_odd, _match, _odd, _match, _like, _swap, _remove_one, _recolour_one]
    for maker in dice.what.sample(makers, len(makers)):
        edit = maker(dice, state, split)
        if edit is not None:
            return replace(edit, kind="ambiguous")
    return None


def _odd(dice: Dice, state: State, split: Split) -> Edit | None:
    """Three or more of a kind, one in another colour: it takes the colour of the others."""
    assert state.scene
    kinds = sorted({thing.kind for thing in state.scene.things})
    groups = [group for kind in kinds if _odd_one(group := state.scene.of(kind))]
    if len(groups) != 1 or _pairs(state.scene):
        return None
    odd = _odd_one(groups[0])
    assert odd
    colour = next(thing.colour for thing in groups[0] if thing.colour != odd.colour)
    words = phrase(dice.how, "odd", split, names=plural(say(dice.how, odd.kind)))
    return recolour_to(state, odd, colour, words)


def has_odd_one(scene: Scene) -> bool:
    """Whether anything differs from others of its kind in colour."""
    return any(len({thing.colour for thing in scene.of(kind)}) > 1 for kind in {t.kind for t in scene.things})


def _odd_one(group: Sequence[Thing]) -> Thing | None:
    """The one whose colour differs where all others have one colour."""
    colours = Counter(thing.colour for thing in group)
    if len(group) < 3 or len(colours) != 2 or min(colours.values()) != 1:
        return None
    return next(thing for thing in group if colours[thing.colour] == 1)


def _pairs(scene: Scene) -> list[list[Thing]]:
    """Pairs of a kind in two colours, each from left to right."""
    kinds = sorted({thing.kind for thing in scene.things})
    groups = [sorted(scene.of(kind), key=lambda t: (t.cell.column, t.cell.row)) for kind in kinds]
    return [group for group in groups if len(group) == 2 and group[0].colour != group[1].colour]


def _match(dice: Dice, state: State, split: Split) -> Edit | None:
    """Two of a kind: the right one takes the colour of the left one."""
    assert state.scene
    pairs = _pairs(state.scene)
    if not pairs:
        return None
    left, right = dice.what.choice(pairs)
    words = phrase(dice.how, "match", split, names=plural(say(dice.how, left.kind)))
    return recolour_to(state, right, left.colour, words)


def _two(what: Random, state: State) -> tuple[Thing, Thing] | None:
    assert state.scene
    things = [t for t in state.scene.things if len(state.scene.of(t.kind)) == 1]
    if len({thing.colour for thing in things}) < 2:
        return None
    one = what.choice(things)
    return one, what.choice([thing for thing in things if thing.colour != one.colour])


def _like(dice: Dice, state: State, split: Split) -> Edit | None:
    """One thing takes the colour of another."""
    two = _two(dice.what, state)
    if two is None:
        return None
    it, other = (f"the {say(dice.how, thing.kind)}" for thing in two)
    words = phrase(dice.how, "colour_like", split, it=it, other=other)
    return recolour_to(state, two[0], two[1].colour, words)


def _swap(dice: Dice, state: State, split: Split) -> Edit | None:
    """Two things trade their colours."""
    two = _two(dice.what, state)
    if two is None:
        return None
    assert state.scene
    one, other = two
    it, its_other = (f"the {say(dice.how, thing.kind)}" for thing in two)
    words = phrase(dice.how, "swap", split, it=it, other=its_other)
    scene = state.scene.swapped(one, replace(one, colour=other.colour))
    scene = scene.swapped(other, replace(other, colour=one.colour))
    text = f"The {there(one)} turns {other.colour}. The {there(other)} turns {one.colour}."
    return Edit("ambiguous", words, text, to(state, scene))


def _remove_one(dice: Dice, state: State, split: Split) -> Edit | None:
    """The only red, striped, smallest, leftmost thing goes."""
    picked = _pick(dice, state, state.scene.things if state.scene else ())
    return picked and remove_it(state, picked[0], phrase(dice.how, "remove", split, it=picked[1]))


def _recolour_one(dice: Dice, state: State, split: Split) -> Edit | None:
    """The only red, striped, smallest, leftmost thing gets another colour."""
    assert state.scene
    picked = _pick(dice, state, state.scene.things)
    if picked is None:
        return None
    thing, it = picked
    colour = other_colour(dice.what, thing.colour)
    words = phrase(dice.how, "recolour", split, it=it, colour=wished_colour(dice.how, colour))
    return recolour_to(state, thing, colour, words)


def _pick(dice: Dice, state: State, things: Sequence[Thing]) -> tuple[Thing, str] | None:
    """A thing on the ground and words that do not name its kind."""
    assert state.scene
    ground = [thing for thing in state.scene.things if not is_sky_kind(thing.kind)]
    ways = [
        (thing, f"the {words}")
        for thing in ground
        if thing in things
        for words in nameless(dice.how, ground, thing)
    ]
    if len(ground) < 2 or not ways:
        return None
    picked, words = dice.what.choice(ways)
    return picked, dice.anew(words, [others for thing, others in ways if thing is picked])
