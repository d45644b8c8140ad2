"""The tables of each language, read once: `words/<language>.toml`; the English one explains itself."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from conversations.intents.phrase_patterns import PatternSet
from conversations.intents.tagged_words import NUMBER, ORDINAL, VERSION, Lexicon, plain_word, spellings

WORDS = Path(__file__).parent / "words"
ENGLISH = "en"
_TAGS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class PhraseTable:
    """The patterns of one language; tables of patterns are described in the file."""

    lexicon: Lexicon
    tags: Mapping[str, str]
    lists: Mapping[str, str]  # tag → name of its list
    commands: Mapping[str, PatternSet]
    steering: Mapping[str, PatternSet]
    answers: Mapping[str, PatternSet]
    pointing: PatternSet
    elsewhere: PatternSet
    same_here: PatternSet
    picking: PatternSet  # texts that name one of several results
    slight: PatternSet
    of_original: PatternSet  # texts that name the uploaded picture
    of_latest: PatternSet  # texts that name the newest version
    literals: frozenset[str]  # plain words of the patterns

    def knows(self, word: str) -> bool:
        """Whether a plain word stands in the tables of this language."""
        return word in self.literals or bool(self.lexicon.tags_of(word))


@cache
def languages() -> tuple[str, ...]:
    """The codes of the languages that are understood, English first."""
    return (ENGLISH, *sorted({path.stem for path in WORDS.glob("*.toml")} - {ENGLISH}))


@cache
def phrase_table(language: str) -> PhraseTable:
    """The tables of a language that `languages` names."""
    data = tomllib.loads((WORDS / f"{language}.toml").read_text("utf-8"))
    tags = dict(zip(data["words"], _TAGS, strict=False))
    groups = {name: "".join(tags[part] for part in parts) for name, parts in data["groups"].items()}
    names = tags | groups | {"number": NUMBER, "ordinal": ORDINAL, "version": VERSION}

    def patterns(texts: Iterable[str]) -> PatternSet:
        return PatternSet(texts, names, data["fragments"])

    def by_name(table: str) -> Mapping[str, PatternSet]:
        return {name: patterns(texts) for name, texts in data[table].items()}

    return PhraseTable(
        _lexicon(data, tags, groups),
        names,
        {tag: name for name, tag in tags.items()},
        by_name("commands"),
        by_name("steering"),
        {name: PatternSet(texts, names, data["answer_parts"]) for name, texts in data["answers"].items()},
        patterns(data["pointing"]["patterns"]),
        patterns(data["elsewhere"]["patterns"]),
        patterns(data["same_here"]["patterns"]),
        PatternSet(data["picking"]["patterns"], names, {"cell": data["picking"]["cell"]}),
        patterns(data["slight"]["patterns"]),
        patterns(["* <original> *"]),
        patterns(["* <latest> *"]),
        frozenset(_literals(data)),
    )


def _literals(data: Mapping[str, Any]) -> Iterator[str]:
    tables = (data["commands"], data["steering"])
    texts = [
        *data["fragments"].values(),
        *(text for table in tables for texts in table.values() for text in texts),
    ]
    for text in texts:
        for word in re.findall(r"<\w+>|[^\s()\[\]|<>*+]+", text):
            if not word.startswith("<"):
                yield from spellings(word)


def load_phrase_tables() -> None:
    """Read the tables of every language, which takes about half a second for each."""
    for language in languages():
        phrase_table(language)


def _lexicon(data: Mapping[str, Any], tags: Mapping[str, str], groups: Mapping[str, str]) -> Lexicon:
    words, stems = defaultdict[str, str](str), defaultdict[str, str](str)
    phrases = defaultdict[str, list[tuple[tuple[str, ...], str]]](list)
    for name, entries in data["words"].items():
        for entry in entries:
            for parts in _forms(entry):
                if len(parts) > 1:
                    phrases[parts[0]].append((parts, tags[name]))
                elif entry.endswith("*"):
                    stems[parts[0]] += tags[name]
                else:
                    words[parts[0]] += tags[name]
    return Lexicon(
        words,
        stems,
        phrases,
        frozenset(map(plain_word, data["splitting"])),
        frozenset(map(plain_word, data["joining"])),
        groups["verb"],
        {plain_word(word): value for word, value in data["numbers"].items()},
        {plain_word(word): value for word, value in data["ordinals"].items()},
        tuple(data["endings"]),
        groups["seen"] if data["compounds"] else "",
    )


def _forms(entry: str) -> Sequence[tuple[str, ...]]:
    """The plain words of an entry, in each of its spellings."""
    return tuple(zip(*(_two(spellings(word)) for word in entry.removesuffix("*").split()), strict=True))


def _two(forms: tuple[str, ...]) -> tuple[str, str]:
    return forms[0], forms[-1]
