"""Pictures: how they come in (`read_picture`, `PictureReader`), and how they are kept (`ImageStore`)."""

import contextlib
import hashlib
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from conversations.atomic_write import write_atomically
from conversations.content_credentials import with_credentials
from conversations.errors import PictureMissing, StorageFull
from conversations.images.decode import Picture, PictureLimits
from conversations.images.packed_pictures import is_packed, unpacked
from conversations.images.picture_reader import PictureReader
from conversations.images.sandbox import read_picture
from conversations.messages import Message
from conversations.private_files import FOLDER_MODE, make_private_folder

__all__ = ["ImageStore", "Picture", "PictureLimits", "PictureReader", "read_picture"]

DAMAGED = (OSError, ValueError, SyntaxError)  # as Pillow raises them for damaged files
_KEY = re.compile(r"[0-9a-f]{64}")


class ImageStore:
    """A folder of pictures. The same bytes are kept once; a file is there whole or not at all.

    Methods block on the disk: call them on a thread. Several processes may share the folder.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._total: int | None = None  # bytes, once counted
        self._counting = threading.Lock()
        self._replacing = threading.Lock()  # a file that is being replaced is not deleted meanwhile
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

    def put_result(self, png: bytes) -> str:
        """As `put`, with the operator's credentials, if they are set."""
        return self.put(with_credentials(png, "PNG"))

    def get(self, key: str) -> bytes:
        """The bytes of that key; PictureMissing when they were deleted, never here, or are damaged.

        Of a packed picture they are made again, which takes 0.1 s per megapixel.
        """
        file = self.stored(key)
        try:
            return unpacked(file) if is_packed(file) else file
        except DAMAGED:
            raise PictureMissing(key) from None

    def stored(self, key: str) -> bytes:
        """The file of that key as it is, packed or not; PictureMissing when there is none."""
        try:
            return self.path(key).read_bytes()
        except FileNotFoundError:
            raise PictureMissing(key) from None

    def is_sound(self, key: str, file: bytes) -> bool:
        """Whether a stored file is that of this key, and whole."""
        if not is_packed(file):
            return hashlib.sha256(file).hexdigest() == key
        try:
            return bool(unpacked(file))  # another zlib may write other bytes for the same pixels
        except DAMAGED:
            return False

    def is_packed(self, key: str) -> bool:
        """Whether the file of that key is packed; PictureMissing when there is none."""
        try:
            with self.path(key).open("rb") as file:
                return is_packed(file.read(12))
        except FileNotFoundError:
            raise PictureMissing(key) from None

    def replace(self, key: str, file: bytes, instead_of: int | None = None) -> bool:
        """Keep a file as it is under that key; whether that was done. StorageFull as for `put`.

        `instead_of`: the bytes of the file that it replaces, whose age it keeps; not done if that has gone.
        """
        path = self.path(key)
        with self._replacing, self._changing(key):
            if instead_of is None:
                _write(path, file)
                return True
            if self.size(key) != instead_of:
                return False
            _write(path, file, path.stat().st_mtime_ns)
            return True

    def large_files(self, least_bytes: int, since: float, until: float) -> list[str]:
        """Keys of the files of that size that are not packed and were last written then (Unix times)."""
        found = []
        for key in self.keys():
            with contextlib.suppress(OSError, PictureMissing):  # deleted meanwhile
                status = self.path(key).stat()
                is_meant = status.st_size >= least_bytes and since <= status.st_mtime < until
                if is_meant and not self.is_packed(key):
                    found.append(key)
        return found

    def path(self, key: str) -> Path:
        """Where the file of that key is, or would be. ValueError for anything that is not a key."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is not the key of a picture")
        return self.folder / key[:2] / f"{key}.png"

    def delete(self, key: str) -> None:
        """Remove the file of that key; fine when it is already gone."""
        with self._replacing, self._changing(key):
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


def _write(path: Path, data: bytes, changed_ns: int | None = None) -> None:
    """`changed_ns`: when it shall seem to have been written, in ns of Unix time; None: now."""
    try:
        path.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
        if changed_ns is None:
            write_atomically(path, data, private=True)
        else:
            write_atomically(path, data, private=True, changed_ns=changed_ns)
    except OSError as error:
        raise StorageFull(f"a picture cannot be stored: {error}", Message("disk_full")) from error


def _holds(path: Path, data: bytes) -> bool:
    try:
        file = path.read_bytes()
    except OSError:  # there is none, or it cannot be read: writing it says so
        return False
    try:
        return unpacked(file) == data if is_packed(file) else file == data
    except DAMAGED:
        return False
