"""The chat events that were handled before: a chat may repeat them."""

from sqlite_utils import Database

from conversations.errors import DuplicateEvent
from conversations.store.sql import one


def seen(db: Database, now: float, event_id: str) -> bool:
    """Whether this chat event was handled before; records it as handled."""
    done = db.execute("INSERT OR IGNORE INTO seen (event_id, at) VALUES (?, ?)", (event_id, now))
    return done.rowcount == 0


def was_seen(db: Database, event_id: str) -> bool:
    """Whether this chat event was handled before; records nothing."""
    return one(db, "SELECT 1 FROM seen WHERE event_id = ?", event_id) is not None


def record_event(db: Database, event_id: str | None, now: float) -> None:
    """Record a chat event as handled. Raises DuplicateEvent if it was handled before."""
    if event_id is not None and seen(db, now, event_id):
        raise DuplicateEvent(event_id)
