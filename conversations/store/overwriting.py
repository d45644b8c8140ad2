"""Erased text is overwritten in the database file.

SQLite overwrites what it deletes (secure_delete), but not the copies that it leaves in the free space of a
page when it moves rows to another page. Only VACUUM rewrites every page, from what is still there.
"""

import logging
import sqlite3

from sqlite_utils import Database

from conversations.store.sql import value

log = logging.getLogger(__name__)


def overwrite_later(db: Database) -> None:
    """Record, in the transaction that erases, that the file still holds the erased text."""
    db.execute("PRAGMA user_version = 1")  # in the header of the file, which is used for nothing else


def overwrite_erased(db: Database) -> None:
    """Rewrite the file if it holds erased text; where that fails, the next call or start tries again.

    Takes about a second for 100 MB, and as much free space as the file has.
    """
    if not value(db, "PRAGMA user_version"):
        return
    try:
        db.execute("VACUUM")
        db.execute("PRAGMA user_version = 0")
    except sqlite3.OperationalError as error:  # such as a full disk
        log.warning("erased text is not yet overwritten in the database: %s", error)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the write-ahead log holds the erased text, too
