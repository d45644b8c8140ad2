"""The database schema as a list of numbered steps. New steps are appended; old steps are never edited."""

import secrets

from sqlite_utils import Database

from conversations.store.early_migrations import migrations as migrations


@migrations()
def m011_listening_channels(db: Database) -> None:
    """The rule of a channel is named like its field."""
    db.execute("UPDATE channel_rules SET rule = 'listening' WHERE rule = 'overheard'")


@migrations()
def m012_bot_tables(db: Database) -> None:
    """What the bot remembers of its own running. One row each."""
    numbers = {"jump_s": float, "settled_s": float, "most_s": float}
    db.table("clock_evidence").create(
        {"id": int, "now": float, "uptime_s": float, "boot": str, **numbers}, pk="id"
    )
    db.table("last_write").create({"id": int, "at": float}, pk="id")


@migrations()
def m013_heads_in_threads(db: Database) -> None:
    """Where a head was moved (a thread has heads of its own), and instructions that wait for a picture."""
    db.execute("ALTER TABLE heads ADD COLUMN channel TEXT")
    db.table("open_questions").create(
        {"user": str, "channel": str, "words": str, "asked_at": float}, pk=("user", "channel")
    )


@migrations()
def m014_commands_version(db: Database) -> None:
    """Which commands a chat has registered."""
    db.execute("ALTER TABLE chats ADD COLUMN commands_version TEXT")


@migrations()
def m015_deletions(db: Database) -> None:
    """Messages whose turns were erased, until the chat has deleted them."""
    db.table("deletions").create({"message": str, "at": float}, pk="message")


@migrations()
def m016_consent_questions(db: Database) -> None:
    """Questions to the owners of pictures, which until now were in memory."""
    texts = ("id", "asker", "owner", "event_id", "words", "work", "image", "image_message", "message")
    numbers = {"is_hidden": int, "asked_at": float, "refused_at": float}
    needed = {"asker", "owner", "event_id", "words", "work", "is_hidden", "asked_at"}
    made = db.table("consent_questions").create(dict.fromkeys(texts, str) | numbers, pk="id", not_null=needed)
    made.create_index(["asker", "owner"], unique=True)


@migrations()
def m017_picture_deletions(db: Database) -> None:
    """Pictures that were erased, until their files are deleted."""
    db.table("picture_deletions").create({"image": str}, pk="image")


@migrations()
def m018_user_messages(db: Database) -> None:
    """Messages of the bot that show no version and yet hold words of a user, or name them."""
    db.table("user_messages").create({"user": str, "message": str}, pk=("user", "message"))


@migrations()
def m019_attempts(db: Database) -> None:
    """How often the engine was asked for a turn; a result of an earlier attempt does not count."""
    db.execute("ALTER TABLE turns ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0")


@migrations()
def m020_confidence(db: Database) -> None:
    """How sure the model was of a reading, and what else it may have meant where it asked."""
    db.execute("ALTER TABLE turns ADD COLUMN confidence REAL")
    db.execute("ALTER TABLE turns ADD COLUMN other_readings TEXT")


@migrations()
def m021_erasures(db: Database) -> None:
    """Who erased everything and when, as hashes."""
    db.table("erasures").create({"user_hash": str, "at": float}, pk="user_hash")


@migrations()
def m022_masks(db: Database) -> None:
    """Regions marked by hand, which are pictures, too; and one view of whatever has a picture."""
    db.execute("ALTER TABLE turns ADD COLUMN mask TEXT")
    db.execute("ALTER TABLE consent_questions ADD COLUMN mask TEXT")
    db.execute("CREATE INDEX idx_turns_mask ON turns (mask) WHERE mask IS NOT NULL")
    db.execute(
        "CREATE VIEW held_pictures (session_id, user, image) AS "
        "SELECT session_id, user, image FROM turns WHERE image IS NOT NULL "
        "UNION ALL SELECT session_id, user, mask FROM turns WHERE mask IS NOT NULL "
        "UNION ALL SELECT NULL, asker, image FROM consent_questions WHERE image IS NOT NULL "
        "UNION ALL SELECT NULL, asker, mask FROM consent_questions WHERE mask IS NOT NULL"
    )


@migrations()
def m023_charges(db: Database) -> None:
    """What users used lately, by a keyed hash of each; and that key."""
    columns = {"turn": str, "who": str, "server": str, "cost": float, "at": float}
    made = db.table("charges").create(columns, pk="turn", not_null={"who", "cost", "at"})
    made.create_index(["who", "at"])
    made.create_index(["at"])
    db.table("ledger_key").create({"id": int, "key": bytes}, pk="id")
    db.table("ledger_key").insert({"id": 1, "key": secrets.token_bytes(32)})


@migrations()
def m024_picture_marks(db: Database) -> None:
    """The marks by which barred pictures are found again, for all servers."""
    columns = {"hash": str, "data": bytes, "at": float}
    db.table("picture_marks").create(columns, pk="hash", not_null={"data", "at"})


