"""Addressed tones in words: one operation of light or colour for a part of the picture.

A region is named by its place, its brightness, its colour or, on layered procedural photos, by what it is.
The expressive instruction is "The sky gets darker. The rest stays."
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from types import MappingProxyType

from mgie_engine.lab.scenes.compound_edits import joined
from mgie_engine.lab.scenes.expressive_text import NOTHING, REST_STAYS, plural_effect
from mgie_engine.lab.scenes.phrasing import dress, fields, fill, table, vary, vary_graded
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene_edits import Edit, State
from mgie_engine.lab.scenes.tonal import (
    DEGREES,
    GRADES,
    degree_words,
    has_room,
    is_idle,
    tone_edit,
    tone_instruction,
)
from mgie_engine.restore.region_masks import WHOLE
from mgie_engine.restore.said_tones import effects
from mgie_engine.restore.tones import INVERSE, STRENGTHS, UNGRADED, ToneSpec

POSITIONS = (
    "left", "right", "top", "bottom", "left", "right", "top", "bottom", "left third", "middle third",
    "right third", "top third", "bottom third", "top left", "top right", "bottom left", "bottom right",
    "centre", "centre", "edges", "corners",
)  # fmt: skip
BRIGHTNESS = ("shadows", "shadows", "midtones", "highlights", "highlights")
COLOURS = ("reds", "oranges", "yellows", "greens", "blues", "purples")
SCENERY = ("sky", "mountains", "ground", "water", "foliage")
OTHER_HALF: Mapping[str, str] = MappingProxyType(
    {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
)
_LIGHT = (
    "brighter",
    "brighter",
    "brighter",
    "darker",
    "darker",
    "darker",
    "warm",
    "warm",
    "cool",
    "cool",
    "vivid",
    "muted",
)
_ANY = (
    *_LIGHT,
    "grey",
    "grey",
    "contrast",
    "flat",
    "blur",
    "blur",
    "sharpen",
    "clarity",
    "magenta",
    "green",
    "dehaze",
)
_HUES = ("to_red", "to_orange", "to_yellow", "to_green", "to_blue", "to_purple", "to_pink", "to_teal")
_OF_COLOUR = ("brighter", "darker", "vivid", "vivid", "muted", "muted", "grey", *_HUES)
_OF_ALL_BUT = ("grey", "grey", "grey", "muted", "darker", "brighter", "blur", "warm", "cool")
_HUES_OF: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "sky": ("to_blue", "to_blue", "to_blue", "to_orange", "to_pink", "to_purple"),
        "foliage": ("to_green", "to_green", "to_green", "to_yellow", "to_orange", "to_red"),
        "ground": ("to_green", "to_green", "to_yellow"),
        "water": ("to_blue", "to_teal", "to_green"),
    }
)
_OWN_HUE: Mapping[str, str] = MappingProxyType(
    {f"to_{name.removesuffix('s')}": name for name in COLOURS} | {"to_pink": "purples"}
)
_UNCLEAR_FOR_HUES = frozenset(
    {"{r} more {more}", "{more} {bare}", "{bare} {more}"}
)  # "more green" is a little, "purple red" may be either
UNGRADED_HERE = UNGRADED | {"grey"}


def addressed(streams: RngStreams, state: State) -> Edit | None:
    """One addressed tone, or two in one instruction; now and then for a layer that is not there."""
    content = streams.content
    if state.scene is None and content.random() < 0.04:
        return _no_such_layer(streams, state)
    first = drawn_tone(content, state)
    second = drawn_tone(content, state) if content.random() < 0.16 else None
    if second and content.random() < 0.2:
        second = content.choice([name for name in _LIGHT if not is_idle(name, state)]), WHOLE, "plain"
    if second and second[1] == first[1]:
        return None
    words = streams.bare()
    said = spoken(words, *first)
    if second is not None:
        said = joined(streams, said, spoken(words, *second))
    tones = [first] if second is None else [first, second]
    return local_edit(state, tones, dress(streams.wording, said))


def two_tones(streams: RngStreams, state: State) -> Edit | None:
    """Two operations on the whole picture in one instruction."""
    names = streams.content.sample(
        (*dict.fromkeys(_LIGHT), "contrast", "flat", "blur", "sharpen", "clarity", "vignette"), 2
    )
    if INVERSE.get(names[0]) == names[1]:
        return None
    degrees = [streams.content.choice(("plain", "plain", "little", "much")) for _ in names]
    said = [tone_instruction(streams.bare(), *tone) for tone in zip(names, degrees, strict=True)]
    words = dress(streams.wording, joined(streams, *said))
    return tone_edit(state, [*zip(names, degrees, strict=True)], words)


def mistaken_first(streams: RngStreams, state: State) -> Edit | None:
    """An addressed tone whose instruction says something else first and takes it back."""
    content, wording = streams.content, streams.wording
    right, wrong = drawn_tone(content, state), drawn_tone(content, state)
    if right[:2] == wrong[:2]:
        return None
    words = streams.bare()
    slip = streams.template("slips", "compound")
    way = wording.random()
    # after "but not the reds, no, the sky" the sky might be what is left out
    excludes = any(region.startswith("not ") for region in (right[1], wrong[1]))
    if way < 0.4 and right[1] != wrong[1] and not excludes:
        said = f"{spoken(words, right[0], wrong[1], right[2])}{slip}{region_words(words, right[1])}"
    else:
        said = f"{spoken(words, *wrong)}{slip}{spoken(words, *right)}"
    return local_edit(state, [right], dress(wording, said))


def local_edit(state: State, tones: Sequence[tuple[str, str, str]], instruction: str) -> Edit | None:
    """The edit for (operation, region, degree) in order; None if the chain is long or nothing is seen."""
    if not has_room(state, len(tones)):
        return None
    if any(region == "whole" and is_idle(name, state) for name, region, _ in tones):
        return None
    text = " ".join(f"{sentence(*tone)}" for tone in tones)
    specs = tuple(ToneSpec(name, STRENGTHS[degree], region) for name, region, degree in tones)
    return Edit(
        "local", instruction, f"{text} {REST_STAYS}", replace(state, tones=state.tones + specs), act="tone"
    )


def sentence(name: str, region: str, degree: str) -> str:
    """What an addressed tone says: "The sky gets darker."."""
    said: str = "whole picture" if region == "whole" else table("addressed")["regions"][region]
    effect: str = effects()[name][DEGREES.index(degree)]
    if said.startswith("everything"):
        return f"E{said[1:]} {effect}."
    return f"The {said} {plural_effect(effect) if said.endswith('s') else effect}."


def spoken(streams: RngStreams, name: str, region: str, degree: str) -> str:
    """Words for an addressed tone, without typing habits."""
    if region == "whole":
        return tone_instruction(streams, name, degree)
    wording, split = streams.wording, streams.split
    inner = region.removeprefix("not ")
    if region == "background" and name == "blur" and degree == "plain" and wording.random() < 0.15:
        return vary(wording, wording.choice(_list("special", "blur_background", split)))
    if region == inner:
        return _framed(streams, (name, region, degree), region_words(streams, region))
    if name == "grey" and inner in COLOURS and wording.random() < 0.6:
        return _selective(streams, inner)
    out = region_words(streams, inner)
    if wording.random() < 0.5 or name == "muted" or name.startswith("to_"):
        way = vary(wording, wording.choice(_list("but", "", split)))
        return _framed(streams, (name, region, degree), way.format(x=out))
    whole = tone_instruction(streams, name, degree).rstrip("?!. ")
    return f"{whole}{vary(wording, wording.choice(_list('without', '', split))).format(x=out)}"


def region_words(streams: RngStreams, region: str) -> str:
    """A region with its article."""
    names = table("addressed")["names"][region]
    ways = names["test"] if streams.split == "test" and streams.wording.random() < 0.3 else names["train"]
    return vary(streams.wording, streams.wording.choice(ways))


def _selective(streams: RngStreams, colour: str) -> str:
    wording = streams.wording
    adjective = table("addressed")["adjectives"][colour]
    ways = vary(wording, wording.choice(_list("selective", "", streams.split)))
    return ways.format(c=adjective, x=region_words(streams, colour))


def _framed(streams: RngStreams, tone: tuple[str, str, str], where: str) -> str:
    name, region, degree = tone
    wording = streams.wording
    words = table("addressed")["ops"][name]
    known = {key: words[key] for key in ("more", "verb", "bad", "less") if key in words}
    kind = "colours" if region in COLOURS else "but" if region.startswith("not ") else "others"
    known["verb"] = [*known["verb"], *words.get("verb_of", {}).get(kind, ())]
    hue = name.startswith("to_")
    if hue:  # "greener" is a little, "green" plain
        known["more"] = words.get(f"more_{degree}", words["more"])
        if known["more"] is not words["more"]:
            del known["verb"]
    ways = [way for way in _list("frames", "", streams.split) if not (hue and way in _UNCLEAR_FOR_HUES)]
    own = words.get(f"more_ways_{degree}" if hue else "more_ways")
    if streams.split != "test" and own and wording.random() < 0.2:
        ways = own
    sayable = [way for way in ways if fields(way) <= {*known, *GRADES, "r", "bare"}]
    chosen = {key: wording.choice(value) for key, value in known.items()}
    chosen |= degree_words(wording, "plain" if hue else degree)
    chosen |= {"r": where, "bare": where.removeprefix("the ")}
    if hue or degree == "plain":
        return fill(vary(wording, wording.choice(sayable)), **chosen)
    fitting = [way for way in sayable if fields(way) & GRADES] or ["{verb} {r} {by}"]
    return fill(vary_graded(wording, fitting, GRADES), **chosen)


def _list(section: str, name: str, split: str) -> Sequence[str]:
    data = table("addressed")[section]
    data = data[name] if name else data
    ways: Sequence[str] = data["test" if split == "test" else "train"]
    return ways


def drawn_tone(content: Random, state: State) -> tuple[str, str, str]:
    """Operation, region and degree for a picture."""
    layers = [layer for layer in state.layers if layer != "background"]
    groups = ["position", "brightness", "colour", "colour", "but"] + ["layer"] * (5 if layers else 0)
    name, region = _of_group(content, content.choice(groups), layers, state)
    if name in UNGRADED_HERE:
        return name, region, "plain"
    degree = "plain" if content.random() < 0.6 else content.choice(("little", "much"))
    return name, region, degree


def _of_group(content: Random, group: str, layers: Sequence[str], state: State) -> tuple[str, str]:
    if group == "position":
        return content.choice(_ANY), content.choice(POSITIONS)
    if group == "brightness":
        return content.choice(_LIGHT), content.choice(BRIGHTNESS)
    if group == "colour":
        region = content.choice(COLOURS)
        return content.choice([n for n in _OF_COLOUR if _OWN_HUE.get(n) != region or n == "to_green"]), region
    if group == "but":
        within = [*COLOURS, *(layer for layer in layers if layer != "subject")]
        return content.choice(_OF_ALL_BUT), f"not {content.choice(within)}"
    region = content.choice([*layers, *(("background",) * 2 if "subject" in layers else ())])
    hues = _HUES_OF.get(region, ())
    if region == "background" and content.random() < 0.3:
        return content.choice(("blur", "blur", "grey")), region
    if hues and content.random() < 0.25:
        return content.choice(hues), region
    return content.choice(_ANY), region


def _no_such_layer(streams: RngStreams, state: State) -> Edit | None:
    """A request for a layer that the photo lacks."""
    absent = [layer for layer in SCENERY if layer not in state.layers]
    if not absent:
        return None
    layer = streams.content.choice(absent)
    said = spoken(streams.bare(), streams.content.choice(_ANY), layer, "plain")
    return Edit("refuse", dress(streams.wording, said), f"{NOTHING} I see no {layer} here.", state)
