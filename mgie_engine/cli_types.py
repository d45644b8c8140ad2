"""How commands are declared with argparse: their parser, and types that reject bad values in a sentence."""

import argparse
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


def positive(text: str) -> int:
    """A whole number of at least 1."""
    return _whole_number(text, 1)


def not_negative(text: str) -> int:
    """A whole number of at least 0."""
    return _whole_number(text, 0)


def picture_file(text: str) -> Path:
    """A path to write a picture to: an existing folder, and a suffix of PNG or JPEG."""
    file = Path(text)
    if file.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise argparse.ArgumentTypeError(f"{text!r} ends neither in .png nor in .jpg")
    if not file.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(file.parent)!r} to write to")
    return file


def _whole_number(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least}")
    return int(text)
