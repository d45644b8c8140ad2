"""The polite no, and the wish to leave everything as it is: what this world cannot do, and why.

A photo has no things the model could name, so every wish for content is answered there with "Nothing
changes".
"""

from random import Random
from string import ascii_lowercase

from mgie_engine.lab.scenes.ambiguous_edits import has_odd_one
from mgie_engine.lab.scenes.edit_generators import aside_words
from mgie_engine.lab.scenes.expressive_text import AS_ASKED, KNOWN_HERE, KNOWN_PHOTO, NOTHING, Split, there
from mgie_engine.lab.scenes.phrasing import (
    dress,
    fill,
    phrase,
    plural,
    say,
    table,
    templates,
    vary,
    wished_colour,
)
from mgie_engine.lab.scenes.references import place_words
from mgie_engine.lab.scenes.rng import Dice
from mgie_engine.lab.scenes.scene import COLOURS, GROUND_KINDS, GROUNDS, SKY, SKY_KINDS
from mgie_engine.lab.scenes.scene_edits import Edit, State

_WISHES = ("recolour", "remove", "grow", "shrink", "move")


def nothing(dice: Dice, state: State, split: Split) -> Edit | None:
    """A wish to leave everything as it is."""
    return Edit("nothing", phrase(dice.how, "nothing", split), AS_ASKED, state)


def refuse(dice: Dice, state: State, split: Split) -> Edit | None:
    """A wish outside this world, for a thing that is not in the picture, or for a place that is taken."""
    if state.scene and dice.what.random() < 0.55:
        makers = (_absent, _absent, _absent, _no_such_colour, _no_such_colour, _taken, _no_odd_one)
        return dice.what.choice(makers)(dice, state, split)
    reason = KNOWN_HERE if state.scene else KNOWN_PHOTO
    return Edit("refuse", _foreign_wish(dice.how, split), f"{NOTHING} {reason}", state)


def _foreign_wish(how: Random, split: Split) -> str:
    kind = how.random()
    if kind < 0.04:
        words = "".join(how.choices(ascii_lowercase, k=how.randint(4, 10)))  # a hand on the keyboard
    elif kind < 0.3:
        key = "test" if split == "test" else "train"
        words = how.choice(table("elsewhere")[key])
    elif kind < 0.5:
        words = fill(vary(how, how.choice(templates("sayings", split, "elsewhere"))))
    elif kind < 0.7:
        words = _about_something(how, split)
    else:
        x, y = how.sample(table("elsewhere")["subjects"], 2)
        ask = how.choice(templates("asks", split, "elsewhere"))
        words = fill(vary(how, ask), x=x, y=y, c=how.choice(tuple(COLOURS)))
    return dress(how, words)


def _about_something(how: Random, split: Split) -> str:
    """A question or a remark about a kind of thing of this world, or what no edit does to one."""
    thing = how.choice(GROUND_KINDS + SKY_KINDS)
    known = {"x": how.choice(table("elsewhere")["subjects"]), "c": how.choice(tuple(COLOURS))}
    ask = vary(how, how.choice(templates("about", split, "elsewhere")))
    return fill(ask, thing=say(how, thing), things=plural(say(how, thing)), **known)


def content_on_photo(dice: Dice, state: State, split: Split) -> Edit | None:
    """A wish for things or surroundings put to a photo."""
    how = dice.how
    name, colour = say(how, how.choice(GROUND_KINDS + SKY_KINDS)), _any_colour(how)
    known = {
        "it": f"the {name}", "name": name, "names": plural(name), "colour": colour, "where": "",
        "other": f"the {say(how, how.choice(GROUND_KINDS))}", "a": fill(f"a {colour} {name}"),
        "to": aside_words(how, how.choice((-1, 1))),
        "ground": how.choice(GROUNDS), "weather_noun": "rain", "weather": "rainy",
    }  # fmt: skip
    kinds = (
        *_WISHES,
        "add",
        "replace",
        "sky",
        "all",
        "ground",
        "weather",
        "winter",
        "summer",
        "match",
        "add_two",
        "remove_all",
        "swap_places",
        "clear",
        "odd",
    )
    return Edit("refuse", phrase(how, how.choice(kinds), split, **known), f"{NOTHING} {KNOWN_PHOTO}", state)


def _absent(dice: Dice, state: State, split: Split) -> Edit | None:
    """A wish for a kind of thing that is not here."""
    assert state.scene
    here = {thing.kind for thing in state.scene.things}
    kind = dice.what.choice([kind for kind in GROUND_KINDS + SKY_KINDS if kind not in here])
    how = dice.how
    colour = f"{say(how, how.choice(tuple(COLOURS)))} " if how.random() < 0.3 else ""
    if not colour and how.random() < 0.15:
        known = {"name": say(how, kind), "colour": _any_colour(how)}
        words = phrase(how, how.choice(("all", "remove_all")), split, names=plural(known["name"]), **known)
    else:
        words = _wish(how, f"{colour}{say(how, kind)}", split, bare=not colour)
    return Edit("refuse", words, f"{NOTHING} I see no {kind} here.", state)


def _no_such_colour(dice: Dice, state: State, split: Split) -> Edit | None:
    """A wish for a thing in a colour that none of its kind has here."""
    assert state.scene
    things = state.scene.things
    if not things:
        return None
    kind = dice.what.choice(things).kind
    taken = {thing.colour for thing in state.scene.of(kind)}
    colour = dice.what.choice([colour for colour in COLOURS if colour not in taken])
    words = _wish(dice.how, f"{say(dice.how, colour)} {say(dice.how, kind)}", split, bare=False)
    return Edit("refuse", words, f"{NOTHING} I see no {colour} {kind} here.", state)


def _wish(rng: Random, name: str, split: Split, *, bare: bool) -> str:
    known = {"it": f"the {name}", "colour": _any_colour(rng)}
    to = aside_words(rng, rng.choice((-1, 1)))
    return phrase(rng, rng.choice(_WISHES), split, **known, name=name if bare else None, to=to)


def _taken(dice: Dice, state: State, split: Split) -> Edit | None:
    """A wish for something new where something stands."""
    assert state.scene
    things = [thing for thing in state.scene.things if thing.cell.row != SKY]
    if not things:
        return None
    thing, how = dice.what.choice(things), dice.how
    kind = how.choice(GROUND_KINDS)
    a = fill(f"a {_any_colour(how)} {say(how, kind)}")
    words = phrase(how, "add", split, a=a, where=f" {place_words(how, state.scene, thing.cell)}")
    return Edit("refuse", words, f"{NOTHING} The {there(thing)} is in the way.", state)


def _no_odd_one(dice: Dice, state: State, split: Split) -> Edit | None:
    """A wish to fix what differs where nothing does."""
    assert state.scene
    if has_odd_one(state.scene):
        return None
    return Edit("refuse", phrase(dice.how, "odd", split), f"{NOTHING} I see no odd one here.", state)


def _any_colour(rng: Random) -> str:
    return wished_colour(rng, rng.choice(tuple(COLOURS)))
