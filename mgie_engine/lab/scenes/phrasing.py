"""Instructions as people type them: phrasings, synonyms and typing habits, from the TOML tables here.

A phrasing may hold choices: (one|another), (word|) and <list>, a list of lists.toml. A choice is drawn when
the phrasing is, so that a handful of frames makes many ways to say the same.
"""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from string import Formatter
from typing import Any

from mgie_engine.lab.scenes.expressive_text import Split

_FOLDER = Path(__file__).parent
SPOKEN_PLAINLY = 0.65  # how often the usual word is used, not one of its synonyms
ASIDES = 0.15  # share of instructions with a remark around them that says why, or what is not meant
GLUED = 0.12  # share of slips that leave out a blank
_DRESSINGS = 10
# "everything but all balls except the red one" means nothing
SAYS_ALL = re.compile("everything|all of it|the lot|the rest")
_OF_THE_REST = re.compile(r"the rest|else|that'?s (all|it)|only that|do it|dare you|do that", re.IGNORECASE)
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR_KEYS = {b: a + c for keys in _KEYS for a, b, c in zip(f" {keys}", keys, f"{keys[1:]} ", strict=False)}


@cache
def table(name: str) -> Mapping[str, Any]:
    """The data file `name`.toml beside this module."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))


@cache
def phrasings() -> Mapping[str, Any]:
    """The phrasings of every kind of edit but tones, whichever file they are in."""
    return {kind: ways for name in ("phrases", "around", "talk") for kind, ways in table(name).items()}


@cache
def templates(kind: str, split: Split, source: str = "phrases") -> Sequence[str]:
    """The phrasings of a kind that belong to a split, with their choices open."""
    kinds = phrasings() if source == "phrases" else table(source)
    return tuple(kinds[kind]["test" if split == "test" else "train"])


def vary(rng: Random, template: str) -> str:
    """One way to settle the choices of a phrasing."""
    return "".join(ways[0] if len(ways) == 1 else rng.choice(ways) for ways in _choices(template))


def vary_graded(rng: Random, templates: Sequence[str], grades: Collection[str]) -> str:
    """One way of one of the phrasings that keeps a field of `grades`, which say a degree."""
    for _ in range(50):
        way = vary(rng, rng.choice(templates))
        if fields(way) & set(grades):
            return way
    raise LookupError(f"No phrasing says a degree: {templates[:3]}")


def ways(template: str) -> list[str]:
    """Every way to settle the choices of a phrasing, single blanks between words."""
    return [" ".join("".join(parts).split()) for parts in product(*map(dict.fromkeys, _choices(template)))]


@cache
def _choices(template: str) -> Sequence[Sequence[str]]:
    """A phrasing in pieces, each with all it can be."""
    return tuple(_settled(piece) for piece in re.split(r"(\([^()]*\)|<\w+>)", template) if piece)


def _settled(piece: str) -> Sequence[str]:
    if piece.startswith("("):
        return tuple(way for choice in piece[1:-1].split("|") for way in _written_out(choice))
    return tuple(table("lists")[piece[1:-1]]) if piece.startswith("<") else (piece,)


def _written_out(choice: str) -> list[str]:
    return ["".join(parts) for parts in product(*_choices(choice))]


@cache
def fields(template: str) -> frozenset[str]:
    """The names in braces."""
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name)


def phrase(rng: Random, kind: str, split: Split, **known: str | None) -> str:
    """One instruction for `kind`, with typing habits; only phrasings whose fields are all known."""
    given = {name: value for name, value in known.items() if value is not None}
    text = bare_phrase(rng, kind, split, **known)
    return dress(rng, text if split == "test" else _with_aside(rng, kind, text, given))


def bare_phrase(rng: Random, kind: str, split: Split, **known: str | None) -> str:
    """As `phrase`, without typing habits and remarks: a part of a longer instruction."""
    given = {name: value for name, value in known.items() if value is not None}
    return fill(vary(rng, rng.choice(_fitting(kind, split, frozenset(given)))), **given)


@cache
def _fitting(kind: str, split: Split, known: frozenset[str]) -> Sequence[str]:
    return [template for template in templates(kind, split) if fields(template) <= known]


def _with_aside(rng: Random, kind: str, text: str, given: Mapping[str, str]) -> str:
    """The instruction with a remark before or after it; only remarks that `given` can fill."""
    if rng.random() >= ASIDES or kind not in table("asides"):
        return text
    where = rng.choice(("before", "after"))
    ways = [way for way in _asides(kind, where) if fields(way) <= given.keys()]
    if not ways or (where == "after" and text[-1] in "?!."):
        return text
    said = vary(rng, rng.choice(ways)).format(**given)
    return f"{said}{text}" if where == "before" else f"{text}{said}"


@cache
def _asides(kind: str, where: str) -> Sequence[str]:
    return [*table("asides")["any"][where], *table("asides")[kind][where]]


def fill(template: str, **given: str) -> str:
    """The template with its fields, single blanks, and "an" where it belongs."""
    text = " ".join(template.format(**given).split())
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def without_end_mark(text: str) -> str:
    """An instruction that others can follow in one sentence."""
    return text.rstrip("?!., ")


def dress(rng: Random, text: str) -> str:
    """Typing habits: politeness, small talk, missing articles, capitals, full stops or smiles, rare typos."""
    text = _chatty(rng, _politely(rng, text))
    if text.startswith("I ") and rng.random() < 0.5:
        text = text[:1].lower() + text[1:]
    if rng.random() < 0.3:
        text = text.replace("'", "")
    if rng.random() < 0.06:
        text = re.sub(r"\b(the|a|an) (?!little|bit|lot|touch|tad|whole|notch|hint|great)", "", text) or text
    slips = rng.random()
    for bound in (0.13, 0.05):  # two in one instruction now and then
        text = _mistyped(rng, text) if slips < bound else text
    if rng.random() < 0.25:
        text = text[:1].upper() + text[1:]
    ending = rng.random()
    if ending < 0.15 and text[-1] not in "?.!":
        text += rng.choice((".", ".", "!"))
    elif ending < 0.18:
        text += rng.choice(table("words")["habits"]["trailing"])
    elif ending < 0.2:
        text = text.upper() if ending < 0.185 else text.lower()
    return " ".join(text.split())


def dress_without_rest(rng: Random, text: str) -> str:
    """As `dress`, without an afterthought that all the rest stays, or that it shall be done after all."""
    for _ in range(_DRESSINGS):
        dressed_up = dress(rng, text)
        if len(_OF_THE_REST.findall(dressed_up)) == len(_OF_THE_REST.findall(text)):
            return dressed_up
    return text


def _politely(rng: Random, text: str) -> str:
    habits, manner = table("words")["habits"], rng.random()
    first = text.split()[0]
    if manner < 0.14 and first in habits["verbs"]:
        before = rng.choice(habits["before"])
        asking = before.split()[0] in ("can", "could", "would") and rng.random() < 0.7
        return f"{before} {text}{'?' if asking else ''}"
    if manner < 0.2 and text[-1] not in "?!" and not text.endswith(("please", "now")):
        return f"{text} {rng.choice(habits['after'])}"
    return text


def _chatty(rng: Random, text: str) -> str:
    """Small talk before and after an instruction, without meaning for the edit."""
    habits, talk = table("words")["habits"], rng.random()
    if talk < 0.06:
        return f"{rng.choice(habits['openers'])} {text}"
    if talk < 0.1:
        return f"{vary(rng, rng.choice(habits['remarks']))} {text}"
    if talk < 0.15 and text[-1] not in "?!.":
        after = vary(rng, rng.choice(habits["afterthoughts"]))
        return f"{text}{rng.choice((', ', ', ', '. ', ' - ', ' '))}{after}"
    return text


def _mistyped(rng: Random, text: str) -> str:
    """One slip: a letter doubled, drawn out, dropped, mistaken or swapped with the next, or no blank."""
    words = [match.span() for match in re.finditer(r"[a-z]{3,}", text)]
    if not words:
        return text
    start, end = rng.choice(words)
    if rng.random() < GLUED and text[end : end + 1] == " ":
        return text[:end] + text[end + 1 :]
    if end - start == 3:  # shorter words would become others
        return text[: start + 1] + text[start + 2] + text[start + 1] + text[end:]
    at = rng.randrange(start + 1, end - 1)
    one, two = text[at], text[at + 1]
    beside = rng.choice(_NEAR_KEYS.get(one, one))
    slip = rng.choice((one * 2 + two, one * rng.choice((3, 4)) + two, two, two + one, one, beside + two))
    return text[:at] + slip + text[at + 2 :]


def say(rng: Random, word: str) -> str:
    """A word of the grammar or one of its synonyms, for referring to something."""
    usual: str
    usual, *others = table("words")["names"].get(word, [word])
    return usual if not others or rng.random() < SPOKEN_PLAINLY else rng.choice(others)


def target_colour(rng: Random, colour: str) -> str:
    """A name for a target colour; it stands for the nearest colour of the grammar."""
    return say(rng, colour) if rng.random() < 0.7 else rng.choice(table("words")["target_colours"][colour])


def like(rng: Random, colour: str) -> str:
    """Something that is known to have that colour."""
    known: str = rng.choice(table("words")["like"][colour])
    return known


def dressed(rng: Random, name: str) -> str:
    """A requested object, now and then with an adjective that changes nothing."""
    return f"{rng.choice(table('words')['habits']['dressing'])} {name}" if rng.random() < 0.06 else name


def plural(name: str) -> str:
    """More than one of `name`."""
    head, blank, last = name.rpartition(" ")
    usual: str = table("words")["plurals"].get(last, f"{last}s")
    if last.endswith("y") and last not in table("words")["plurals"]:
        usual = f"{last[:-1]}ies"
    return f"{head}{blank}{usual}"
