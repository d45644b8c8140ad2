"""How the functions of this package read a row and write in a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlite_utils import Database

from conversations.store.serialization import DbRow


@contextmanager
def writing(db: Database) -> Iterator[None]:
    """A transaction that takes the write lock at its start, so that no other writer changes what it reads."""
    shared = bool(db.conn.in_transaction)  # a batch of jobs: db_worker rolls back the jobs that fail
    if shared:
        yield
        return
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.conn.execute("COMMIT")
    except BaseException:
        if db.conn.in_transaction:  # SQLite itself rolls back on some errors, such as a full disk
            db.conn.execute("ROLLBACK")
        raise


def one(db: Database, sql: str, *values: object) -> DbRow | None:
    """The first row of a query, or None."""
    return next(iter(db.query(sql, values)), None)


def values(db: Database, sql: str, *given: object) -> tuple[Any, ...]:
    """The first column of every row."""
    return tuple(next(iter(row.values())) for row in db.query(sql, given))


def value(db: Database, sql: str, *given: object) -> Any:
    """The first column of the first row, or None."""
    return next(iter(values(db, sql, *given)), None)
