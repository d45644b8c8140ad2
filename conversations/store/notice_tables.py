"""Notices: anybody's requests, from outside of the chats, to remove a picture."""

from dataclasses import dataclass

from sqlite_utils import Database

from conversations.servers import EVERYWHERE, AuditEntry
from conversations.store.server_tables import write_audit_entry
from conversations.store.sql import one, value, writing
from conversations.store.table_group import TableGroup, on_database, on_database_now

DAY_S = 24 * 3600.0
MOST_A_DAY = 500  # of everybody: operators can read no more


@dataclass(frozen=True, slots=True)
class PictureNotice:
    """One notice.

    about     what the sender pointed at: a link or the id of a version, as typed
    image_hash  of the picture that was sent or pointed at; "" if none was found
    reason, contact  as typed; contact may be ""
    outcome   "" while it is open; then "removed" or "kept"
    reminded_at  when operators were told last, Unix seconds as the other times
    """

    id: int
    at: float
    about: str
    image_hash: str
    reason: str
    contact: str
    outcome: str = ""
    decided_by: str = ""
    decided_at: float | None = None
    reminded_at: float | None = None


def add(db: Database, now: float, about: str, image_hash: str, reason: str, contact: str) -> int | None:
    """Save a notice; its number. None, with nothing saved, if too many came within a day."""
    with writing(db):
        if value(db, "SELECT count(*) FROM notices WHERE at > ?", now - DAY_S) >= MOST_A_DAY:
            return None
        row = {"at": now, "about": about, "image_hash": image_hash, "reason": reason, "contact": contact}
        db.table("notices").insert(row)
        return int(value(db, "SELECT last_insert_rowid()"))


def notice(db: Database, number: int) -> PictureNotice | None:
    """The notice of that number."""
    row = one(db, "SELECT * FROM notices WHERE id = ?", number)
    return PictureNotice(**row) if row else None


def open_notices(db: Database) -> tuple[PictureNotice, ...]:
    """Those that nobody has decided, oldest first."""
    return tuple(
        PictureNotice(**row) for row in db.query("SELECT * FROM notices WHERE outcome = '' ORDER BY id")
    )


def settle(db: Database, number: int, outcome: str, entry: AuditEntry) -> bool:
    """Record what was decided on an open notice, with its audit entry; False if it is not open."""
    with writing(db):
        done = db.execute(
            "UPDATE notices SET outcome = ?, decided_by = ?, decided_at = ? WHERE id = ? AND outcome = ''",
            (outcome, entry.by, entry.at, number),
        )
        if done.rowcount:
            write_audit_entry(db, EVERYWHERE, entry)
        return done.rowcount > 0


def reminded(db: Database, now: float, number: int) -> None:
    """Record that operators were told of a notice."""
    db.execute("UPDATE notices SET reminded_at = ? WHERE id = ?", (now, number))


class NoticeTables(TableGroup):
    """Notices and what was decided."""

    add = on_database_now(add)
    notice = on_database(notice)
    open_notices = on_database(open_notices)
    settle = on_database(settle)
    reminded = on_database_now(reminded)
