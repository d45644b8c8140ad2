"""Erases what nobody has used for long, and what is left of servers that the bot has left.

Messages that show an old session stay in their chat: they are old posts of a conversation, and nothing here
names them any more.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlite_utils import Database

from conversations.servers import EVERYWHERE
from conversations.store.erasures import ERASURE_RETENTION_S
from conversations.store.overwriting import overwrite_later
from conversations.store.picture_tables import delete_unused
from conversations.store.share_ledger import LONGEST_WINDOW_S
from conversations.store.sql import value, values, writing
from conversations.store.table_group import TableGroup, on_database, on_database_now

QUESTION_RETENTION_S = 24 * 3600.0
DELETION_RETENTION_S = 30 * 24 * 3600.0  # of messages that the chat could not delete, as in a channel it left
EVENT_RETENTION_S = 14 * 24 * 3600.0  # chats repeat events within minutes; two weeks is ample
_OF_SERVER = (
    *("server_settings", "blocked_users", "channel_rules", "blocked_images", "share_changes", "audit_log"),
    *("reports", "appeals"),
)


def clear_short_lived(db: Database, now: float) -> None:
    """Delete rows that serve for days at most."""
    db.execute("DELETE FROM seen WHERE at < ?", (now - EVENT_RETENTION_S,))
    db.execute("DELETE FROM deletions WHERE at < ?", (now - DELETION_RETENTION_S,))
    db.execute("DELETE FROM open_questions WHERE asked_at < ?", (now - QUESTION_RETENTION_S,))
    db.execute("DELETE FROM erasures WHERE at < ?", (now - ERASURE_RETENTION_S,))
    db.execute("DELETE FROM charges WHERE at <= ?", (now - LONGEST_WINDOW_S,))
    db.execute("UPDATE turns SET token = NULL WHERE token_expires_at < ?", (now,))


def old_sessions(db: Database, moment: float) -> tuple[str, ...]:
    """The sessions that nobody has used since that moment (Unix seconds), without open edits."""
    return values(
        db,
        "SELECT session_id FROM turns GROUP BY session_id HAVING max(created_at) < ?1 "
        "AND sum(state IN ('waiting', 'running', 'delivering')) = 0 AND NOT EXISTS "
        "(SELECT 1 FROM heads WHERE heads.session_id = turns.session_id AND moved_at >= ?1)",
        moment,
    )


def count_sessions(db: Database) -> int:
    """How many sessions there are."""
    return int(value(db, "SELECT count(*) FROM sessions"))


def forget_sessions(db: Database, sessions: Iterable[str]) -> tuple[str, ...]:
    """Erase sessions with their words and settings; the pictures that nothing has any more."""
    with writing(db):
        pictures: list[str] = []
        for session in sessions:
            pictures += values(db, "SELECT image FROM held_pictures WHERE session_id = ?", session)
            db.execute("DELETE FROM heads WHERE session_id = ?", (session,))
            for table in ("posted_messages", "reports"):
                of_session = "turn_id IN (SELECT id FROM turns WHERE session_id = ?)"
                db.execute(f"DELETE FROM {table} WHERE {of_session}", (session,))
            db.execute("DELETE FROM turns WHERE session_id = ?", (session,))
            db.execute("DELETE FROM overrides WHERE scope = 'session' AND key = ?", (session,))
            db.execute("DELETE FROM sessions WHERE id = ?", (session,))
        overwrite_later(db)
        return delete_unused(db, pictures)


def forget_unused(db: Database, moment: float) -> None:
    """Erase settings, consents, languages, reports, appeals and decided notices older than that moment.

    What belongs to a user stays while they have a version, what belongs to a channel while it has a session.
    """
    day = datetime.fromtimestamp(moment, UTC).date().isoformat()
    with writing(db):
        has_version = "(SELECT user FROM turns UNION SELECT owner FROM sessions)"
        db.execute(
            "DELETE FROM overrides WHERE changed_at < ? AND "
            f"((scope = 'user' AND key NOT IN {has_version}) OR "
            "(scope = 'channel' AND key NOT IN (SELECT channel FROM sessions)))",
            (moment,),
        )
        db.execute(f"DELETE FROM consents WHERE answered_at < ? AND owner NOT IN {has_version}", (moment,))
        db.execute(
            "DELETE FROM users WHERE changed_at < ? AND coalesce(hinted_on, '') < ? "
            f"AND user NOT IN {has_version}",
            (moment, day),
        )
        for table, column in (("cleared_heads", "cleared_at"), ("reports", "at"), ("appeals", "at")):
            db.execute(f"DELETE FROM {table} WHERE {column} < ?", (moment,))
        db.execute("DELETE FROM notices WHERE decided_at < ?", (moment,))
        db.execute("DELETE FROM audit_log WHERE at < ? AND server != ?", (moment, EVERYWHERE))
        overwrite_later(db)


def server_left(db: Database, now: float, server: str) -> None:
    """The bot is no member of that server any more."""
    db.execute("INSERT OR IGNORE INTO servers_left (server, left_at) VALUES (?, ?)", (server, now))


def servers_present(db: Database, now: float, chat: str, servers: Iterable[str]) -> None:
    """The bot is a member of these servers of a chat, and has left all others that it knows there."""
    present = set(servers)
    with writing(db):
        known = values(
            db, "SELECT server FROM server_settings UNION SELECT server FROM turns WHERE server != ''"
        )
        for server in present:
            db.execute("DELETE FROM servers_left WHERE server = ?", (server,))
        for server in known:
            if server.startswith(f"{chat}:") and server not in present:
                server_left(db, now, server)


def left_before(db: Database, moment: float) -> tuple[str, ...]:
    """The servers that the bot left before that moment (Unix seconds)."""
    return values(db, "SELECT server FROM servers_left WHERE left_at < ? ORDER BY left_at", moment)


def sessions_in_server(db: Database, server: str) -> tuple[str, ...]:
    """The sessions that were begun in a server."""
    return values(db, "SELECT session_id FROM turns WHERE server = ? AND parent_id IS NULL", server)


def forget_server(db: Database, server: str) -> None:
    """Erase settings, decisions, reports and appeals of a server, and the settings of its channels."""
    with writing(db):
        channels = "SELECT channel FROM channel_rules WHERE server = ?1"
        db.execute(f"DELETE FROM overrides WHERE scope = 'channel' AND key IN ({channels})", (server,))
        for table in _OF_SERVER:
            db.execute(f"DELETE FROM {table} WHERE server = ?", (server,))
        db.execute("DELETE FROM servers_left WHERE server = ?", (server,))
        overwrite_later(db)


class Ageing(TableGroup):
    """What is old, and its erasure."""

    clear_short_lived = on_database_now(clear_short_lived)
    old_sessions = on_database(old_sessions)
    count_sessions = on_database(count_sessions)
    forget_sessions = on_database(forget_sessions)
    forget_unused = on_database(forget_unused)
    server_left = on_database_now(server_left)
    servers_present = on_database_now(servers_present)
    left_before = on_database(left_before)
    sessions_in_server = on_database(sessions_in_server)
    forget_server = on_database(forget_server)
