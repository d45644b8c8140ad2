"""Records the verified files of a model's folder, in its `files.json`. Imports no torch."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

from conversations.atomic_write import write_atomically
from mgie_engine.errors import ModelError

NAME = "files.json"
Say = Callable[[str], None]
Check = Callable[[str, Path], None]  # a place in the folder, the file that shall go there; raises ModelError
_CHUNK = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Checksums:
    """A file's size in bytes, its known checksums, and where it came from."""

    size: int
    sha256: str | None = None
    git: str | None = None  # SHA-1 of the file as a git blob: the only one the hub has for small files
    source: str | None = None  # an address, a path, or "owner/name@commit"

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

    def revision(self, hub: str) -> str | None:
        """The commit of a hub's repository that files came from earlier."""
        sources = (entry.source or "" for entry in self.files.values())
        return next((source.partition("@")[2] for source in sources if source.startswith(f"{hub}@")), None)

    def accept(
        self, part: Path, name: str, source: str, check: Check, expected: Checksums | None = None
    ) -> "Ledger":
        """Verify a file that has arrived at `part`, move it to its place `name`, and record it.

        ModelError if it is not the expected one; it is deleted then.
        """
        found = checksums_of(part)
        try:
            if expected and not found.agrees_with(expected):
                raise ModelError(f"{name} came with a wrong checksum from {source} and was thrown away.")
            check(name, part)
        except ModelError:
            part.unlink()
            raise
        part.replace(self.folder / name)
        return self.with_file(name, replace(found, source=source))

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


def part_of(folder: Path, name: str) -> Path:
    """Where a file is while it arrives; its folder is made."""
    part = folder / f"{name}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    return part


def copy_bytes(source: BinaryIO, target: BinaryIO | None, size: int, name: str) -> None:
    """Copy exactly `size` bytes, with a progress bar if they are many; without a target they are skipped.

    EOFError if there are fewer.
    """
    with progress_bar(name, size if target else 0) as bar:
        while size:
            chunk = source.read(min(size, _CHUNK))
            if not chunk:
                raise EOFError(f"{name} ends too early")
            if target:
                target.write(chunk)
                bar.update(len(chunk))
            size -= len(chunk)


def progress_bar(name: str, size: int, done: int = 0) -> tqdm:
    """A bar of bytes, on a terminal only."""
    disable = None if size > _CHUNK else True
    return tqdm(  # type: ignore[no-untyped-call]
        desc=name, total=size, initial=done, unit="B", unit_scale=True, disable=disable
    )


def require_room(folder: Path, wanted: int) -> None:
    """ModelError unless the disk of an existing folder has `wanted` bytes free."""
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise ModelError(
            f"{folder} needs {wanted / 1e9:.1f} GB more on its disk, and {free / 1e9:.1f} GB is free there."
        )
