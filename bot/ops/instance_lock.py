"""One bot per data folder: two would answer everything twice.

The lock belongs to the process and is free the moment it ends, however it ends, so a killed bot can be
started again at once.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from bot.errors import CannotStart, FolderInUse


@contextmanager
def single_instance(folder: Path) -> Iterator[None]:
    """Hold the folder while the block runs; FolderInUse, naming the process, if another one holds it.

    CannotStart when the folder cannot be made or written to.
    """
    with _lock_file(folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise FolderInUse(
                f"Another mgie-bot (process {holder}) already works on {folder.resolve()}; "
                "stop it first, or give this one a DATA_DIR of its own."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _lock_file(folder: Path) -> TextIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return open(folder / "bot.lock", "a+")
    except OSError as error:
        raise CannotStart(f"DATA_DIR: {folder.resolve()} cannot be used: {error.strerror}.") from error
