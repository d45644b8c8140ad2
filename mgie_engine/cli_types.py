"""How commands are declared with argparse: their parser, and types that reject bad values in a sentence."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

Run = Callable[[argparse.Namespace, Mapping[str, str]], None]
Commands: TypeAlias = "argparse._SubParsersAction[CommandParser]"


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
