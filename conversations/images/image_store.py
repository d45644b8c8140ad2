"""Pictures: how they come in (`read_picture`, `PictureReader`), and how they are kept (`ImageStore`)."""

import hashlib
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from conversations.atomic_write import write_atomically
from conversations.errors import PictureMissing, StorageFull
from conversations.images.decode import Picture, PictureLimits
from conversations.images.picture_reader import PictureReader
from conversations.images.sandbox import read_picture
from conversations.messages import Message
from conversations.private_files import FOLDER_MODE, make_private_folder

__all__ = ["ImageStore", "Picture", "PictureLimits", "PictureReader", "read_picture"]

_KEY = re.compile(r"[0-9a-f]{64}")


class ImageStore:
    """A folder of pictures. The same bytes are kept once; a file is there whole or not at all.

    Methods block on the disk: call them on a thread. Several processes may share the folder.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._total: int | None = None  # bytes, once counted
        self._counting = threading.Lock()
        self._under_way = 0  # changes of files
        make_private_folder(self.folder)

    def put(self, data: bytes) -> str:
        """Keep `data`; its key, the SHA-256 in hex. When this returns the file survives a crash.

        A damaged file of that key is replaced. StorageFull when the disk is full or cannot be written.
        """
        key = hashlib.sha256(data).hexdigest()
        path = self.path(key)
        if not _holds(path, data):
            with self._changing(key):
                _write(path, data)
        return key

    def get(self, key: str) -> bytes:
        """The bytes of that key; PictureMissing when they were deleted or never here."""
        try:
            return self.path(key).read_bytes()
        except FileNotFoundError:
            raise PictureMissing(key) from None

    def path(self, key: str) -> Path:
        """Where the file of that key is, or would be. ValueError for anything that is not a key."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is not the key of a picture")
        return self.folder / key[:2] / f"{key}.png"

    def delete(self, key: str) -> None:
        """Remove the file of that key; fine when it is already gone."""
        with self._changing(key):
            self.path(key).unlink(missing_ok=True)

    def delete_all(self, keys: Iterable[str]) -> int:
        """Remove the files of those keys that are here; how many."""
        present = [key for key in keys if self.path(key).exists()]
        for key in present:
            self.delete(key)
        return len(present)

    def size(self, key: str) -> int:
        """Bytes of the file of that key; 0 when there is none."""
        try:
            return self.path(key).stat().st_size
        except FileNotFoundError:
            return 0

    def total_bytes(self) -> int:
        """Bytes of all files. Counted on the disk once; changes by others are seen after `recount` only."""
        with self._counting:
            if self._total is not None:
                return self._total
            total = sum(map(self.size, self.keys()))
            if not self._under_way:  # else a file may be counted here and once more when its change ends
                self._total = total
            return total

    def recount(self) -> int:
        """Count the bytes of all files on the disk again."""
        with self._counting:
            self._total = None
        return self.total_bytes()

    def delete_partial_files(self, before: float) -> int:
        """Delete what writes that were killed left, if last changed before `before` (Unix time); how many."""
        found = [path for path in self.folder.glob("??/*.part") if path.stat().st_mtime < before]
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    @contextmanager
    def _changing(self, key: str) -> Iterator[None]:
        """Count by how much the block changes the file of that key."""
        with self._counting:
            before = self.size(key)
            self._under_way += 1
        try:
            yield
        finally:
            with self._counting:
                self._under_way -= 1
                if self._total is not None:
                    self._total += self.size(key) - before

    def keys(self) -> Iterator[str]:
        """The key of every picture here, in no particular order."""
        return (path.stem for path in self.folder.glob("??/*.png") if _KEY.fullmatch(path.stem))


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
        write_atomically(path, data, private=True)
    except OSError as error:
        raise StorageFull(f"a picture cannot be stored: {error}", Message("disk_full")) from error


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:
        return False
