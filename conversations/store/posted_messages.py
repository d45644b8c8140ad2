"""Every message the bot posted with a version in it: results, progress cards, copies, questions, reports."""

from collections.abc import Iterable

from sqlite_utils import Database

from conversations.store.queries import one, record_message, writing
from conversations.store.table_group import TableGroup


class PostedMessages(TableGroup):
    """Which messages show which turns: erasing a turn deletes them all, and replies find their turn."""

    async def record(self, message: str, turn_ids: Iterable[str]) -> bool:
        """Record a posted message (a key) that shows these turns; False if one of them is erased by now."""
        return await self._do(_record, message, tuple(turn_ids))

    async def of_turn(self, turn_id: str) -> tuple[str, ...]:
        """The keys of the messages that show a turn and were not deleted, oldest first."""
        return await self._do(messages_of, turn_id)

    async def mark_deleted(self, message: str) -> None:
        """Record that a message is gone. A reply to it still finds its turn."""
        await self._do(_mark_deleted, message)


def messages_of(db: Database, turn_id: str) -> tuple[str, ...]:
    """The keys of the messages that show a turn and were not deleted, oldest first."""
    rows = db.query(
        "SELECT message FROM posted_messages WHERE turn_id = ? AND NOT is_deleted ORDER BY rowid", (turn_id,)
    )
    return tuple(row["message"] for row in rows)


def _record(db: Database, message: str, turn_ids: tuple[str, ...]) -> bool:
    with writing(db):
        stored = [turn_id for turn_id in turn_ids if one(db, "SELECT 1 FROM turns WHERE id = ?", turn_id)]
        for turn_id in stored:
            record_message(db, turn_id, message)
    return len(stored) == len(turn_ids)


def _mark_deleted(db: Database, message: str) -> None:
    db.execute("UPDATE posted_messages SET is_deleted = 1 WHERE message = ?", (message,))
