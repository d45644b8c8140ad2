"""What the bot remembers of its own running: how the clock ran, and whether it can write."""

from dataclasses import astuple, dataclass

from sqlite_utils import Database

from conversations.store.sql import one
from conversations.store.table_group import TableGroup, on_database, on_database_now


@dataclass(frozen=True, slots=True)
class ClockEvidence:
    """How the clock of the machine ran until the last tidy.

    now        Unix seconds at that tidy
    uptime_s   seconds by the clock that cannot be set, counted from the start `boot` of the machine
    jump_s     by how much the clock jumped last
    settled_s  seconds of an even clock since that jump; None: no jump is known
    most_s     seconds of an even clock since most pictures look old; None: they do not
    """

    now: float
    uptime_s: float
    boot: str
    jump_s: float = 0.0
    settled_s: float | None = None
    most_s: float | None = None


def clock_evidence(db: Database) -> ClockEvidence | None:
    """As saved last."""
    row = one(db, "SELECT now, uptime_s, boot, jump_s, settled_s, most_s FROM clock_evidence")
    return ClockEvidence(**row) if row else None


def save_clock_evidence(db: Database, evidence: ClockEvidence) -> None:
    """Replace it."""
    db.execute("INSERT OR REPLACE INTO clock_evidence VALUES (1, ?, ?, ?, ?, ?, ?)", astuple(evidence))


def write(db: Database, now: float) -> None:
    """Write something; raises StoreError if that is not possible now."""
    db.execute("INSERT OR REPLACE INTO last_write VALUES (1, ?)", (now,))


class BotTables(TableGroup):
    """One row each."""

    clock_evidence = on_database(clock_evidence)
    save_clock_evidence = on_database(save_clock_evidence)
    write = on_database_now(write)
