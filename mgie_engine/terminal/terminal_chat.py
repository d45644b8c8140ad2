"""One conversation in a terminal: what each line leads to, and what is said about it.

A line is understood by the same rule as in the bot (`conversations.intents`). Every version is a file.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from conversations.atomic_write import write_atomically
from conversations.errors import ConversationError
from conversations.intents.intent import sort_text
from conversations.intents.phrase_tables import ENGLISH
from conversations.intents.sorted_text import Asks, CommandWord, TextCommand
from mgie_engine.cli_types import ExitCode, exit_code, print_json, sentence
from mgie_engine.errors import EngineError
from mgie_engine.python_api.edit_conversation import EditConversation
from mgie_engine.python_api.version_tree import Version, version_number
from mgie_engine.terminal.edit_command import describe
from mgie_engine.terminal.progress_bars import edit_bar

HELP = """Say what to change: “make it winter”, “now the roof too”.
  undo · redo · back to v2 · start over              move between versions; nothing is deleted
  again · stronger · subtler · from the original     run the last edit once more
  compare · compare with v1                          write a picture of what changed
  history · show v2                                  list versions and their files
  "undo the braid"                                   in quotes: an instruction, whatever the words look like
  quit, or Ctrl+D                                    end; Ctrl+C stops a running edit"""
NO_EDIT = "That asks for no edit: say what to change, “undo”, or “help”."
_QUOTED = re.compile(r"""["“„«](.+)["”“»]""")
_SHOWING = (CommandWord.COMPARE, CommandWord.HISTORY, CommandWord.SHOW, CommandWord.HELP, CommandWord.STOP)


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """The answer to one line, in words and as JSON."""

    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    code: ExitCode = ExitCode.DONE


class TerminalChat:
    """Answers lines about one picture and writes its versions."""

    def __init__(self, talk: EditConversation, picture: Path, folder: Path, *, as_json: bool) -> None:
        """picture: the file that the conversation is about; folder: where versions go."""
        self._talk = talk
        self._picture = picture
        self._stem = free_stem(folder / picture.stem)
        self._as_json = as_json

    @property
    def prompt(self) -> str:
        """Names the current version."""
        return f"{self._talk.current.label}> "

    def answer(self, line: str) -> ExitCode:
        """Do what a line asks for, and print the answer; the exit code that it would have alone."""
        try:
            answer = self._answer(line)
        except (EngineError, ConversationError, OSError) as error:
            answer = LineAnswer(sentence(error), {"error": sentence(error)}, exit_code(error))
        if self._as_json:
            facts = {"line": line} | dict(answer.facts or {"text": answer.text})
            print_json(facts | ({"code": answer.code} if answer.code else {}))
        else:
            sys.stdout.write(answer.text + "\n")
        sys.stdout.flush()
        return answer.code

    def _answer(self, line: str) -> LineAnswer:
        if quoted := _QUOTED.fullmatch(line):
            return self._edit(quoted[1])
        said = sort_text(line, ENGLISH)
        match said.asks:
            case Asks.CONTROL if said.command and said.command.word in _SHOWING:
                return self._show(said.command)
            case Asks.HELP:
                return LineAnswer(HELP)
            case Asks.IGNORE:
                return LineAnswer(NO_EDIT, {"error": NO_EDIT}, ExitCode.FAILED)
            case Asks.UNSURE if said.command:
                word = said.command.word.replace("_", " ")
                text = f"Did you mean “{word}”? Say that alone. If it is an instruction, put it in quotes."
                return LineAnswer(text, {"error": text}, ExitCode.FAILED)
        answer = self._edit(line, verbatim=False)
        if said.command and said.command.word is CommandWord.REJECT:
            return replace(answer, text=f"{answer.text}\nWhat did you mean instead?")
        return answer

    def _edit(self, line: str, *, verbatim: bool = True) -> LineAnswer:
        """An edit, or a move that the words ask for."""
        before = len(self._talk.versions)
        with edit_bar() as show:
            do = self._talk.edit if verbatim else self._talk.say
            version = do(line, progress=show)
        path = self._path(version)
        facts = {"version": version.number, "file": path}
        if len(self._talk.versions) == before or version.edit is None:
            return LineAnswer(f"back at {version.label}: {path}", facts)
        write_atomically(path, version.png)
        edit = version.edit
        notes = "".join(f"{note}\n" for note in edit.notes)
        seed = "" if edit.is_exact else f" · seed {edit.settings.seed}"
        words = f"{edit.expressive}\n{notes}{path}{seed}"
        return LineAnswer(words, facts | {"parent": version.parent} | describe(edit))

    def _show(self, command: TextCommand) -> LineAnswer:
        match command.word:
            case CommandWord.COMPARE:
                return self._compare(self._number(command) if command.version else None)
            case CommandWord.HISTORY:
                versions, current = self._talk.versions, self._talk.current.number
                lines = [_line(version, self._path(version), current) for version in versions]
                found = [{"version": one.number, "file": self._path(one)} for one in versions]
                return LineAnswer("\n".join(lines), {"versions": found, "current": current})
            case CommandWord.SHOW:
                number = self._number(command) if command.version else self._talk.current.number
                version = self._talk.version(number)
                path = self._path(version)
                return LineAnswer(_line(version, path, -1), {"version": number, "file": path})
            case CommandWord.STOP:
                return LineAnswer("Nothing runs. Ctrl+C stops a running edit; “quit” ends.")
        return LineAnswer(HELP)

    def _compare(self, other: int | None) -> LineAnswer:
        """With another version that is named, else with the one that the current one was made from."""
        new = self._talk.current
        other = None if other == new.number else other
        found = self._talk.compare(other)
        old = new.parent if other is None else other
        path = self._stem.with_name(f"{self._stem.name}-v{old}-v{new.number}.webp")
        write_atomically(path, found.webp)
        words = f"v{old} and {new.label} differ in {found.changed:.0%} of the pixels: {path}"
        return LineAnswer(words, {"changed": found.changed, "file": path})

    def _number(self, command: TextCommand) -> int:
        return version_number(command, self._talk.versions[-1].number)

    def _path(self, version: Version) -> Path:
        """The file of a version; version 0 is the picture itself."""
        if version.number == 0:
            return self._picture
        return self._stem.with_name(f"{self._stem.name}-{version.label}.png")


def free_stem(stem: Path) -> Path:
    """The path, or the first of path-2, path-3 …, of which no version's file exists yet."""
    stems = (stem if n == 1 else stem.with_name(f"{stem.name}-{n}") for n in count(1))
    return next(one for one in stems if not list(one.parent.glob(f"{_literal(one.name)}-v[0-9]*")))


def _literal(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _line(version: Version, path: Path, current: int) -> str:
    made = f"from v{version.parent}: {version.edit.instruction}" if version.edit else "the picture"
    return f"{'*' if version.number == current else ' '} {version.label}  {path}  {made}"
