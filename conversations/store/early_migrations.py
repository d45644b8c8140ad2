"""The first ten steps of the schema, which `migrations` continues. They are never edited."""

import json
import re
from typing import Any

from sqlite_utils import Database, Migrations

migrations = Migrations("conversations")


@migrations()
def m001_sessions_and_turns(db: Database) -> None:
    """Sessions, their versions, and where each person stands."""
    db.table("sessions").create(
        {"id": str, "channel": str, "owner": str, "created_at": float},
        pk="id",
        not_null={"channel", "owner", "created_at"},
    )
    db.table("sessions").create_index(["channel", "created_at"])
    db.table("sessions").create_index(["owner"])
    db.table("turns").create(
        {
            "id": str,
            "session_id": str,
            "number": int,
            "parent_id": str,
            "owner": str,
            "instruction": str,
            "expressive": str,
            "reading": str,
            "state": str,
            "wish": str,
            "settings": str,
            "image": str,
            "seconds": str,
            "changed": float,
            "notes": str,
            "error": str,
            "source": str,
            "delivered": str,
            "created_at": float,
            "finished_at": float,
        },
        pk="id",
        foreign_keys=[("session_id", "sessions", "id")],
        not_null={"session_id", "number", "owner", "instruction", "state", "created_at"},
    )
    db.table("turns").create_index(["session_id", "number"], unique=True)
    db.table("turns").create_index(["state", "created_at"])
    db.table("turns").create_index(["owner", "created_at"])
    db.table("turns").create_index(["image"])
    db.table("heads").create(
        {"session_id": str, "person": str, "turn_id": str, "redo": str, "moved_at": float},
        pk=("session_id", "person"),
        foreign_keys=[("session_id", "sessions", "id"), ("turn_id", "turns", "id")],
        not_null={"turn_id", "redo", "moved_at"},
    )
    db.table("heads").create_index(["person", "moved_at"])


@migrations()
def m002_messages_and_wishes(db: Database) -> None:
    """Which message shows which version; what people, channels and sessions wish; the bot's own memory."""
    db.table("deliveries").create(
        {"key": str, "turn_id": str}, pk="key", foreign_keys=[("turn_id", "turns", "id")]
    )
    db.table("deliveries").create_index(["turn_id"])
    db.table("wishes").create({"scope": str, "key": str, "wish": str}, pk=("scope", "key"))
    db.table("seen").create({"event_id": str, "at": float}, pk="event_id")
    db.table("seen").create_index(["at"])
    db.table("facts").create({"key": str, "value": str}, pk="key")
    db.table("leases").create({"name": str, "owner": str, "expires_at": float}, pk="name")


@migrations()
def m003_sheets_and_consent(db: Database) -> None:
    """Sheets of settings, instructions changed while they waited, locked sessions, and who may edit whose."""
    db.table("turns").add_column("grid", str)
    db.table("turns").add_column("is_reworded", int)
    db.table("sessions").add_column("is_locked", int)
    db.table("consents").create(
        {"owner": str, "grantee": str, "answer": str}, pk=("owner", "grantee"), not_null={"answer"}
    )
    db.table("consents").create_index(["grantee"])
    db.table("leases").drop()


@migrations()
def m004_origin_messages(db: Database) -> None:
    """The message an upload's picture came from, apart from the message the bot posted.

    Until now `delivered` of an upload was the message that held the picture, whoever wrote it.
    """
    db.table("turns").add_column("origin_message", str)
    db.table("turns").create_index(["origin_message"])
    db.execute("UPDATE turns SET origin_message = delivered, delivered = NULL WHERE number = 0")
    db.execute("DELETE FROM deliveries WHERE turn_id IN (SELECT id FROM turns WHERE number = 0)")


