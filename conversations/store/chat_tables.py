"""How far the bot has read each chat, so that it finds what it missed, and the commands registered there."""

from sqlite_utils import Database

from conversations.store.sql import value, values, writing
from conversations.store.table_group import TableGroup, on_database


def newest_message(db: Database, chat: str) -> int | None:
    """The id of the newest message that was read."""
    found: int | None = value(db, "SELECT newest_message FROM chats WHERE chat = ?", chat)
    return found


def set_newest_message(db: Database, chat: str, message: int) -> None:
    """Save the id of the newest message that was read."""
    db.table("chats").upsert({"chat": chat, "newest_message": message}, pk="chat")


def commands_version(db: Database, chat: str) -> str | None:
    """Which commands the chat has registered, as saved last."""
    found: str | None = value(db, "SELECT commands_version FROM chats WHERE chat = ?", chat)
    return found


def set_commands_version(db: Database, chat: str, version: str) -> None:
    """Save which commands the chat has registered."""
    db.table("chats").upsert({"chat": chat, "commands_version": version}, pk="chat")


def direct_channels(db: Database, chat: str) -> tuple[str, ...]:
    """The direct-message channels with recent messages, least recently used first."""
    return values(db, "SELECT channel FROM direct_channels WHERE chat = ? ORDER BY id", chat)


def add_direct_channel(db: Database, chat: str, channel: str, keep: int) -> None:
    """Record a message in a direct-message channel; only the `keep` most recent channels stay."""
    with writing(db):
        # A new row gets the highest id, so the order of ids is the order of use.
        db.execute("DELETE FROM direct_channels WHERE chat = ? AND channel = ?", (chat, channel))
        db.execute("INSERT INTO direct_channels (chat, channel) VALUES (?, ?)", (chat, channel))
        db.execute(
            "DELETE FROM direct_channels WHERE chat = ? AND id NOT IN "
            "(SELECT id FROM direct_channels WHERE chat = ? ORDER BY id DESC LIMIT ?)",
            (chat, chat, keep),
        )


class ChatTables(TableGroup):
    """The reading position per chat, and its direct-message channels, which no server lists."""

    newest_message = on_database(newest_message)
    set_newest_message = on_database(set_newest_message)
    commands_version = on_database(commands_version)
    set_commands_version = on_database(set_commands_version)
    direct_channels = on_database(direct_channels)
    add_direct_channel = on_database(add_direct_channel)
