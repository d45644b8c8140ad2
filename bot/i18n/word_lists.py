"""Words that are recognised in what users write, a file per language: `locales/<language>/words.toml`.

These are data to parse with, not messages: each language may have as many words as it needs.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from bot.i18n.catalog import LOCALES

Words = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class WordLists:
    """The words of one language; `commands` and `instructions` are described where they are used."""

    commands: Words
    instructions: Words


@cache
def word_lists(language: str) -> WordLists:
    """The words of a language that `languages` names."""
    tables = tomllib.loads((LOCALES / language / "words.toml").read_text("utf-8"))
    return WordLists(
        **{table: {key: tuple(phrases) for key, phrases in lists.items()} for table, lists in tables.items()}
    )
