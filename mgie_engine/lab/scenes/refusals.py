"""Instructions that the model must refuse with a reason, and instructions to change nothing.

A photo has no objects that the model could name, so every request for content is answered there with "Nothing
changes".
"""

from string import ascii_lowercase

from mgie_engine.lab.scenes.ambiguous_edits import has_odd_one
from mgie_engine.lab.scenes.edit_generators import aside_words
from mgie_engine.lab.scenes.expressive_text import AS_ASKED, KNOWN_HERE, KNOWN_PHOTO, NOTHING, there
from mgie_engine.lab.scenes.phrasing import (
    dress,
    fill,
    plural,
    table,
    templates,
    vary,
)
from mgie_engine.lab.scenes.references import place_words
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import COLOURS, GROUND_KINDS, GROUNDS, SKY, SKY_KINDS
from mgie_engine.lab.scenes.scene_edits import Edit, State

_KINDS = ("recolour", "remove", "grow", "shrink", "move")
_KINDS_ON_PHOTO = (
    *_KINDS, "add", "replace", "all", "ground", "weather", "summer", "match", "add_two",
    "remove_all", "swap_places", "clear", "odd",
)  # fmt: skip


def nothing(streams: RngStreams, state: State) -> Edit | None:
    """An instruction to change nothing."""
    return Edit("nothing", streams.phrase("nothing"), AS_ASKED, state)


def refuse(streams: RngStreams, state: State) -> Edit | None:
    """A request outside the grammar, for an object that is not in the picture, or for a taken place."""
    if state.scene and streams.content.random() < 0.55:
        makers = (absent, absent, absent, _no_such_colour, _no_such_colour, _taken, _no_odd_one)
        return streams.content.choice(makers)(streams, state)
    reason = KNOWN_HERE if state.scene else KNOWN_PHOTO
    return Edit("refuse", _foreign_request(streams), f"{NOTHING} {reason}", state)


def _foreign_request(streams: RngStreams) -> str:
    wording, split = streams.wording, streams.split
    kind = wording.random()
    if kind < 0.04:
        words = "".join(wording.choices(ascii_lowercase, k=wording.randint(4, 10)))  # random letters
    elif kind < 0.3:
        key = "test" if split == "test" else "train"
        words = wording.choice(table("elsewhere")[key])
    elif kind < 0.5:
        words = fill(vary(wording, wording.choice(templates("sayings", split, "elsewhere"))))
    elif kind < 0.7:
        words = _about_something(streams)
    else:
        x, y = wording.sample(table("elsewhere")["subjects"], 2)
        ask = wording.choice(templates("asks", split, "elsewhere"))
        words = fill(vary(wording, ask), x=x, y=y, c=wording.choice(tuple(COLOURS)))
    return dress(wording, words)


def _about_something(streams: RngStreams) -> str:
    """A question or remark about a kind of object, or a request that no edit fulfils."""
    wording = streams.wording
    obj = wording.choice(GROUND_KINDS + SKY_KINDS)
    known = {"x": wording.choice(table("elsewhere")["subjects"]), "c": wording.choice(tuple(COLOURS))}
    ask = vary(wording, wording.choice(templates("about", streams.split, "elsewhere")))
    return fill(ask, thing=streams.say(obj), things=plural(streams.say(obj)), **known)


def content_on_photo(streams: RngStreams, state: State) -> Edit | None:
    """A request for objects or surroundings on a photo."""
    wording = streams.wording
    name, colour = streams.say(wording.choice(GROUND_KINDS + SKY_KINDS)), _any_colour(streams)
    known = {
        "it": f"the {name}", "name": name, "names": plural(name), "colour": colour, "where": "",
        "other": f"the {streams.say(wording.choice(GROUND_KINDS))}", "a": fill(f"a {colour} {name}"),
        "to": aside_words(wording, wording.choice((-1, 1))),
        "ground": wording.choice(GROUNDS), "weather_noun": "rain", "weather": "rainy",
    }  # fmt: skip
    words = streams.phrase(wording.choice(_KINDS_ON_PHOTO), **known)
    return Edit("refuse", words, f"{NOTHING} {KNOWN_PHOTO}", state)


def absent(streams: RngStreams, state: State) -> Edit:
    """A request for a kind of object that is not in the picture."""
    here = {obj.kind for obj in state.drawn.objects}
    kind = streams.content.choice([kind for kind in GROUND_KINDS + SKY_KINDS if kind not in here])
    wording = streams.wording
    colour = f"{streams.say(wording.choice(tuple(COLOURS)))} " if wording.random() < 0.3 else ""
    if not colour and wording.random() < 0.15:
        known = {"name": streams.say(kind), "colour": _any_colour(streams)}
        words = streams.phrase(wording.choice(("all", "remove_all")), names=plural(known["name"]), **known)
    else:
        words = _request(streams, f"{colour}{streams.say(kind)}", bare=not colour)
    return Edit("refuse", words, f"{NOTHING} I see no {kind} here.", state)


def _no_such_colour(streams: RngStreams, state: State) -> Edit | None:
    """A request for an object in a colour that none of its kind has."""
    objects = state.drawn.objects
    if not objects:
        return None
    kind = streams.content.choice(objects).kind
    taken = {obj.colour for obj in state.drawn.of(kind)}
    colour = streams.content.choice([colour for colour in COLOURS if colour not in taken])
    words = _request(streams, f"{streams.say(colour)} {streams.say(kind)}", bare=False)
    return Edit("refuse", words, f"{NOTHING} I see no {colour} {kind} here.", state)


def _request(streams: RngStreams, name: str, *, bare: bool) -> str:
    wording = streams.wording
    known = {"it": f"the {name}", "colour": _any_colour(streams)}
    to = aside_words(wording, wording.choice((-1, 1)))
    return streams.phrase(wording.choice(_KINDS), **known, name=name if bare else None, to=to)


def _taken(streams: RngStreams, state: State) -> Edit | None:
    """A request to add an object in a taken cell."""
    objects = [obj for obj in state.drawn.objects if obj.cell.row != SKY]
    if not objects:
        return None
    obj, wording = streams.content.choice(objects), streams.wording
    kind = wording.choice(GROUND_KINDS)
    a = fill(f"a {_any_colour(streams)} {streams.say(kind)}")
    words = streams.phrase("add", a=a, where=f" {place_words(wording, state.drawn, obj.cell)}")
    return Edit("refuse", words, f"{NOTHING} The {there(obj)} is in the way.", state)


def _no_odd_one(streams: RngStreams, state: State) -> Edit | None:
    """A request to fix the odd one out where there is none."""
    if has_odd_one(state.drawn):
        return None
    return Edit("refuse", streams.phrase("odd"), f"{NOTHING} I see no odd one here.", state)


def _any_colour(streams: RngStreams) -> str:
    return streams.target_colour(streams.wording.choice(tuple(COLOURS)))
