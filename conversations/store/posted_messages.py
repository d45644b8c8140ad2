"""Every message the bot posted with a version in it: results, progress cards, copies, questions, reports."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlite_utils import Database

from conversations.store.erasures import is_after
from conversations.store.queries import record_message
from conversations.store.sql import one, value, values, writing
from conversations.store.table_group import TableGroup, on_database, on_database_now


@dataclass(frozen=True, slots=True)
class Posting:
    """A message that was about to be posted in a channel (a key) and shows turns; `at`: Unix seconds."""

    id: int
    channel: str
    turns: tuple[str, ...]
    at: float


def messages_of(db: Database, turn_id: str) -> tuple[str, ...]:
    """The keys of the messages that show a turn and were not deleted, oldest first."""
    sql = "SELECT message FROM posted_messages WHERE turn_id = ? AND NOT is_deleted ORDER BY rowid"
    return values(db, sql, turn_id)


def begin_posting(db: Database, now: float, channel: str, turn_ids: Collection[str]) -> int:
    """Record that a message which shows these turns is about to be posted; the id of that."""
    sql = "INSERT INTO postings (channel, turns, at) VALUES (?, ?, ?) RETURNING id"
    with writing(db):
        return int(value(db, sql, channel, json.dumps([*turn_ids]), now))


def postings(db: Database, chat: str) -> tuple[Posting, ...]:
    """What this chat has begun to post and not recorded, oldest first."""
    rows = db.query("SELECT * FROM postings WHERE channel LIKE ? ORDER BY id", (f"{chat}:%",))
    return tuple(Posting(**row | {"turns": tuple(json.loads(row["turns"]))}) for row in rows)


def end_posting(db: Database, posting: int) -> None:
    """Forget that a message was about to be posted."""
    with writing(db):
        db.execute("DELETE FROM postings WHERE id = ?", (posting,))


def is_recorded(db: Database, message: str) -> bool:
    """Whether a message (a key) is known to show a turn."""
    return value(db, "SELECT 1 FROM posted_messages WHERE message = ?", message) is not None


def record(db: Database, message: str, turn_ids: Collection[str], posting: int | None = None) -> bool:
    """Record a posted message (a key) that shows these turns; False if one of them is erased by now.

    `posting`: the one that ends with it.
    """
    with writing(db):
        if posting is not None:
            end_posting(db, posting)
        stored = [one(db, "SELECT id FROM turns WHERE id = ?", turn_id) for turn_id in turn_ids]
        for row in stored:
            if row is not None:
                record_message(db, row["id"], message)
        if None in stored:
            delete_later(db, [message])
    return None not in stored


def record_of_user(db: Database, message: str, user: str, asked_at: float | None = None) -> bool:
    """Record a posted message (a key) that holds words of a user, or names them.

    False, with the message to be deleted, if they erased everything since `asked_at`, when that was said.
    """
    with writing(db):
        if is_after(db, user, asked_at):
            delete_later(db, [message])
            return False
        db.execute("INSERT OR IGNORE INTO user_messages (message, user) VALUES (?, ?)", (message, user))
    return True


def forget_of_user(db: Database, user: str) -> tuple[str, ...]:
    """The keys of the recorded messages of a user, which are to be deleted."""
    rows = list(db.query("DELETE FROM user_messages WHERE user = ? RETURNING message", (user,)))
    found = tuple(row["message"] for row in rows)
    delete_later(db, found)
    return found


def mark_deleted(db: Database, message: str) -> None:
    """Record that a message is gone. A reply to it still finds its turn."""
    with writing(db):
        db.execute("UPDATE posted_messages SET is_deleted = 1 WHERE message = ?", (message,))
        db.execute("DELETE FROM deletions WHERE message = ?", (message,))
        db.execute("DELETE FROM user_messages WHERE message = ?", (message,))


def delete_later(db: Database, messages: Collection[str]) -> None:
    """Record that the chat must delete these messages, until it has: also after a restart."""
    with writing(db):
        for message in messages:
            db.execute("INSERT OR IGNORE INTO deletions (message, at) VALUES (?, unixepoch())", (message,))


def to_delete(db: Database, chat: str) -> tuple[str, ...]:
    """The messages that this chat must still delete, oldest first."""
    return values(db, "SELECT message FROM deletions WHERE message LIKE ? ORDER BY rowid", f"{chat}:%")


def thread_opened(db: Database, session_id: str, message: str, thread: str) -> None:
    """Record that a result opened a thread (keys), which has words of its user as a name."""
    with writing(db):
        db.execute("UPDATE sessions SET thread = ? WHERE id = ?", (thread, session_id))
        db.execute("INSERT OR IGNORE INTO named_threads (message, thread) VALUES (?, ?)", (message, thread))


def take_named_thread(db: Database, message: str) -> str | None:
    """The thread that hangs on a message that is gone, to be renamed; None from the second time on."""
    rows = list(db.query("DELETE FROM named_threads WHERE message = ? RETURNING thread", (message,)))
    return rows[0]["thread"] if rows else None


def thread_deleted(db: Database, thread: str) -> None:
    """Forget a thread: the versions of its session are shown in the channel again."""
    with writing(db):
        db.execute("UPDATE sessions SET thread = NULL WHERE thread = ?", (thread,))
        db.execute("DELETE FROM named_threads WHERE thread = ?", (thread,))


def hide_turns(db: Database, turn_ids: Collection[str]) -> tuple[str, ...]:
    """Show the pictures of these turns behind spoilers from now on; the messages that show them already."""
    with writing(db):
        for turn_id in turn_ids:
            db.execute("UPDATE turns SET is_hidden = 1 WHERE id = ?", (turn_id,))
    return tuple(dict.fromkeys(key for turn_id in turn_ids for key in messages_of(db, turn_id)))


def openly_shown(db: Database, channel: str, limit: int) -> tuple[str, ...]:
    """The newest turns that messages in a channel show without spoilers, newest first."""
    sql = (
        "SELECT turn_id FROM posted_messages JOIN turns ON turns.id = turn_id "
        "WHERE posted_messages.message >= ? AND posted_messages.message < ? AND NOT is_deleted "
        "AND NOT is_hidden AND image IS NOT NULL "
        "GROUP BY turn_id ORDER BY max(posted_messages.rowid) DESC LIMIT ?"
    )
    return values(db, sql, f"{channel}:", f"{channel};", limit)


class PostedMessages(TableGroup):
    """Which messages show which turns: erasing a turn deletes them all, and replies find their turn."""

    begin_posting = on_database_now(begin_posting)
    postings = on_database(postings)
    end_posting = on_database(end_posting)
    is_recorded = on_database(is_recorded)
    record = on_database(record)
    record_of_user = on_database(record_of_user)
    of_turn = on_database(messages_of)
    mark_deleted = on_database(mark_deleted)
    delete_later = on_database(delete_later)
    to_delete = on_database(to_delete)
    hide_turns = on_database(hide_turns)
    openly_shown = on_database(openly_shown)
    thread_opened = on_database(thread_opened)
    take_named_thread = on_database(take_named_thread)
    thread_deleted = on_database(thread_deleted)
