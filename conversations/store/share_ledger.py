"""The ledger of what users used of the machine, by cost. It outlives deleted turns and erased users.

A row names its user by a keyed hash only, and goes after a day, the longest window that a limit may have.
A turn's row is written in the transaction that saves the turn, and goes in the one that saves its failure.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from conversations.errors import StoreError
from conversations.store.table_group import TableGroup, on_database_now
from conversations.turn import Turn

SCOPES = ("user", "member", "server", "all")
LONGEST_WINDOW_S = 24 * 3600.0
_ROUNDING = 1e-6  # costs are sums of floats


@dataclass(frozen=True, slots=True)
class ShareLimit:
    """The most that may be used in any window of `window_s` seconds, in edits of the model's own settings.

    scope    names the limit in messages: one of SCOPES; a "member" is a user in one server
    user     whose use is counted; None: everybody's
    server   in which it is counted; None: anywhere
    """

    scope: str
    window_s: float
    most: float
    user: str | None = None
    server: str | None = None


@dataclass(frozen=True, slots=True)
class ShareUse:
    """How much of a limit is used, and in how many seconds the next of it comes back (None: all is left)."""

    limit: ShareLimit
    used: float
    more_in_s: float | None

    @property
    def left(self) -> float:
        """What may still be used now."""
        return max(0.0, self.limit.most - self.used)


class ShareUsedUp(StoreError):
    """A limit has no room for an edit of that cost; nothing was written."""

    def __init__(self, use: ShareUse, cost: float) -> None:
        super().__init__(f"{use.limit.scope}: {use.used:g} of {use.limit.most:g} used, {cost:g} asked")
        self.use = use
        self.cost = cost


@dataclass(frozen=True, slots=True)
class Charge:
    """What an edit costs, and the limits that it must respect."""

    cost: float
    limits: tuple[ShareLimit, ...] = ()


def charge(db: Database, now: float, turn: Turn, asked: Charge) -> None:
    """Enter a turn in the ledger. ShareUsedUp, having written nothing, if a limit has no room for it."""
    if limit := _without_room(db, now, asked.limits, asked.cost):
        raise ShareUsedUp(_use(db, now, limit, asked.cost), asked.cost)
    row = (turn.id, _hashed(db, turn.user), turn.source.server, asked.cost, now)
    db.execute("INSERT INTO charges (turn, who, server, cost, at) VALUES (?, ?, ?, ?, ?)", row)
    db.execute("DELETE FROM charges WHERE at <= ?", (now - LONGEST_WINDOW_S,))


def refund_lost(db: Database, ended: Turn) -> None:
    """What failed costs nothing, nor what was cancelled before the engine was asked for it."""
    if ended.error is not None or (ended.is_lost and ended.attempt == 0):
        db.execute("DELETE FROM charges WHERE turn = ?", (ended.id,))


def uses(db: Database, now: float, limits: Sequence[ShareLimit]) -> tuple[ShareUse, ...]:
    """How much of each limit is used now."""
    return tuple(_use(db, now, limit, 0.0) for limit in limits)


def used_up(db: Database, now: float, limits: Sequence[ShareLimit]) -> ShareUse | None:
    """The first limit that has no room for anything; None if all have."""
    limit = _without_room(db, now, limits, 2 * _ROUNDING)
    return _use(db, now, limit, 0.0) if limit else None


def charges_of(db: Database, user: str) -> list[dict[str, object]]:
    """The user's rows, for their export."""
    sql = "SELECT turn, server, cost, at FROM charges WHERE who = ? ORDER BY at"
    return list(db.query(sql, (_hashed(db, user),)))


def _without_room(db: Database, now: float, limits: Sequence[ShareLimit], cost: float) -> ShareLimit | None:
    """The first limit that has less than that cost left."""
    for limit in limits:
        where, values = _rows_of(db, now, limit)
        (used,) = db.execute(f"SELECT total(cost) FROM charges WHERE {where}", values).fetchone()
        if used + cost > limit.most + _ROUNDING:
            return limit
    return None


def _use(db: Database, now: float, limit: ShareLimit, cost: float) -> ShareUse:
    """`cost`: the use of a limit comes back when there is room for that much (0: for anything)."""
    where, values = _rows_of(db, now, limit)
    rows = db.execute(f"SELECT cost, at FROM charges WHERE {where} ORDER BY at", values).fetchall()
    left = limit.most - sum(used for used, _ in rows)
    use, more_in_s = limit.most - left, None
    for used, at in rows:
        left, more_in_s = left + used, at + limit.window_s - now
        if left + _ROUNDING >= cost and left > 0:
            break
    return ShareUse(limit, use, more_in_s)


def _rows_of(db: Database, now: float, limit: ShareLimit) -> tuple[str, list[object]]:
    """The rows that a limit counts, as a condition and its values."""
    conditions = ["at > ?", "at <= ?"]
    values: list[object] = [now - limit.window_s, now]
    if limit.user is not None:
        conditions, values = [*conditions, "who = ?"], [*values, _hashed(db, limit.user)]
    if limit.server is not None:
        conditions, values = [*conditions, "server = ?"], [*values, limit.server]
    return " AND ".join(conditions), values


def _hashed(db: Database, user: str) -> str:
    """The name of a user in the ledger; nobody without the key can tell whose it is."""
    (key,) = db.conn.execute("SELECT key FROM ledger_key").fetchone()
    return hmac.new(key, user.encode(), "sha256").hexdigest()[:32]


class Shares(TableGroup):
    """The ledger."""

    uses = on_database_now(uses)
    used_up = on_database_now(used_up)
