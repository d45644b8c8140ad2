"""Decisions of operators for all servers, and what the running bot must still do for them.

A decision is written by the bot or by the command line, in one transaction with its audit entry. What only
the running bot can do, such as to cancel edits, is a row of `operator_work` until it is done.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlite_utils import Database

from conversations.servers import EVERYWHERE, AuditEntry, ServerSettings
from conversations.store.server_tables import change
from conversations.store.sql import one, value, values, writing
from conversations.store.table_group import TableGroup, on_database


@dataclass(frozen=True, slots=True)
class OperatorWork:
    """What the bot must still do: the act and the subject of a decision, and when it was decided."""

    id: int
    act: str
    subject: str
    at: float  # Unix seconds


@dataclass(frozen=True, slots=True)
class OperatorOverview:
    """What goes on everywhere.

    servers    that the bot is in or has settings of; waiting, running: edits
    users, edits    of the last 24 hours; edits by cost, as shares count them
    """

    servers: int
    waiting: int
    running: int
    users: int
    edits: float


def decide(
    db: Database,
    entry: AuditEntry,
    decision: Callable[[ServerSettings], ServerSettings],
    *,
    has_work: bool = False,
) -> ServerSettings:
    """Change the settings of EVERYWHERE, with an entry in the audit log; returns the new ones.

    `has_work`: the running bot must do something, too.
    """
    with writing(db):
        after = change(db, EVERYWHERE, decision, entry)
        if has_work:
            work = {"act": entry.rule, "subject": entry.subject, "at": entry.at}
            db.table("operator_work").insert(work)
    return after


def pending(db: Database) -> tuple[OperatorWork, ...]:
    """The work that is not done, oldest first."""
    return tuple(OperatorWork(**row) for row in db.query("SELECT * FROM operator_work ORDER BY id"))


def done(db: Database, work: int) -> None:
    """Record that this work is done."""
    with writing(db):
        db.execute("DELETE FROM announced WHERE work = ?", (work,))
        db.execute("DELETE FROM operator_work WHERE id = ?", (work,))


def announced_in(db: Database, work: int) -> frozenset[str]:
    """The servers in which an announcement was posted."""
    return frozenset(values(db, "SELECT server FROM announced WHERE work = ?", work))


def announced(db: Database, work: int, server: str) -> None:
    """Record that an announcement was posted in a server, or cannot be."""
    db.execute("INSERT OR IGNORE INTO announced (work, server) VALUES (?, ?)", (work, server))


def overview(db: Database, now: float) -> OperatorOverview:
    """What goes on everywhere, as far as the database knows."""
    row = one(
        db,
        "SELECT count(DISTINCT who) AS users, total(cost) AS edits FROM charges WHERE at > ?",
        now - 24 * 3600.0,
    )
    assert row is not None
    states = {
        state: value(db, "SELECT count(*) FROM turns WHERE state = ?", state)
        for state in ("waiting", "running")
    }
    servers = value(
        db,
        "SELECT count(*) FROM (SELECT server FROM server_settings UNION SELECT server FROM turns) "
        "WHERE server IS NOT NULL AND server != ?",
        EVERYWHERE,
    )
    return OperatorOverview(servers, **states, **row)


class OperatorTables(TableGroup):
    """What operators decided, and what is to be done for it."""

    decide = on_database(decide)
    pending = on_database(pending)
    done = on_database(done)
    announced_in = on_database(announced_in)
    announced = on_database(announced)
    overview = on_database(overview)
