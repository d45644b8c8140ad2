"""Requests that are refused by their words: a table of phrases, `word_rules.toml`, which operators extend."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from conversations.messages import Message

_MESSAGES = {  # of the rules in the table that comes with the bot
    "undress": Message("refused_words.undress"),
    "minors": Message("refused_words.minors"),
}
_OTHER = Message("refused_words.other")
_TOKEN = re.compile(r"\{(\w+)\}|(\w+)(\*?)")


class WordRulesError(ValueError):
    """A table of rules cannot be read; says why."""


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    phrases: list[str]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    allow: list[str] = []
    lists: dict[str, list[str]] = {}
    rule: list[_Rule] = []


@dataclass(frozen=True, slots=True)
class WordRules:
    """Compiled rules: by name, phrases whose parts must all occur; and what is cut out before."""

    phrases: tuple[tuple[str, tuple[re.Pattern[str], ...]], ...] = ()
    allowed: tuple[re.Pattern[str], ...] = ()

    def refused_by(self, text: str) -> str | None:
        """The name of the first rule that refuses this text, if any."""
        words = _plain(text)
        for allowed in self.allowed:
            words = allowed.sub(" ", words)
        matching = (name for name, parts in self.phrases if all(part.search(words) for part in parts))
        return next(matching, None)

    def objection(self, *texts: str | None) -> Message | None:
        """Why one of these texts is refused, or None."""
        name = next(filter(None, (self.refused_by(text) for text in texts if text)), None)
        return _MESSAGES.get(name, _OTHER) if name else None


NO_WORD_RULES = WordRules()


@cache
def built_in_rules() -> WordRules:
    """The rules of the table that comes with the bot."""
    return _compiled([_built_in()])


def read_rules(file: Path) -> WordRules:
    """The rules that come with the bot and those of a file. WordRulesError if it cannot be read."""
    try:
        table = _Table.model_validate(tomllib.loads(file.read_text("utf-8")))
        return _compiled([_built_in(), table])
    except OSError as error:
        raise WordRulesError(f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise WordRulesError(f"{file}: {where}: {error.errors()[0]['msg']}") from error
    except ValueError as error:  # also TOMLDecodeError and UnicodeDecodeError
        raise WordRulesError(f"{file}: {error}") from error


def _built_in() -> _Table:
    text = files("bot.policy").joinpath("word_rules.toml").read_text("utf-8")
    return _Table.model_validate(tomllib.loads(text))


def _compiled(tables: Sequence[_Table]) -> WordRules:
    lists: dict[str, list[str]] = {}
    for table in tables:
        for name, entries in table.lists.items():
            lists[name] = [*lists.get(name, []), *entries]
    phrases = [
        (rule.name, tuple(_pattern(part, lists) for part in phrase.split("&")))
        for table in tables
        for rule in table.rule
        for phrase in rule.phrases
    ]
    allowed = tuple(_pattern(phrase, lists) for table in tables for phrase in table.allow)
    return WordRules(tuple(phrases), allowed)


def _pattern(phrase: str, lists: Mapping[str, Sequence[str]]) -> re.Pattern[str]:
    """The pattern of one part of a phrase, for plain text."""
    if _TOKEN.sub("", phrase).strip() or not phrase.strip():
        raise ValueError(f"{phrase!r} is no phrase: write words, word* and {{list}}, separated by spaces")
    return re.compile(rf"\b{_words(phrase, lists)}\b")


def _words(phrase: str, lists: Mapping[str, Sequence[str]]) -> str:
    found = []
    for name, word, star in _TOKEN.findall(phrase):
        if name and name not in lists:
            raise ValueError(f"{phrase!r} names {{{name}}}, which is no list")
        either = "|".join(_words(entry, {}) for entry in lists.get(name, ()))
        found.append(f"(?:{either})" if name else _plain(word) + (r"\w*" if star else ""))
    return " ".join(found)


def _plain(text: str) -> str:
    """Small letters and digits without accents, one space between words."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(letter for letter in letters if unicodedata.category(letter) not in ("Mn", "Cf"))
    return " ".join(re.findall(r"\w+", kept))