@migrations()
def m005_request_source(db: Database) -> None:
    """Columns for what the JSON column `source` held."""
    columns: dict[str, type] = {
        "language": str,
        "server": str,
        "channel": str,
        "parent_channel": str,
        "message": str,
        "file_limit": int,
        "token": str,
        "token_expires_at": float,
        "event_id": str,
        "is_hidden": int,
        "lent_by": str,
        "auto_scales": str,
    }
    for name, kind in columns.items():
        db.table("turns").add_column(name, kind)
    chat = "substr(owner, 1, instr(owner, ':'))"  # "discord:", the start of every key of that chat
    db.execute(
        f"""
        UPDATE turns SET
            language = coalesce(json_extract(source, '$.language'), 'en'),
            server = {chat} || json_extract(source, '$.guild'),
            channel = {chat} || json_extract(source, '$.channel'),
            parent_channel = {chat} || json_extract(source, '$.parent'),
            message = {chat} || json_extract(source, '$.channel') || ':' || json_extract(source, '$.message'),
            file_limit = json_extract(source, '$.file_limit'),
            token = json_extract(source, '$.token'),
            token_expires_at = iif(json_extract(source, '$.token') IS NULL, NULL, created_at + 900),
            event_id = json_extract(source, '$.event'),
            is_hidden = coalesce(json_extract(source, '$.hidden'), 0),
            lent_by = json_extract(source, '$.lent_by'),
            auto_scales = coalesce(json_extract(source, '$.auto'), '[]')
        """
    )
    db.execute("ALTER TABLE turns DROP COLUMN source")


@migrations()
def m006_server_tables(db: Database) -> None:
    """Tables for what was JSON in `facts` and `seen`: settings, audit log, reports and appeals."""
    settings = {"is_paused": int, "waiting": int, "per_day": int, "own_only": int}
    db.table("server_settings").create(
        {"server": str, **settings, "reports": str, "language": str}, pk="server"
    )
    db.table("blocked_users").create({"server": str, "user": str}, pk=("server", "user"))
    db.table("channel_rules").create(
        {"server": str, "rule": str, "channel": str}, pk=("server", "rule", "channel")
    )
    db.table("blocked_images").create({"server": str, "hash": str}, pk=("server", "hash"))
    db.table("audit_log").create(
        {"id": int, "server": str, "at": float, "moderator": str, "action": str, "subject": str}, pk="id"
    )
    db.table("audit_log").create_index(["server", "id"])
    db.table("reports").create(
        {"user": str, "turn_id": str, "server": str, "text": str, "at": float},
        pk=("user", "turn_id"),
        foreign_keys=[("turn_id", "turns", "id")],
    )
    db.table("reports").create_index(["turn_id"])
    db.table("appeals").create(
        {"user": str, "image_hash": str, "server": str, "text": str, "at": float}, pk=("user", "image_hash")
    )
    for row in list(db.query("SELECT * FROM facts WHERE key LIKE 'house %'")):
        _move_server(db, row["key"].removeprefix("house "), json.loads(row["value"]))
    complaints = "event_id LIKE 'report %' OR event_id LIKE 'appeal %'"
    for row in list(db.query(f"SELECT * FROM seen WHERE {complaints}")):
        _move_complaint(db, *row["event_id"].split(" "), at=row["at"])
    db.execute("DELETE FROM facts WHERE key LIKE 'house %'")
    db.execute(f"DELETE FROM seen WHERE {complaints}")


def _move_server(db: Database, server: str, old: dict[str, Any]) -> None:
    """The settings and the audit log that one JSON value held; a key it lacks has its default."""
    db.table("server_settings").insert(
        {
            "server": server,
            "is_paused": int(old.get("is_paused", False)),
            "waiting": old.get("waiting"),
            "per_day": old.get("per_day"),
            "own_only": int(old.get("own_only", False)),
            "reports": old.get("reports"),
            "language": old.get("language", "en"),
        }
    )
    db.table("blocked_users").insert_all({"server": server, "user": user} for user in old.get("blocked", ()))
    db.table("blocked_images").insert_all({"server": server, "hash": mark} for mark in old.get("barred", ()))
    for rule in ("closed", "hidden", "overheard"):
        channels = old.get(rule, ())
        db.table("channel_rules").insert_all(
            {"server": server, "rule": rule, "channel": channel} for channel in channels
        )
    db.table("audit_log").insert_all(
        {
            "server": server,
            "at": entry["at"],
            "moderator": entry["by"],
            "action": entry["rule"],
            "subject": entry.get("subject", ""),
        }
        for entry in old.get("log", ())
    )


