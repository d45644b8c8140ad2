"""Pictures: how they come in (`read_picture`, `PictureReader`), and how they are kept (`ImageStore`)."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from conversations.atomic_write import write_atomically
from conversations.errors import PictureMissing
from conversations.images.decode import Picture, PictureLimits
from conversations.images.sandbox import PictureReader, read_picture
from conversations.private_files import FOLDER_MODE, make_private_folder

__all__ = ["ImageStore", "Picture", "PictureLimits", "PictureReader", "read_picture"]

_KEY = re.compile(r"[0-9a-f]{64}")


class ImageStore:
    """A folder of pictures. The same bytes are kept once; a file is there whole or not at all.

    Methods block on the disk: call them on a thread. Several processes may share the folder.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        make_private_folder(self.folder)

    def put(self, data: bytes) -> str:
        """Keep `data`; its key, the SHA-256 in hex. When this returns the file survives a crash."""
        key = hashlib.sha256(data).hexdigest()
        path = self.path(key)
        if not path.exists():
            path.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
            write_atomically(path, data, private=True)
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
        self.path(key).unlink(missing_ok=True)

    def keys(self) -> Iterator[str]:
        """The key of every picture here, in no particular order."""
        return (path.stem for path in self.folder.glob("??/*.png") if _KEY.fullmatch(path.stem))
