"""Which part of a picture an instruction names, and whether a model can address it. Imports no torch.

A model that only knows the light and colour of all of a picture reads "make the sky darker" as "The whole
picture gets darker." Such a reading is asked about or announced, see `unaddressed_region`.
"""

import re

from conversations.intents.phrase_tables import ENGLISH, phrase_table
from conversations.intents.tagged_words import plain_word
from mgie_engine.config import ModelConfig

_COLOURS = {
    "red": "reds", "orange": "oranges", "yellow": "yellows", "green": "greens", "blue": "blues",
    "purple": "purples", "violet": "purples", "pink": "purples", "magenta": "purples", "cyan": "blues",
    "turquoise": "blues", "brown": "oranges", "teal": "blues", "black": "shadows", "white": "highlights",
}  # fmt: skip
_PLACES = {  # words → regions of which one is enough; those without any no model addresses
    r"sk(?:y|ies)": ("sky",),
    r"clouds?": ("sky",),
    r"background|backdrop|surroundings": ("background",),
    r"foreground": ("subject", "ground"),
    r"subject": ("subject",),
    r"grass|lawn|meadow|fields?": ("ground", "foliage"),
    r"ground|floor|street|road|path|pavement|sand|beach": ("ground",),
    r"water|sea|lake|river|ocean|pond|waves?": ("water",),
    r"trees?|leaves|foliage|plants?|bush(?:es)?|forest": ("foliage",),
    r"shadows|dark (?:parts|areas|bits|spots)": ("shadows",),
    r"highlights|(?:bright|light) (?:parts|areas|bits|spots)": ("highlights",),
    r"mid-?tones": ("midtones",),
    r"corners": ("corners",),
    r"edges|borders|margins": ("edges",),
    r"(?:centre|center|middle)(?= of the| part| only|$)": ("centre",),
    r"mountains?|hills?|roof|walls?|horizon|buildings?|houses?": (),
}
_NO_PARTS = (
    "painting",
    "poster",
    "screen",
    "frame",
    "camera",
    "object",
    "lamp",
)  # may mean all of the picture
_SIDES = {
    "left": "left",
    "right": "right",
    "top": "top",
    "upper": "top",
    "bottom": "bottom",
    "lower": "bottom",
}
_DETERMINER = r"(?:the|my|his|her|their|its|our|this|that|these|those|everyone'?s)"
_SIDE = re.compile(
    r"\b(?:(?P<vertical>top|upper|bottom|lower)[ -]?)?(?P<side>left|right|top|upper|bottom|lower)"
    r"(?:[ -]hand)? (?P<part>half|third|side|part|corner|quarter|area)\b|\bon the (?P<on>left|right)\b"
)
_COLOUR = "|".join(_COLOURS)
_COLOUR_PART = re.compile(
    rf"\b(?P<plural>reds|oranges|yellows|greens|blues|purples|pinks|violets|magentas|cyans)\b"
    rf"|\b(?P<part>{_COLOUR}) (?:parts?|areas?|bits?|things?|objects?|ones?)\b"
    r"|\b(?:except|excepting|excluding|but|besides|apart from|other than|without) (?:for )?"
    rf"(?:the |what is |what's )?(?P<not>{_COLOUR})\b"
    rf"|\b(?:keep|leave) (?:only |just )?(?:the )?(?P<kept>{_COLOUR})\b"
    rf"|\b(?:only|just) the (?P<only>{_COLOUR})\b"
)
_PLACE = {re.compile(rf"\b(?:{words})\b"): regions for words, regions in _PLACES.items()}
_EDGES = re.compile(r"\b(?:edges|borders|margins)\b")  # also what is sharpened, or fades in a vignette
# What follows is compared with, or a reason.
_ASIDE = re.compile(
    r"\b(?:like|as|than|for|because|since|so that|style of|look of|from|hurts?|burns?)\b.*|^ ?my eyes$"
)
_EVERYTHING = re.compile(
    r"\b(?:everything|overall|across the board|all of it"
    r"|(?:whole|entire) (?:thing|picture|photo|image|scene|shot|pic))\b"
)
_EXCEPTION = re.compile(r"\b(?:except|excepting|excluding|but|besides|apart|other than|not|without|only)\b")


def unaddressed_region(
    instruction: str, expressive: str, config: ModelConfig, *, is_unsure: bool = False
) -> str | None:
    """The part of the picture that the instruction names and the reading leaves out, in its own words.

    None unless the model read a change of the whole picture. A model that can address the part
    (`ModelConfig.regions`) is trusted with it, unless it `is_unsure` of its reading.
    """
    if not config.whole_picture or not expressive.startswith(config.whole_picture):
        return None
    text = " ".join(instruction.casefold().replace("’", "'").split())
    if _EVERYTHING.search(text) and not _EXCEPTION.search(text):
        return None
    if "vignett" in text or "sharper" in expressive:
        text = _EDGES.sub(" ", text)
    known = frozenset[str]() if is_unsure else frozenset(config.regions)
    for clause in re.split(r"[,;.!?:]", text):
        named = _named(_ASIDE.sub("", clause), known)
        if named and not re.search(rf"\b{re.escape(named)}\b", expressive.casefold()):
            return named
    return None


def _named(clause: str, known: frozenset[str]) -> str | None:
    if (side := _SIDE.search(clause)) and not known & _regions_of_side(side):
        return str(side[0]).removeprefix("on the ")
    if colour := _COLOUR_PART.search(clause):
        name: str = next(word for word in colour.groups() if word)
        if _COLOURS.get(name.removesuffix("s") if colour["plural"] else name) not in known:
            return name
    for pattern, regions in _PLACE.items():
        if (place := pattern.search(clause)) and not known & set(regions):
            return str(place[0])
    return _thing(clause)


def _regions_of_side(found: re.Match[str]) -> set[str]:
    if found["on"]:
        return {found["on"]}
    side = " ".join(_SIDES[word] for word in (found["vertical"], found["side"]) if word)
    return {f"{side} third"} if found["part"] == "third" else {side}


def _thing(clause: str) -> str | None:
    """An object with an article: "the car", "her long hair"."""
    table = phrase_table(ENGLISH)
    for found in re.finditer(rf"(?<!\w){_DETERMINER} (\w+)(?: (\w+))?", clause):
        for word in filter(None, found.groups()):
            if word not in _NO_PARTS and table.tags["thing"] in table.lexicon.tags_of(plain_word(word)):
                return str(word)
    return None
