"""Corrects plainly mistyped words of an instruction before a model reads it. Imports no torch.

A small language model reads a word by its pieces, and those of a mistyped word lead it anywhere: "enlrage the
ball" was read as a removal. A word is corrected if nothing knows it, and one slip of the fingers leads to
exactly one word that the phrasing tables have.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from conversations.intents.phrase_tables import ENGLISH, phrase_table
from conversations.intents.tagged_words import plain_word

KNOWN_WORDS = Path(__file__).parent / "known_words.txt"
_WORD = re.compile(r"(?<![\w'’-])[A-Za-z]{4,}(?![\w'’-])")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {b: a + c for row in _ROWS for a, b, c in zip(f" {row}", row, f"{row[1:]} ", strict=False)}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_VOWELS = "aeiou"
_LEAST_MISTAKEN, _LEAST_VOWEL = 5, 6  # letters: of shorter words too many are one letter from another


class KnownWords(NamedTuple):
    """The words of the phrasing tables, and common English ones that are one slip from such a word."""

    taught: frozenset[str]
    others: frozenset[str]


@cache
def known_words() -> KnownWords:
    """The lists of known_words.txt, which has a paragraph for each."""
    taught, others = KNOWN_WORDS.read_text("utf-8").split("\n\n")
    return KnownWords(frozenset(taught.split()), frozenset(others.split()))


def corrected(text: str) -> str:
    """The text with its mistyped words corrected; capitals stay, and so do names."""
    return _WORD.sub(_corrected, text)


@lru_cache(4096)  # users write any number of words
def correction(word: str) -> str:
    """The word that a mistyped one of lower-case letters was meant to be; the same for all others."""
    known = known_words()
    if any(way in words for way in (word, word.removesuffix("s")) for words in known):
        return word
    if phrase_table(ENGLISH).knows(plain_word(word)):
        return word
    meant = {way for way in _slips_undone(word) if way[0] == word[0] and way in known.taught}
    if len(meant) > 1:
        meant = {way for way in meant if sorted(way) == sorted(word)}  # swapped letters come first
    return meant.pop() if len(meant) == 1 else word


def _slips_undone(word: str) -> Iterator[str]:
    for at in range(1, len(word)):
        before, sign, after = word[:at], word[at], word[at + 1 :]
        yield before[:-1] + sign + before[-1] + after  # two letters swapped
        if sign == before[-1]:
            yield before + after  # typed twice
        if len(word) >= _LEAST_MISTAKEN:
            yield from (before + other + after for other in _BESIDE[sign].strip())
        if len(word) >= _LEAST_VOWEL and sign in _VOWELS:
            yield from (before + other + after for other in _VOWELS)
    for at in range(1, len(word) + 1):
        yield from (word[:at] + letter + word[at:] for letter in _LETTERS)  # left out


def _corrected(found: re.Match[str]) -> str:
    typed = found[0]
    is_name = typed[0].isupper() and not typed.isupper() and bool(found.string[: found.start()].strip())
    meant = typed.lower() if is_name else correction(typed.lower())
    if meant == typed.lower():
        return typed
    if typed.isupper():
        return meant.upper()
    return meant.capitalize() if typed[0].isupper() else meant
