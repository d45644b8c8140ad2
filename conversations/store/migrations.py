"""The database schema as a list of numbered steps. New steps are appended; old steps are never edited."""

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
