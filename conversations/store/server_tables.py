"""Settings, audit log, reports and appeals of servers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlite_utils import Database

from conversations.servers import DEFAULT_SERVER_SETTINGS, EVERYWHERE, AuditEntry, ServerSettings
from conversations.store.sql import one, values, writing
from conversations.store.table_group import TableGroup, on_database, on_database_now

AUDIT_ENTRIES_KEPT = 500  # per server
MARK_GRACE_S = 3600.0  # a mark is saved before the decision that needs it
_LISTS = {  # field: (table, column of its members, condition on the row)
    "blocked": ("blocked_users", "user", ""),
    "closed": ("channel_rules", "channel", "closed"),
    "only": ("channel_rules", "channel", "only"),
    "hidden": ("channel_rules", "channel", "hidden"),
    "threads": ("channel_rules", "channel", "threads"),
    "listening": ("channel_rules", "channel", "listening"),
    "blocked_images": ("blocked_images", "hash", ""),
}
_VALUES = ("is_paused", "waiting", "per_day", "own_only", "reports", "showcase", "language", "announcement")


def stored_settings(db: Database, server: str) -> ServerSettings:
    """The settings of a server; the defaults if its moderators chose none."""
    row = one(db, "SELECT * FROM server_settings WHERE server = ?", server)
    if row is None:
        return DEFAULT_SERVER_SETTINGS
    stored: dict[str, Any] = {name: row[name] for name in _VALUES}
    stored |= {name: bool(stored[name]) for name in ("is_paused", "own_only")}
    stored |= {field: _members(db, server, field) for field in _LISTS}
    shares = db.query("SELECT name, most FROM share_changes WHERE server = ? ORDER BY rowid", (server,))
    stored["shares"] = tuple((share["name"], share["most"]) for share in shares)
    return ServerSettings(**stored)


def effective_settings(db: Database, server: str | None) -> ServerSettings:
    """The settings of a server (None: outside of servers), with what the operator decided everywhere."""
    own = DEFAULT_SERVER_SETTINGS if server is None else stored_settings(db, server)
    everywhere = stored_settings(db, EVERYWHERE)
    return replace(
        own,
        paused_everywhere=everywhere.is_paused,
        blocked_everywhere=everywhere.blocked,
        blocked_images=(*own.blocked_images, *everywhere.blocked_images),
        shares=everywhere.shares,
        announcement=everywhere.announcement,
    )


def _members(db: Database, server: str, field: str) -> tuple[str, ...]:
    table, column, rule = _LISTS[field]
    sql = f"SELECT {column} FROM {table} WHERE server = ?" + (" AND rule = ?" if rule else "")
    return values(db, f"{sql} ORDER BY rowid", *([server, rule] if rule else [server]))


def change(
    db: Database,
    server: str,
    change: Callable[[ServerSettings], ServerSettings],
    entry: AuditEntry | None = None,
) -> ServerSettings:
    """Replace the settings by `change(settings)`, with an entry in the audit log; returns the new ones.

    `change` runs on the database thread. No other change comes between reading and writing.
    """
    with writing(db):
        after = change(stored_settings(db, server))
        write_server_settings(db, server, after)
        if entry is not None:
            write_audit_entry(db, server, entry)
    return after


def write_server_settings(db: Database, server: str, settings: ServerSettings) -> None:
    """Replace the settings of a server, inside a transaction."""
    stored = {name: getattr(settings, name) for name in _VALUES}
    db.table("server_settings").upsert({"server": server, **stored}, pk="server")
    for field, (table, column, rule) in _LISTS.items():
        where, key = ("server = ? AND rule = ?", [server, rule]) if rule else ("server = ?", [server])
        db.execute(f"DELETE FROM {table} WHERE {where}", key)
        rows = [{"server": server, column: member} for member in getattr(settings, field)]
        db.table(table).insert_all([{**row, "rule": rule} for row in rows] if rule else rows)
    db.execute("DELETE FROM share_changes WHERE server = ?", (server,))
    db.table("share_changes").insert_all(
        {"server": server, "name": name, "most": most} for name, most in settings.shares
    )


def write_audit_entry(db: Database, server: str, entry: AuditEntry) -> None:
    """Append to the audit log of a server and drop its oldest entries, inside a transaction.

    The operator's is kept whole.
    """
    db.execute(
        "INSERT INTO audit_log (server, at, moderator, action, subject, version) VALUES (?, ?, ?, ?, ?, ?)",
        (server, entry.at, entry.by, entry.rule, entry.subject, entry.version),
    )
    if server == EVERYWHERE:
        return
    db.execute(
        "DELETE FROM audit_log WHERE server = ? AND id NOT IN "
        "(SELECT id FROM audit_log WHERE server = ? ORDER BY id DESC LIMIT ?)",
        (server, server, AUDIT_ENTRIES_KEPT),
    )


def audit_log(
    db: Database, server: str | None, limit: int = AUDIT_ENTRIES_KEPT, about: str | None = None
) -> tuple[AuditEntry, ...]:
    """The newest decisions, newest first. server: None for those of all servers and of the operators.

    `about`: only those on that user, image hash, version or channel, or by that user.
    """
    rows = db.query(
        "SELECT * FROM audit_log WHERE (?1 IS NULL OR server = ?1) "
        "AND (?2 IS NULL OR ?2 IN (subject, moderator, version)) ORDER BY id DESC LIMIT ?3",
        (server, about, limit),
    )
    columns = ("at", "moderator", "action", "subject", "version", "server")
    return tuple(AuditEntry(*(row[column] for column in columns)) for row in rows)


def add_report(db: Database, now: float, server: str | None, user: str, turn_id: str, text: str) -> bool:
    """Save a user's report of a turn, if it is their first; whether it is the first of all."""
    is_known = one(db, "SELECT 1 FROM reports WHERE turn_id = ?", turn_id) is not None
    db.execute(
        "INSERT OR IGNORE INTO reports (user, turn_id, server, text, at) VALUES (?, ?, ?, ?, ?)",
        (user, turn_id, server, text, now),
    )
    return not is_known


