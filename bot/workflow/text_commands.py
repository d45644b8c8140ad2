"""Control words: the few sentences that steer the talk and never reach the model.

The phrases are in the table `words` of each language, as people type them; `{n}` stands for a version ("2",
"v2", "version 2"), `{v}` for one that says so ("v2"). A phrase counts only when it is the whole message, so
"undo the red" is still an edit.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from bot.i18n.catalog import ENGLISH, languages, phrasebook


class Word(StrEnum):
    """What a control word asks for; the value is its key in the tables."""

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
class Control:
    """A control word as typed; `version` ("v2") only with GO_TO and COMPARE."""

    word: Word
    version: str | None = None


def control(text: str, tongues: Iterable[str] = (ENGLISH,)) -> Control | None:
    """The control word this whole text is, or None for anything else, which is then an instruction."""
    for language in tongues:
        said = _plain(text, phrasebook(language).words["courtesy"])
        for pattern, word in _patterns(language):
            if match := pattern.fullmatch(said):
                number = match.groupdict().get("n")
                return Control(word, None if number is None else f"v{int(number)}")
    return None


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
    names = "|".join(map(re.escape, phrasebook(language).words["version"]))
    number = r"(?P<n>\d{1,6})"
    return {"{n}": rf"(?:{names})? ?{number}", "{v}": rf"(?:{names}) ?{number}"}


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], Word], ...]:
    return tuple(
        (_pattern(phrase, language), word) for word in Word for phrase in phrasebook(language).words[word]
    )


def _pattern(phrase: str, language: str) -> re.Pattern[str]:
    pattern = re.escape(_plain(phrase, ()))
    for blank, expression in _blanks(language).items():
        pattern = pattern.replace(re.escape(blank), expression)
    return re.compile(pattern)
