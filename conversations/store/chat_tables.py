"""How far the bot has read each chat, so that it finds the messages it missed while it was away."""

from sqlite_utils import Database

from conversations.store.queries import one, writing
from conversations.store.table_group import TableGroup


class ChatTables(TableGroup):
    """The reading position per chat, and its direct-message channels, which no server lists."""

    async def newest_message(self, chat: str) -> int | None:
        """The id of the newest message that was read."""
        return await self._do(_newest_message, chat)

    async def set_newest_message(self, chat: str, message: int) -> None:
        """Save the id of the newest message that was read."""
        await self._do(_set_newest_message, chat, message)

    async def direct_channels(self, chat: str) -> tuple[str, ...]:
        """The direct-message channels with recent messages, least recently used first."""
        return await self._do(_direct_channels, chat)

    async def add_direct_channel(self, chat: str, channel: str, keep: int) -> None:
        """Record a message in a direct-message channel; only the `keep` most recent channels stay."""
        await self._do(_add_direct_channel, chat, channel, keep)


def _newest_message(db: Database, chat: str) -> int | None:
    row = one(db, "SELECT newest_message FROM chats WHERE chat = ?", chat)
    return row["newest_message"] if row else None


def _set_newest_message(db: Database, chat: str, message: int) -> None:
    db.execute("INSERT OR REPLACE INTO chats (chat, newest_message) VALUES (?, ?)", (chat, message))


def _direct_channels(db: Database, chat: str) -> tuple[str, ...]:
    rows = db.query("SELECT channel FROM direct_channels WHERE chat = ? ORDER BY id", (chat,))
    return tuple(row["channel"] for row in rows)


def _add_direct_channel(db: Database, chat: str, channel: str, keep: int) -> None:
    with writing(db):
        # A new row gets the highest id, so the order of ids is the order of use.
        db.execute("DELETE FROM direct_channels WHERE chat = ? AND channel = ?", (chat, channel))
        db.execute("INSERT INTO direct_channels (chat, channel) VALUES (?, ?)", (chat, channel))
        db.execute(
            "DELETE FROM direct_channels WHERE chat = ? AND id NOT IN "
            "(SELECT id FROM direct_channels WHERE chat = ? ORDER BY id DESC LIMIT ?)",
            (chat, chat, keep),
        )
