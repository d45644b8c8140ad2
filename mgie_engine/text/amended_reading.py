"""The reading of an edit of the whole picture, limited to a part or leaving one out. Imports no torch.

    amended_reading("The whole picture turns sepia. All things stay where they are.", "except the red")
    → "Everything but the reds turns sepia. The rest stays."

It is known without the model where the part is one that is cut out exactly.
"""

import re

_WHOLE = re.compile(r"The whole picture (?P<effects>.+)\. All things stay where they are\.")
_AND = re.compile(r" and (?=gets|takes|turns|fades)")
_REST = "The rest stays."
_ARTICLE = r"(?:all (?:of )?)?(?:the )?"
_PARTS = r"(?: (?:parts?|areas?|bits?|things?|ones?|tones?|colou?rs?))?"
_COLOUR = re.compile(rf"{_ARTICLE}(red|orange|yellow|green|blue|purple)s?{_PARTS}")
_LIGHT = {
    "shadows": re.compile(rf"{_ARTICLE}(?:shadows|dark (?:parts|areas|bits|tones))"),
    "highlights": re.compile(rf"{_ARTICLE}(?:highlights|(?:bright|light) (?:parts|areas|bits|tones))"),
    "mid-tones": re.compile(rf"{_ARTICLE}mid-?tones"),
}
_SIDE = re.compile(
    r"(?:the )?(left|right|top|upper|bottom|lower)(?:[ -]hand)?(?: (?:half|side|part))?(?: half)?"
)
_HALVES = {"upper": "top", "lower": "bottom"}
_OPPOSITE = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}


def amended_reading(reading: str, amendment: str) -> str | None:
    """The reading with "except …" or "just …"; None where only the model can tell what that is."""
    whole = _WHOLE.fullmatch(reading.strip())
    way, _, part = amendment.casefold().partition(" ")
    subject = _subject(way, part.strip()) if whole else None
    if whole is None or subject is None:
        return None
    is_one = subject.startswith("Everything") or subject.endswith("half")
    effects = (effect if is_one else _of_many(effect) for effect in _AND.split(whole["effects"]))
    return " ".join([*(f"{subject} {effect}." for effect in effects), _REST])


def _subject(way: str, part: str) -> str | None:
    """What the change is of: "Everything but the reds", "The left half", "The shadows"."""
    if side := _SIDE.fullmatch(part):
        half = _HALVES.get(side[1], side[1])
        return {"just": f"The {half} half", "except": f"The {_OPPOSITE[half]} half"}.get(way)
    if colour := _COLOUR.fullmatch(part):
        return {"just": f"The {colour[1]}s", "except": f"Everything but the {colour[1]}s"}.get(way)
    light = next((name for name, said in _LIGHT.items() if said.fullmatch(part)), None)
    return f"The {light}" if light and way == "just" else None


def _of_many(effect: str) -> str:
    """ "gets darker" → "get darker"."""
    verb, _, rest = effect.partition(" ")
    return f"{verb.removesuffix('s')} {rest}"