@migrations()
def m025_age_restricted(db: Database) -> None:
    """Whether an edit was asked for in a channel for adults."""
    db.execute("ALTER TABLE turns ADD COLUMN is_age_restricted INTEGER NOT NULL DEFAULT 0")


@migrations()
def m026_ledger_indexes(db: Database) -> None:
    """Sums of costs are read from an index alone, also those of a server."""
    for old in ("idx_charges_who_at", "idx_charges_at"):
        db.execute(f"DROP INDEX {old}")
    for columns in (["who", "at", "cost"], ["server", "at", "cost"], ["at", "cost"]):
        db.table("charges").create_index(columns)


@migrations()
def m027_operators(db: Database) -> None:
    """What operators decide for all servers, and what the running bot must still do for it."""
    db.execute("ALTER TABLE audit_log ADD COLUMN version TEXT NOT NULL DEFAULT ''")
    for column in ("subject", "moderator", "version"):
        db.table("audit_log").create_index([column])
    db.execute("ALTER TABLE server_settings ADD COLUMN announcement TEXT NOT NULL DEFAULT ''")
    db.table("share_changes").create({"server": str, "name": str, "most": float}, pk=("server", "name"))
    work = {"id": int, "act": str, "subject": str, "at": float}
    db.table("operator_work").create(work, pk="id", not_null={"act", "subject", "at"})
    db.table("announced").create({"work": int, "server": str}, pk=("work", "server"))


@migrations()
def m028_notices(db: Database) -> None:
    """Requests from outside of the chats to remove a picture."""
    texts = ("about", "image_hash", "reason", "contact")
    columns = {"id": int, "at": float, **dict.fromkeys(texts, str), "outcome": str, "decided_by": str}
    db.table("notices").create(
        columns | {"decided_at": float, "reminded_at": float},
        pk="id",
        not_null={"at", *texts, "outcome", "decided_by"},
        defaults={"outcome": "", "decided_by": ""},
    )


@migrations()
def m029_ageing(db: Database) -> None:
    """When settings, consents and languages were last changed; and the servers that the bot has left."""
    for table, column in (("overrides", "changed_at"), ("consents", "answered_at"), ("users", "changed_at")):
        db.execute(f"ALTER TABLE {table} ADD COLUMN {column} REAL")
        db.execute(f"UPDATE {table} SET {column} = strftime('%s', 'now')")
    db.table("servers_left").create({"server": str, "left_at": float}, pk="server")


@migrations()
def m030_grid_cells(db: Database) -> None:
    """The pictures of the cells of a grid, at full size, which whatever has a picture names, too."""
    db.execute("ALTER TABLE turns ADD COLUMN cells TEXT")
    db.execute("CREATE INDEX idx_turns_cells ON turns (session_id, user, cells) WHERE cells IS NOT NULL")
    db.execute("DROP VIEW held_pictures")
    db.execute(
        "CREATE VIEW held_pictures (session_id, user, image) AS "
        "SELECT session_id, user, image FROM turns WHERE image IS NOT NULL "
        "UNION ALL SELECT session_id, user, mask FROM turns WHERE mask IS NOT NULL "
        "UNION ALL SELECT session_id, user, json_extract(value, '$.image') FROM turns, json_each(cells) "
        "WHERE cells IS NOT NULL "
        "UNION ALL SELECT NULL, asker, image FROM consent_questions WHERE image IS NOT NULL "
        "UNION ALL SELECT NULL, asker, mask FROM consent_questions WHERE mask IS NOT NULL"
    )


@migrations()
def m031_threads(db: Database) -> None:
    """Threads of sessions, which their first result opens; and those that bear words of a user as a name."""
    db.execute("ALTER TABLE sessions ADD COLUMN thread TEXT")
    db.execute("ALTER TABLE turns ADD COLUMN opens_thread INTEGER NOT NULL DEFAULT 0")
    db.table("named_threads").create({"message": str, "thread": str}, pk="message", not_null={"thread"})


@migrations()
def m032_showcase(db: Database) -> None:
    """The channel of a server in which authors share results."""
    db.execute("ALTER TABLE server_settings ADD COLUMN showcase TEXT")


@migrations()
def m033_varied_versions(db: Database) -> None:
    """The version that a variation was shown after, to which undo leads."""
    db.execute("ALTER TABLE turns ADD COLUMN varied_id TEXT")


@migrations()
def m034_exact_adjustments(db: Database) -> None:
    """Whether an edit was exact: painting it, which was left out, is booked with 0 seconds."""
    db.execute("ALTER TABLE turns ADD COLUMN is_exact INTEGER NOT NULL DEFAULT 0")
    painting = "CASE WHEN json_valid(seconds) THEN json_extract(seconds, '$.painting') END"
    db.execute(f"UPDATE turns SET is_exact = 1 WHERE {painting} = 0")


@migrations()
def m035_postings(db: Database) -> None:
    """Messages with versions that are being posted, until they are recorded."""
    columns = {"id": int, "channel": str, "turns": str, "at": float}
    db.table("postings").create(columns, pk="id", not_null={"channel", "turns", "at"})
