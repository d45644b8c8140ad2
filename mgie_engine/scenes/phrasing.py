"""How people ask: phrasings, words and typing habits, from the tables phrases.toml and words.toml."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from string import Formatter
from typing import Any

from mgie_engine.scenes.wording import Split

_FOLDER = Path(__file__).parent
SPOKEN_PLAINLY = 0.65  # how often the usual word is used, not one of its synonyms


@cache
def table(name: str) -> Mapping[str, Any]:
    """The data file `name`.toml beside this module."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))


def templates(kind: str, split: Split, source: str = "phrases") -> Sequence[str]:
    """The phrasings of a kind that belong to a split."""
    return tuple(table(source)[kind]["test" if split == "test" else "train"])


@cache
def fields(template: str) -> frozenset[str]:
    """The names in braces."""
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name)


def phrase(rng: Random, kind: str, split: Split, **known: str | None) -> str:
    """One way to ask for `kind`, as somebody types it; only phrasings whose fields are all known."""
    given = {name: value for name, value in known.items() if value is not None}
    fitting = [template for template in templates(kind, split) if fields(template) <= given.keys()]
    return dress(rng, fill(rng.choice(fitting), **given))


def fill(template: str, **given: str) -> str:
    """The template with its fields, single blanks, and "an" where it belongs."""
    text = " ".join(template.format(**given).split())
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def dress(rng: Random, text: str) -> str:
    """Typing habits: politeness, small letters, missing articles, a capital, a full stop, a rare typo."""
    text = _politely(rng, text)
    if text.startswith("I ") and rng.random() < 0.5:
        text = text[:1].lower() + text[1:]
    if rng.random() < 0.3:
        text = text.replace("'", "")
    if rng.random() < 0.06:
        text = re.sub(r"\b(the|a|an) (?!little|bit|lot|touch|tad|whole)", "", text) or text
    if rng.random() < 0.02:
        text = _mistyped(rng, text)
    if rng.random() < 0.25:
        text = text[:1].upper() + text[1:]
    if rng.random() < 0.15 and text[-1] not in "?.!":
        text += rng.choice((".", ".", "!"))
    return text


def _politely(rng: Random, text: str) -> str:
    habits, manner = table("words")["habits"], rng.random()
    first = text.split()[0]
    if manner < 0.12 and first in habits["verbs"]:
        before = rng.choice(habits["before"])
        asking = before.split()[0] in ("can", "could", "would") and rng.random() < 0.7
        return f"{before} {text}{'?' if asking else ''}"
    if manner < 0.18 and text[-1] not in "?!" and not text.endswith(("please", "now")):
        return f"{text} {rng.choice(habits['after'])}"
    return text


def _mistyped(rng: Random, text: str) -> str:
    """One letter of a longer word doubled, dropped, or swapped with the next."""
    words = [match.span() for match in re.finditer(r"[a-z]{5,}", text)]
    if not words:
        return text
    start, end = rng.choice(words)
    at = rng.randrange(start + 1, end - 1)
    slip = rng.choice((text[at] * 2 + text[at + 1], text[at + 1], text[at + 1] + text[at]))
    return text[:at] + slip + text[at + 2 :]


def say(rng: Random, word: str) -> str:
    """A word of this world, or one of its synonyms; good for pointing at something."""
    usual: str
    usual, *others = table("words")["names"].get(word, [word])
    return usual if not others or rng.random() < SPOKEN_PLAINLY else rng.choice(others)


def wished_colour(rng: Random, colour: str) -> str:
    """A name for a colour that something shall get; the nearest colour of this world is meant."""
    return say(rng, colour) if rng.random() < 0.7 else rng.choice(table("words")["wishes"][colour])


def plural(name: str) -> str:
    """More than one of `name`."""
    head, blank, last = name.rpartition(" ")
    usual: str = table("words")["plurals"].get(last, f"{last}s")
    if last.endswith("y") and last not in table("words")["plurals"]:
        usual = f"{last[:-1]}ies"
    return f"{head}{blank}{usual}"
