"""How commands are declared with argparse: their parser, and types that reject bad values in a sentence."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeAlias

from mgie_engine.errors import EditDeclined, EngineError

Run = Callable[[argparse.Namespace, Mapping[str, str]], int | None]  # an exit code; None is 0
Commands: TypeAlias = "argparse._SubParsersAction[CommandParser]"


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1  # one sentence says why
    WRONG_USAGE = 2
    DECLINED = 3  # the model says that it cannot make the edit; nothing was written
    INTERRUPTED = 130


class WrongUsage(EngineError):
    """The command line makes no sense; the sentence says what to write instead."""


def exit_code(error: Exception) -> ExitCode:
    """The exit code of a command that ends with this error."""
    if isinstance(error, EditDeclined):
        return ExitCode.DECLINED
    return ExitCode.WRONG_USAGE if isinstance(error, WrongUsage) else ExitCode.FAILED


def sentence(error: Exception) -> str:
    """What an error says to someone at a terminal, on one line."""
    if not isinstance(error, OSError) or error.filename is None:
        return str(error)
    name = repr(str(error.filename))
    match error:
        case FileNotFoundError():
            return f"There is no file or folder {name}."
        case IsADirectoryError():
            return f"{name} is a folder, not a file."
        case PermissionError():
            return f"The permissions of {name} do not allow that."
    return f"{name}: {error.strerror}."


class CommandParser(argparse.ArgumentParser):
    """A command with its options; `run` carries it out and takes arguments and environment."""

    def __init__(self, *args: Any, run: Run | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **{"formatter_class": _Help} | kwargs)
        self.set_defaults(run=run)


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Names the default of every option that has one, and keeps the line breaks of texts that have some."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        has_default = isinstance(action.default, str | int | float) and action.default is not False
        return super()._get_help_string(action) if has_default else action.help


def add_json(parser: CommandParser) -> None:
    """Add --json: the result is one line of JSON on stdout, and sentences on the way go to stderr."""
    parser.add_argument("--json", action="store_true", help="print one line of JSON")


def speaker(arguments: argparse.Namespace) -> Callable[[str], None]:
    """Prints sentences on stdout; on stderr where --json leaves stdout to the result."""
    stream = sys.stderr if arguments.json else sys.stdout

    def say(sentence: str) -> None:
        stream.write(sentence + "\n")
        stream.flush()

    return say


def print_json(facts: Mapping[str, Any]) -> None:
    """One line of JSON on stdout."""
    sys.stdout.write(json.dumps(facts, default=str) + "\n")


def print_result(arguments: argparse.Namespace, as_json: str, in_words: str) -> None:
    """Print a result: its JSON on one line with --json, else its words."""
    if arguments.json:
        print_json(json.loads(as_json))
    else:
        sys.stdout.write(in_words)


def positive(text: str) -> int:
    """A whole number of at least 1."""
    return _whole_number(text, 1)


def not_negative(text: str) -> int:
    """A whole number of at least 0."""
    return _whole_number(text, 0)


def positive_number(text: str) -> float:
    """A number above 0."""
    return _number(text, lambda value: value > 0, "above 0")


def time_stamp(text: str) -> float:
    """A Unix time in seconds."""
    return _number(text, lambda value: value >= 0, "from 0")


def pixels(text: str) -> int:
    """A side of a picture, 16 to 4096 pixels."""
    side = _whole_number(text, 16)
    if side > 4096:
        raise argparse.ArgumentTypeError(f"{text!r} is above 4096 pixels")
    return side


def port(text: str) -> int:
    """A TCP port, 1 to 65535."""
    number = _whole_number(text, 1)
    if number > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is above 65535")
    return number


def picture_file(text: str) -> Path:
    """A path to write a picture to: an existing folder, and a suffix of PNG or JPEG."""
    file = Path(text)
    if file.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise argparse.ArgumentTypeError(f"{text!r} ends neither in .png nor in .jpg")
    if not file.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(file.parent)!r} to write to")
    return file


def _number(text: str, is_good: Callable[[float], bool], words: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not is_good(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number {words}")
    return value


def _whole_number(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least}")
    return int(text)
