"""Where edits go: a file, a folder, standard output, or a free name beside each input."""

import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from conversations.atomic_write import write_atomically
from mgie_engine.cli_types import WrongUsage
from mgie_engine.errors import RequestRefused
from mgie_engine.python_api.edited_picture import FORMATS, EditedPicture
from mgie_engine.terminal.picture_inputs import PictureInput

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class PictureOutput:
    """Where one edit goes; `path` is None for standard output."""

    path: Path | None

    @property
    def name(self) -> str:
        """How it is called in messages."""
        return STDOUT if self.path is None else str(self.path)

    def write(self, picture: EditedPicture) -> None:
        """Write the picture in the format of the suffix, PNG to standard output; OSError."""
        if self.path is None:
            sys.stdout.buffer.write(picture.png)
            sys.stdout.buffer.flush()
        else:
            write_atomically(self.path, picture.encoded(self.path.suffix))


def plan_outputs(
    inputs: Sequence[PictureInput], output: str | None, *, may_replace: bool
) -> list[PictureOutput]:
    """Where each edit goes, before any is made.

    Without `output` to a free name beside its input: garden-edited.jpg. Raises WrongUsage, and RequestRefused
    if a folder is missing or a file is there that may not be replaced.
    """
    if output is None:
        return _beside(inputs)
    if output == STDOUT:
        return _to_stdout(inputs)
    path = Path(output)
    if path.is_dir() or output.endswith(("/", os.sep)):
        return _in_folder(inputs, path, may_replace)
    if len(inputs) > 1:
        raise WrongUsage(
            f"{len(inputs)} pictures go to a folder: name one with a slash at its end, {output}/"
        )
    if path.suffix.lower() not in FORMATS:
        known = ", ".join(FORMATS)
        raise WrongUsage(f"{output!r} ends in none of {known}; with a slash at its end it is a folder.")
    if not path.parent.is_dir():
        raise RequestRefused(f"There is no folder {str(path.parent)!r} to write to.")
    return [PictureOutput(_replaceable(path, may_replace))]


def free_name(path: Path, taken: Collection[Path] = ()) -> Path:
    """The path, or the first of path-2, path-3 … that neither exists nor is taken."""
    names = (path if n == 1 else path.with_stem(f"{path.stem}-{n}") for n in count(1))
    return next(name for name in names if name not in taken and not os.path.lexists(name))


def suffix_for(source: PictureInput) -> str:
    """The suffix of its edits: its own if such files are written, else .png."""
    own = source.path.suffix if source.path else ""
    return own if own.lower() in FORMATS else ".png"


def _beside(inputs: Sequence[PictureInput]) -> list[PictureOutput]:
    taken: list[Path] = []
    for source in inputs:
        stem = source.path.with_suffix("") if source.path else Path("picture")
        taken.append(free_name(stem.with_name(f"{stem.name}-edited{suffix_for(source)}"), taken))
    return [PictureOutput(path) for path in taken]


def _to_stdout(inputs: Sequence[PictureInput]) -> list[PictureOutput]:
    if len(inputs) > 1:
        raise WrongUsage(f"Only one picture can go to standard output, and {len(inputs)} are named.")
    if sys.stdout.isatty():
        raise WrongUsage("A terminal cannot show a picture file: add > FILE.png, or name a file with -o.")
    return [PictureOutput(None)]


def _in_folder(inputs: Sequence[PictureInput], folder: Path, may_replace: bool) -> list[PictureOutput]:
    taken: list[Path] = []
    for source in inputs:
        stem = source.path.stem if source.path else "picture"
        path = folder / f"{stem}{suffix_for(source)}"
        taken.append(free_name(path, taken) if path in taken else _replaceable(path, may_replace))
    folder.mkdir(parents=True, exist_ok=True)
    return [PictureOutput(path) for path in taken]


def _replaceable(path: Path, may_replace: bool) -> Path:
    if path.is_dir():
        raise RequestRefused(f"{path} is a folder.")
    if os.path.lexists(path) and not may_replace:
        raise RequestRefused(f"{path} exists; --force replaces it.")
    return path