def add_appeal(db: Database, now: float, server: str | None, user: str, image_hash: str, text: str) -> bool:
    """Save a user's appeal against a blocked image; False, and nothing written, if there is one."""
    done = db.execute(
        "INSERT OR IGNORE INTO appeals (user, image_hash, server, text, at) VALUES (?, ?, ?, ?, ?)",
        (user, image_hash, server, text, now),
    )
    return done.rowcount > 0


def add_picture_mark(db: Database, now: float, image_hash: str, data: bytes) -> None:
    """Save the mark of a picture that is about to be barred; marks that no server needs any more go."""
    kept = "SELECT hash FROM blocked_images UNION SELECT image_hash FROM notices WHERE outcome = ''"
    unused = f"at < ? AND hash NOT IN ({kept})"
    db.execute(f"DELETE FROM picture_marks WHERE {unused}", (now - MARK_GRACE_S,))
    db.execute(
        "INSERT OR REPLACE INTO picture_marks (hash, data, at) VALUES (?, ?, ?)", (image_hash, data, now)
    )


def picture_marks(db: Database, hashes: Sequence[str]) -> dict[str, bytes]:
    """The marks that are known by these names."""
    wanted = set(hashes)
    rows = db.query("SELECT hash, data FROM picture_marks")
    return {row["hash"]: row["data"] for row in rows if row["hash"] in wanted}


class ServerTables(TableGroup):
    """What moderators decided, and what users brought before them."""

    settings = on_database(effective_settings)
    change = on_database(change)
    audit_log = on_database(audit_log)
    add_picture_mark = on_database_now(add_picture_mark)
    picture_marks = on_database(picture_marks)
    add_report = on_database_now(add_report)
    add_appeal = on_database_now(add_appeal)
