"""A copy of the data folder that is consistent although the bot goes on running.

The database is copied first, as it was at one moment, then the pictures that it names. Pictures never change
and are stored before the database names them, so each is there unless it was deleted for its age or by its
user. The copy is laid out like the data folder: to restore, put it in its place.
"""

import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.errors import CannotStart
from bot.ops.data_folder import DATABASE, IMAGES
from conversations.atomic_write import replacing
from conversations.errors import PictureMissing
from conversations.images.image_store import ImageStore
from conversations.private_files import make_private_folder
from conversations.store.integrity import check_pages

NOTE = "last-backup"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """Sessions in the copy; pictures copied now, copied earlier, and found damaged, which are left out."""

    sessions: int
    copied: int
    kept: int
    damaged: tuple[str, ...]

    def __str__(self) -> str:
        done = (
            f"{self.sessions} sessions are backed up; {self.copied} pictures were copied, "
            f"{self.kept} were there from an earlier backup."
        )
        if not self.damaged:
            return done
        return f"{done}\nDamaged and left out: {', '.join(self.damaged)}"


def back_up(data: Path, target: Path) -> BackupReport:
    """Copy the data folder `data` to `target`, which is new, empty or an earlier backup of it.

    What was deleted since an earlier backup is deleted there, too. A copy that fails leaves the earlier
    backup as it was. CannotStart, with a sentence, when it cannot be made; StoreError for a damaged database.
    """
    if not (data / DATABASE).is_file():
        raise CannotStart(f"DATA_DIR: {data.resolve()} holds no {DATABASE}; there is nothing to back up.")
    _check_target(data.resolve(), target.resolve())
    try:
        make_private_folder(target)
        images = ImageStore(target / IMAGES)
        with replacing(target / DATABASE, private=True) as copy:
            sessions, wanted = _copy_database(data / DATABASE, copy)
            copied, kept, damaged = _copy_pictures(ImageStore(data / IMAGES), images, wanted)
        for key in set(images.keys()) - set(wanted):
            images.delete(key)
    except (OSError, sqlite3.Error) as error:
        raise CannotStart(f"{target.resolve()} cannot be written as a backup: {error}") from error
    _note_backup(data)
    return BackupReport(sessions, copied, kept, damaged)


def _note_backup(data: Path) -> None:
    """Record the moment beside the database, for `last_backup`; a folder that is only read stays as it is."""
    with suppress(OSError), replacing(data / NOTE, private=True) as note:
        note.write_text(f"{time.time():.0f}\n")


def last_backup(data: Path) -> float | None:
    """When the data folder was last backed up by `back_up`, in Unix seconds; None if that is not known."""
    try:
        return float((data / NOTE).read_text())
    except (OSError, ValueError):
        return None


def _check_target(data: Path, target: Path) -> None:
    if target == data or data in target.parents or target in data.parents:
        raise CannotStart(f"{target} and the data folder {data} must lie apart.")
    if not target.exists():
        return
    if not target.is_dir():
        raise CannotStart(f"{target} is not a folder.")
    foreign = {path.name for path in target.iterdir()} - {DATABASE, IMAGES}
    if any(not name.endswith(".part") for name in foreign):
        raise CannotStart(f"{target} holds other files; name a new folder, or one with an earlier backup.")


def _copy_database(database: Path, copy: Path) -> tuple[int, list[str]]:
    """How many sessions the copy holds, and the keys of the pictures it names."""
    with (
        closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # all in one file
        check_pages(database, target)
        [sessions] = target.execute("SELECT count(*) FROM sessions").fetchone()
        return sessions, _pictures_named(target)


def _pictures_named(database: sqlite3.Connection) -> list[str]:
    """The keys of all pictures; of an older database, which has no view of them, those of its versions."""
    has_view = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'held_pictures'").fetchone()
    table = "held_pictures" if has_view else "turns"
    rows = database.execute(f"SELECT DISTINCT image FROM {table} WHERE image IS NOT NULL ORDER BY image")
    return [key for [key] in rows]


def _copy_pictures(
    source: ImageStore, target: ImageStore, wanted: list[str]
) -> tuple[int, int, tuple[str, ...]]:
    copied, kept, damaged = 0, 0, []
    for key in wanted:
        if target.size(key) and target.size(key) == source.size(key):
            kept += 1
            continue
        try:
            file = source.stored(key)
        except PictureMissing:  # deleted for its age, by its user, or since the database was copied
            continue
        if source.is_sound(key, file):
            target.replace(key, file)
            copied += 1
        else:
            damaged.append(key)
    return copied, kept, tuple(damaged)
