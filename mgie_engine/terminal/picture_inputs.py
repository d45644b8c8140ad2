"""Pictures named on a command line: files, folders, patterns, and standard input."""

import glob
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mgie_engine.cli_types import WrongUsage
from mgie_engine.errors import RequestRefused
from mgie_engine.python_api.picture_source import is_address

STDIN = "-"
SUFFIXES = {
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".gif",
    ".bmp",
    ".heic",
    ".heif",
    ".avif",
}  # looked for in folders


@dataclass(frozen=True, slots=True)
class PictureInput:
    """A picture to read; `path` is None for standard input."""

    path: Path | None

    @property
    def name(self) -> str:
        """How it is called in messages."""
        return STDIN if self.path is None else str(self.path)

    def read(self) -> bytes:
        """The bytes of the file; OSError."""
        return sys.stdin.buffer.read() if self.path is None else self.path.read_bytes()


def find_inputs(names: Sequence[str]) -> list[PictureInput]:
    """The pictures that the names stand for, each once: files, folders' pictures, patterns, "-".

    WrongUsage for a web address, RequestRefused for a name that stands for no file.
    """
    paths = dict.fromkeys(path for name in names for path in _paths(name))
    return [PictureInput(path) for path in paths]


def _paths(name: str) -> Iterator[Path | None]:
    path = Path(name)
    if name == STDIN:
        yield None
    elif is_address(name):
        raise WrongUsage(f"{name} is a web address, and mgie reads files. Download it first: curl -LO {name}")
    elif path.is_dir():
        yield from _in_folder(path)
    elif path.exists():
        yield path
    elif glob.has_magic(name):
        found = [Path(match) for match in sorted(glob.glob(name, recursive=True)) if Path(match).is_file()]
        if not found:
            raise RequestRefused(f"No file matches {name!r}.")
        yield from found
    else:
        raise RequestRefused(f"There is no file {name!r}.")


def _in_folder(folder: Path) -> Iterator[Path]:
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    ]
    if not found:
        raise RequestRefused(f"The folder {str(folder)!r} holds no pictures.")
    yield from found
