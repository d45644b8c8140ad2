"""Files that are whole or missing: written under another name, synced, then renamed."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


def write_atomically(
    path: Path, data: bytes, *, private: bool = False, changed_ns: int | None = None
) -> None:
    """Write a file whole; a crash leaves at most a stray `.part` file beside it.

    `changed_ns`: when it shall seem to have been changed, in ns of Unix time; None: now.
    """
    with replacing(path, private=private) as part:
        part.write_bytes(data)
        if changed_ns is not None:
            os.utime(part, ns=(changed_ns, changed_ns))


@contextlib.contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[Path]:
    """A path beside `path` to write to; when the block ends without an error it takes the place of `path`.

    The folder is made if missing. `private` lets only the owner read the file. Several writers may replace
    the same file: the last one wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    part.touch(mode=0o600 if private else 0o666, exist_ok=False)
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable; not every system lets a folder be opened for that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
