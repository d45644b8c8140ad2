"""Whether the pages of a database file are sound."""

import sqlite3
from contextlib import closing
from pathlib import Path

from conversations.errors import StoreError


def check_database(path: Path) -> None:
    """Read the whole file; StoreError when it cannot be used as a database or is damaged. Changes no data.

    Takes about a second for every few hundred megabytes.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as connection:
            check_pages(path, connection)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be used as the conversation database: {error}") from error


def check_pages(path: Path, connection: sqlite3.Connection) -> None:
    """Read every page of an open database; StoreError naming the first damage."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise StoreError(
            f"{path} is damaged ({found.splitlines()[-1]}); "
            "restore a backup, or save what is left with the command .recover of sqlite3."
        )


def ended_uncleanly(path: Path) -> bool:
    """Whether the last process that used the file did not close it: SQLite then leaves its log behind."""
    return path.with_name(f"{path.name}-wal").exists()
