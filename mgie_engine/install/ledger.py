"""Records the verified files of a model's folder, in its `files.json`."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from conversations.atomic_write import write_atomically
from mgie_engine.errors import ModelError

NAME = "files.json"
_CHUNK = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Checksums:
    """A file's size in bytes and its known checksums."""

    size: int
    sha256: str | None = None
    git: str | None = None  # SHA-1 of the file as a git blob: the only one the hub has for small files

    def agrees_with(self, expected: "Checksums") -> bool:
        """Whether all values that both know are equal."""
        pairs = ((self.size, expected.size), (self.sha256, expected.sha256), (self.git, expected.git))
        return all(one is None or other is None or one == other for one, other in pairs)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The verified files of one folder."""

    folder: Path
    files: Mapping[str, Checksums] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Ledger":
        """The folder's ledger; an empty one if it is missing or damaged."""
        try:
            data = json.loads((folder / NAME).read_text(encoding="utf-8"))
            return cls(folder, {name: Checksums(**entry) for name, entry in data.items()})
        except (OSError, ValueError, TypeError, AttributeError):
            return cls(folder)

    def has(self, name: str, size: int) -> bool:
        """Whether a file was verified and still exists with `size` bytes."""
        path, entry = self.folder / name, self.files.get(name)
        return entry is not None and entry.size == size and path.is_file() and path.stat().st_size == size

    def with_file(self, name: str, sums: Checksums) -> "Ledger":
        """Add a file and write the ledger."""
        files = {**self.files, name: sums}
        text = json.dumps({name: asdict(entry) for name, entry in files.items()}, indent=2)
        write_atomically(self.folder / NAME, f"{text}\n".encode())
        return Ledger(self.folder, files)


def checksums_of(file: Path) -> Checksums:
    """All checksums of a file."""
    size = file.stat().st_size
    sha256, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            sha256.update(chunk)
            git.update(chunk)
    return Checksums(size, sha256.hexdigest(), git.hexdigest())


def require_room(folder: Path, wanted: int) -> None:
    """ModelError unless the disk of an existing folder has `wanted` bytes free."""
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise ModelError(
            f"{folder} needs {wanted / 1e9:.1f} GB more on its disk, and {free / 1e9:.1f} GB is free there."
        )
