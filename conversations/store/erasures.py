"""Who erased their data lately and when: nothing that was asked before is stored afterwards.

An erased user's own message, or another user's about their picture, may still be in work then, or be found
only later, after a restart. The marks hold no key of a user, only its hash, and go after two days.
"""

from hashlib import sha256

from sqlite_utils import Database

from conversations.errors import UserErased
from conversations.store.sql import value
from conversations.store.table_group import TableGroup, on_database

ERASURE_RETENTION_S = 2 * 24 * 3600.0  # chats look back one day at most


def mark(db: Database, user: str, at: float) -> None:
    """Record that the user erased everything at that moment (Unix seconds)."""
    db.execute("DELETE FROM erasures WHERE at < ?", (at - ERASURE_RETENTION_S,))
    db.execute("INSERT OR REPLACE INTO erasures (user_hash, at) VALUES (?, ?)", (_hash(user), at))


def is_after(db: Database, user: str, asked_at: float | None) -> bool:
    """Whether the user erased everything after that moment; never for None."""
    if asked_at is None:
        return False
    found = value(db, "SELECT 1 FROM erasures WHERE user_hash = ? AND at > ?", _hash(user), asked_at)
    return found is not None


def refuse_erased(db: Database, asked_at: float | None, *users: str | None) -> None:
    """UserErased if one of the users erased everything since `asked_at`, before what is written of them."""
    for user in users:
        if user is not None and is_after(db, user, asked_at):
            raise UserErased(user)


def _hash(user: str) -> str:
    return sha256(user.encode()).hexdigest()


class Erasures(TableGroup):
    """The marks of erased users."""

    is_after = on_database(is_after)
