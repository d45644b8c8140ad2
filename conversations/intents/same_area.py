"""Finds the words by which an instruction asks for the region that was marked before: "green, same area"."""

import re
import tomllib
from functools import cache

from conversations.intents.phrase_tables import WORDS, languages


def split_same_area(text: str) -> tuple[str, bool]:
    """The text without such words, in any language, and whether there were some; alone they stay."""
    rest, count = _pattern().subn(" ", text, count=1)
    words = " ".join(rest.split()).strip(" ,;:-–")
    return (words, True) if count and words else (text, bool(count))


@cache
def _pattern() -> re.Pattern[str]:
    phrases = [
        phrase
        for language in languages()
        for phrase in tomllib.loads((WORDS / f"{language}.toml").read_text("utf-8"))["same_area"]
    ]
    longest_first = sorted(phrases, key=len, reverse=True)
    options = "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in longest_first)
    return re.compile(rf"[\s,;:(–-]*(?<!\w)(?:{options})(?!\w)[\s,;:)–-]*", re.IGNORECASE)
