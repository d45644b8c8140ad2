"""Takes a text apart that gives a text command and then an instruction: "undo that and make it blue".

How many results it is to have may come last: "make it blue, four versions".
"""

import re
from collections.abc import Callable, Iterator

from conversations.intents.sorted_text import CommandWord, TextCommand

FIRST = (
    CommandWord.REJECT,
    CommandWord.UNDO,
    CommandWord.START_OVER,
    CommandWord.GO_TO,
    CommandWord.SEEDS,
)
PLACES_MAX = 6  # where a text is tried to be taken apart
_AND = r"(?:and|then|und|dann|y|luego)"
_BUT = (
    r"(?:but(?!\s+(?:keep|leave|not))|aber(?!\s+(?:lass|behalt|nicht))|pero(?!\s+(?:deja|mant|conserv|no\b)))"
)
_JOINT = re.compile(rf"\s*[,;.!:\n]\s*(?:(?:{_AND}|{_BUT})\s+)*|\s+(?:(?:{_AND}|{_BUT})\s+)+", re.IGNORECASE)
_BEGINS_BUT = re.compile(r"(?:but|aber|pero)\b", re.IGNORECASE)  # "undo, but keep the hat"


def split_first_step(
    text: str, command_in: Callable[[str], TextCommand | None], is_edit: Callable[[str], bool]
) -> tuple[TextCommand, str] | None:
    """The command of a text without markup, and the instruction after it or before it; else None.

    `command_in`: the command that a text gives; `is_edit`: whether a text is an instruction.
    """
    for head, rest in _halves(text):
        last = command_in(rest)
        if last is not None and last.word is CommandWord.SEEDS and is_edit(head):
            return last, head
        command = command_in(head)
        is_first = command is not None and command.word in FIRST
        if command is None or not is_first or (command.word is CommandWord.GO_TO and not command.version):
            continue
        if is_edit(rest):
            return command, rest
    return None


def _halves(text: str) -> Iterator[tuple[str, str]]:
    joints = [*_JOINT.finditer(text)][:PLACES_MAX]
    for joint in reversed(joints):  # the longest beginning first: it may hold thanks and a command
        head, rest = text[: joint.start()].strip(), text[joint.end() :].strip()
        if head and rest and not _BEGINS_BUT.match(rest):
            yield head, rest
