"""Control words: the few sentences that steer the talk and never reach the model.

One table per language, phrases as people type them; `{n}` stands for a version ("2", "v2", "version 2"),
`{v}` for one that says so ("v2"). To add a language, add a table. A phrase counts only when it is the whole
message, so "undo the red" is still an edit.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Word(StrEnum):
    """What a control word asks for."""

    UNDO = "undo"
    REDO = "redo"
    GO_TO = "go_to"
    START_OVER = "start_over"
    AGAIN = "again"
    STRONGER = "stronger"
    SUBTLER = "subtler"
    STOP = "stop"
    HISTORY = "history"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Control:
    """A control word as typed; `version` ("v2") only with GO_TO."""

    word: Word
    version: str | None = None


PHRASES: Mapping[str, Mapping[Word, tuple[str, ...]]] = {
    "en": {
        Word.UNDO: ("undo", "undo that", "undo it", "undo this", "undo the last one", "go back", "revert"),
        Word.REDO: ("redo", "redo that", "redo it", "undo the undo"),
        Word.GO_TO: ("back to {n}", "go back to {n}", "go to {n}", "use {n}", "return to {n}", "{v}"),
        Word.START_OVER: (
            "start over",
            "start again",
            "start again from the original",
            "from the start",
            "back to the start",
            "back to the original",
            "go back to the original",
        ),
        Word.AGAIN: ("again", "try again", "once more", "one more time", "another one", "retry"),
        Word.STRONGER: ("stronger", "more", "not enough"),
        Word.SUBTLER: ("subtler", "weaker", "less", "too much"),
        Word.STOP: ("stop", "cancel", "cancel that", "cancel it", "stop that", "never mind", "nevermind"),
        Word.HISTORY: ("history", "versions", "show history", "show versions"),
        Word.HELP: ("help", "help me"),
    }
}
_COURTESY = {"en": ("please", "pls")}
_NUMBER = r"(?P<n>\d{1,6})"
_NAMED = rf"(?:v|version) ?{_NUMBER}"
_VERSION = rf"(?:v|version)? ?{_NUMBER}"


def control(text: str, languages: Iterable[str] = ("en",)) -> Control | None:
    """The control word this whole text is, or None for anything else, which is then an instruction."""
    for language in languages:
        said = _plain(text, _COURTESY.get(language, ()))
        for pattern, word in _PATTERNS[language]:
            if match := pattern.fullmatch(said):
                number = match.groupdict().get("n")
                return Control(word, None if number is None else f"v{int(number)}")
    return None


def version_number(text: str) -> int | None:
    """The n of "v2", "2" or "version 2"; None for anything else."""
    match = re.fullmatch(_VERSION, _plain(text, ()))
    return int(match["n"]) if match else None


def _plain(text: str, courtesy: Iterable[str]) -> str:
    """Lower case, without outer punctuation, double spaces or a "please"."""
    words = re.sub(r"[\s,.!…'\"“”]+", " ", text.casefold()).split()
    return " ".join(word for word in words if word not in courtesy)


def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(re.escape(phrase).replace(r"\{n\}", _VERSION).replace(r"\{v\}", _NAMED))


_PATTERNS = {
    language: [(_pattern(phrase), word) for word, phrases in table.items() for phrase in phrases]
    for language, table in PHRASES.items()
}
