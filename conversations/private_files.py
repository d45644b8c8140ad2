"""Folders and files that only the user of this process may read.

Existing ones that others may read are changed, and that is logged.
"""

import logging
import os
import stat
from pathlib import Path

log = logging.getLogger(__name__)

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def make_private_folder(folder: Path) -> None:
    """Make `folder` with its parents, or close it to others. OSError when it cannot be made."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    tighten(folder)


def make_private_file(path: Path) -> None:
    """Make an empty file, or close an existing one to others; its content stays. OSError when it cannot."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE_MODE))
    except FileExistsError:
        tighten(path)


def tighten(path: Path) -> None:
    """Take the rights of everybody but the owner away; a failure is logged only."""
    if os.name != "posix":
        return
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & 0o077:
            return
        if mode & stat.S_ISVTX:  # a folder that is shared on purpose, as /tmp is
            log.warning("%s is shared with other users of this machine; they may read what is in it", path)
            return
        path.chmod(mode & 0o700)
    except OSError as error:
        log.warning("%s may be read by other users, and that cannot be changed: %s", path, error.strerror)
    else:
        log.warning("%s could be used by other users (mode %04o); now only by its owner", path, mode)
