"""One bot per data folder: two would answer everything twice.

The lock belongs to the process and is free the moment it ends, however it ends, so a killed bot can be
started again at once.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import CannotStart, FolderInUse
from conversations.private_files import FILE_MODE, make_private_folder

LOCK = "bot.lock"


@contextmanager
def single_instance(folder: Path) -> Iterator[None]:
    """Hold the folder while the block runs; FolderInUse, naming the process, if another one holds it.

    The folder is made if missing, and closed to other users. CannotStart when that or the lock fails.
    """
    handle = _lock_file(folder)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise FolderInUse(
                f"Another mgie-bot (process {holder}) already works on {folder.resolve()}; "
                "stop it first, or give this one a DATA_DIR of its own."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def is_running(folder: Path) -> bool:
    """Whether a bot works on the folder."""
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _lock_file(folder: Path) -> int:
    """The lock file, open; always a file of its own, as what is in it will be overwritten."""
    try:
        make_private_folder(folder)
        handle = _open_own_file(folder / LOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _foreign(folder) from None
        raise CannotStart(f"DATA_DIR: {folder.resolve()} cannot be used: {error.strerror}.") from error
    if handle is None:
        raise _foreign(folder)
    return handle


def _open_own_file(path: Path) -> int | None:
    """The file, open and closed to other users; None when it is a device or has another name elsewhere."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    handle = os.open(path, flags, FILE_MODE)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(handle)
        return None
    if status.st_uid == os.geteuid():
        os.fchmod(handle, FILE_MODE)
    return handle


def _foreign(folder: Path) -> CannotStart:
    return CannotStart(
        f"DATA_DIR: {folder.resolve() / LOCK} is not a plain file of its own; delete it first."
    )