def _move_complaint(db: Database, kind: str, user: str, about: str, *, at: float) -> None:
    """A report of a turn or an appeal for an image hash; their text was never stored."""
    if kind == "appeal":
        db.execute("INSERT INTO appeals VALUES (?, ?, NULL, '', ?)", (user, about, at))
        return
    db.execute(
        "INSERT INTO reports SELECT ?, id, server, '', ? FROM turns WHERE id = ?",  # not of an erased turn
        (user, at, about),
    )


@migrations()
def m007_users_and_chats(db: Database) -> None:
    """Tables for languages, hints, cleared heads and reading positions; until now texts in `facts`."""
    db.table("users").create({"user": str, "language": str, "hinted_on": str}, pk="user")
    db.table("cleared_heads").create(
        {"user": str, "channel": str, "cleared_at": float}, pk=("user", "channel")
    )
    db.table("chats").create({"chat": str, "newest_message": int}, pk="chat")
    db.table("direct_channels").create({"id": int, "chat": str, "channel": str}, pk="id")
    users: dict[str, dict[str, str]] = {}
    for row in list(db.query("SELECT key, value FROM facts")):
        match row["key"].replace(" ", ":").split(":"):
            case ["discord", "language", user]:
                users.setdefault(f"discord:{user}", {})["language"] = row["value"]
            case ["discord", "hint", user]:
                users.setdefault(f"discord:{user}", {})["hinted_on"] = row["value"]
            case ["discord", "last_seen"]:
                db.table("chats").insert({"chat": "discord", "newest_message": int(row["value"])})
            case ["discord", "dms"]:
                db.table("direct_channels").insert_all(
                    {"chat": "discord", "channel": f"discord:{channel}"}
                    for channel in json.loads(row["value"])
                )
            case ["forgotten", *_]:
                _, channel, user = row["key"].split(" ")
                cleared = {"user": user, "channel": channel, "cleared_at": float(row["value"])}
                db.table("cleared_heads").insert(cleared)
            case _:
                pass
    rows = [{"user": user, "language": None, "hinted_on": None, **known} for user, known in users.items()]
    db.table("users").insert_all(rows)
    db.table("facts").drop()


@migrations()
def m008_plain_names(db: Database) -> None:
    """The names of today: user instead of owner or person, override instead of wish; errors as JSON."""
    db.execute("ALTER TABLE turns RENAME COLUMN owner TO user")
    db.execute("ALTER TABLE turns RENAME COLUMN wish TO override")
    db.execute("ALTER TABLE heads RENAME COLUMN person TO user")
    db.execute("ALTER TABLE wishes RENAME TO overrides")
    db.execute("ALTER TABLE overrides RENAME COLUMN wish TO override")
    db.execute("UPDATE overrides SET scope = 'user' WHERE scope = 'person'")
    db.execute("UPDATE turns SET error = json_quote(error) WHERE error IS NOT NULL")


@migrations()
def m009_posted_messages(db: Database) -> None:
    """One message can show several turns. Of a finished turn, the bot has deleted all cards but the last."""
    db.table("posted_messages").create(
        {"message": str, "turn_id": str, "is_deleted": int},
        pk=("message", "turn_id"),
        foreign_keys=[("turn_id", "turns", "id")],
        not_null={"is_deleted"},
        defaults={"is_deleted": 0},
    )
    db.table("posted_messages").create_index(["turn_id"])
    db.execute(
        "INSERT INTO posted_messages SELECT key, turn_id, "
        "state IN ('done', 'failed', 'cancelled') AND key IS NOT delivered "
        "FROM deliveries JOIN turns ON turns.id = turn_id ORDER BY deliveries.rowid"
    )
    db.table("deliveries").drop()


@migrations()
def m010_filtered_results(db: Database) -> None:
    """The hash of the blocked image that a result was similar to; until now only in the sentence shown."""
    starts = "The result was filtered:|Das Ergebnis wurde zurückgehalten:|El resultado se ha retenido:"
    sentence = re.compile(rf"(?:{starts}).*\(([0-9a-f]{{16}})\)")
    for row in list(db.query("SELECT id, error FROM turns WHERE error LIKE '\"%'")):  # a sentence as JSON
        if found := sentence.match(json.loads(row["error"])):
            error = {"code": "result_filtered", "params": {"hash": found[1]}}
            db.execute("UPDATE turns SET error = ? WHERE id = ?", (json.dumps(error), row["id"]))
