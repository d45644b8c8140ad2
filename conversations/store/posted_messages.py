"""Every message the bot posted with a version in it: results, progress cards, copies, questions, reports."""

from collections.abc import Collection

from sqlite_utils import Database

from conversations.store.queries import record_message
from conversations.store.sql import one, writing
from conversations.store.table_group import TableGroup, on_database


def messages_of(db: Database, turn_id: str) -> tuple[str, ...]:
    """The keys of the messages that show a turn and were not deleted, oldest first."""
    rows = db.query(
        "SELECT message FROM posted_messages WHERE turn_id = ? AND NOT is_deleted ORDER BY rowid", (turn_id,)
    )
    return tuple(row["message"] for row in rows)


def record(db: Database, message: str, turn_ids: Collection[str]) -> bool:
    """Record a posted message (a key) that shows these turns; False if one of them is erased by now."""
    with writing(db):
        stored = [one(db, "SELECT id FROM turns WHERE id = ?", turn_id) for turn_id in turn_ids]
        for row in stored:
            if row is not None:
                record_message(db, row["id"], message)
    return None not in stored


def mark_deleted(db: Database, message: str) -> None:
    """Record that a message is gone. A reply to it still finds its turn."""
    db.execute("UPDATE posted_messages SET is_deleted = 1 WHERE message = ?", (message,))


class PostedMessages(TableGroup):
    """Which messages show which turns: erasing a turn deletes them all, and replies find their turn."""

    record = on_database(record)
    of_turn = on_database(messages_of)
    mark_deleted = on_database(mark_deleted)
