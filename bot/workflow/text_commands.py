"""Text commands ("undo", "back to v2"): whole messages that steer the session and never reach the model.

The phrases are in the table `commands` of each language (see word_lists); `{n}` stands for a version ("2",
"v2", "version 2"), `{v}` for one that says so ("v2"). A phrase counts only when it is the whole message, so
"undo the red" is still an edit.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

from bot.chat.events import (
    CancelAsked,
    CompareAsked,
    EditAsked,
    Event,
    HelpAsked,
    HistoryAsked,
    Move,
    MoveAsked,
    Variation,
    VariationAsked,
    origin,
)
from bot.i18n.catalog import ENGLISH, languages
from bot.i18n.word_lists import word_lists


class CommandWord(StrEnum):
    """What a text command asks for; the value is its key in the tables."""

    UNDO = "undo"
    REDO = "redo"
    GO_TO = "go_to"
    START_OVER = "start_over"
    FROM_ORIGINAL = "from_original"
    AGAIN = "again"
    STRONGER = "stronger"
    SUBTLER = "subtler"
    COMPARE = "compare"
    STOP = "stop"
    HISTORY = "history"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class TextCommand:
    """A text command as typed; `version` ("v2") only with GO_TO and COMPARE."""

    word: CommandWord
    version: str | None = None


_VARIATIONS = {
    CommandWord.AGAIN: Variation.AGAIN,
    CommandWord.STRONGER: Variation.STRONGER,
    CommandWord.SUBTLER: Variation.SUBTLER,
    CommandWord.FROM_ORIGINAL: Variation.FROM_ORIGINAL,
}


def parse(text: str, tongues: Iterable[str] = (ENGLISH,)) -> TextCommand | None:
    """The text command that this whole text is; None for anything else, which is then an instruction."""
    for language in tongues:
        said = _plain(text, word_lists(language).commands["courtesy"])
        for pattern, word in _patterns(language):
            if match := pattern.fullmatch(said):
                number = match.groupdict().get("n")
                return TextCommand(word, None if number is None else f"v{int(number)}")
    return None


def read_text(asked: EditAsked, language: str) -> Event:
    """The event that the text of a message stands for: a text command, else the edit with its text cleaned.

    Commands are known in English and in `language`. With an image or a reading, no text is a command.
    """
    text = clean(asked.text, language)
    if asked.own is not None and _is_pointing(text, language):
        text = ""
    is_plain = asked.own is None and asked.replied is None and not asked.reading
    command = parse(text, {ENGLISH: None, language: None}) if is_plain else None
    return replace(asked, text=text) if command is None else to_event(asked, command)


def _is_pointing(text: str, language: str) -> bool:
    """Whether a text only points at the picture beside it: "this one"."""
    said = " ".join(words_of(text))
    return any(said in word_lists(tongue).instructions["pointing"] for tongue in {ENGLISH, language})


def clean(text: str, language: str) -> str:
    """A text as it is stored: broken halves of characters become question marks, chatter becomes nothing."""
    whole = text.encode("utf-8", "replace").decode("utf-8").strip()
    return "" if is_chatter(whole, language) else whole


def to_event(asked: EditAsked, command: TextCommand) -> Event:
    """The event that `command` stands for, about the version that the message replied to, if any."""
    who = origin(asked)
    replied: dict[str, Any] = {"turn": asked.turn, "reply_to": asked.reply_to}
    match command.word:
        case CommandWord.UNDO:
            return MoveAsked(**who, **replied, move=Move.UNDO)
        case CommandWord.GO_TO:
            return MoveAsked(**who, version=command.version, move=Move.GO_TO)
        case CommandWord.REDO:
            return MoveAsked(**who, move=Move.REDO)
        case CommandWord.START_OVER:
            return MoveAsked(**who, move=Move.START_OVER)
        case CommandWord.COMPARE:
            return CompareAsked(**who, **replied, other=command.version)
        case CommandWord.STOP:
            return CancelAsked(**who, **replied)
        case CommandWord.HISTORY:
            return HistoryAsked(**who)
        case CommandWord.HELP:
            return HelpAsked(**who)
    return VariationAsked(**who, **replied, variation=_VARIATIONS[command.word])


def is_chatter(text: str, language: str = ENGLISH) -> bool:
    """Whether a text holds no words, or only laughter and the like. Links and custom emoji are no words."""
    words = words_of(re.sub(r"<a?:\w+:\d+>|:\w+:|https?://\S+", " ", text))
    laughs = {*word_lists(ENGLISH).instructions["laughter"], *word_lists(language).instructions["laughter"]}
    return not words or " ".join(words) in laughs or all(_laughs(word, laughs) for word in words)


def _laughs(word: str, laughs: set[str]) -> bool:
    return word in laughs or re.fullmatch(r"(?:ha|he|hi|ja|je|xd|lo+l)+h?|x+d+|a+h+|o+h+", word) is not None


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation and symbols."""
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)?", text.casefold())


def version_number(text: str) -> int | None:
    """The n of "v2", "2" or "version 2", in any language; None for anything else."""
    said = _plain(text, ())
    found = (re.fullmatch(_blanks(language)["{n}"], said) for language in languages())
    return next((int(match["n"]) for match in found if match), None)


def _plain(text: str, courtesy: Iterable[str]) -> str:
    """Lower case, without outer punctuation, double spaces or a "please"."""
    words = re.sub(r"[\s,.!¡…'\"“”„«»]+", " ", text.casefold()).split()
    return " ".join(word for word in words if word not in courtesy)


@cache
def _blanks(language: str) -> Mapping[str, str]:
    names = "|".join(map(re.escape, word_lists(language).commands["version"]))
    number = r"(?P<n>\d{1,6})"
    return {"{n}": rf"(?:{names})? ?{number}", "{v}": rf"(?:{names}) ?{number}"}


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], CommandWord], ...]:
    return tuple(
        (_pattern(phrase, language), word)
        for word in CommandWord
        for phrase in word_lists(language).commands[word]
    )


def _pattern(phrase: str, language: str) -> re.Pattern[str]:
    pattern = re.escape(_plain(phrase, ()))
    for blank, expression in _blanks(language).items():
        pattern = pattern.replace(re.escape(blank), expression)
    return re.compile(pattern)
