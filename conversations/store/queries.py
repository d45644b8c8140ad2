"""The SQL behind SessionStore: sessions, turns and heads. Synchronous; runs on the database thread.

Every function writes in one transaction, so a killed process leaves all of its changes or none.
"""

import secrets
import string
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Unpack

from sqlite_utils import Database

from conversations.errors import NoSuchVersion, StaleAttempt, TurnStateConflict
from conversations.messages import Message
from conversations.request_source import NO_SOURCE, RequestSource
from conversations.session import EditSession, Head
from conversations.store.erasures import refuse_erased
from conversations.store.handled_events import record_event
from conversations.store.overrides import override
from conversations.store.serialization import (
    TurnFields,
    fields_row,
    redo_text,
    session_of,
    turn_of,
    turn_row,
)
from conversations.store.share_ledger import Charge, charge, refund_lost
from conversations.store.sql import one, value, values, writing
from conversations.turn import NEXT_STATES, Turn, TurnDraft, TurnState

_LETTERS, _DIGITS = string.ascii_lowercase, string.digits


def random_id(length: int) -> str:
    """A short id that users can type: a letter, then letters and digits."""
    return secrets.choice(_LETTERS) + "".join(secrets.choice(_LETTERS + _DIGITS) for _ in range(length - 1))


def new_id(db: Database, table: str, length: int, draw: Callable[[int], str] = random_id) -> str:
    """An id that `table` does not have yet. After every eighth collision it grows by one character."""
    draws = 0
    while True:
        candidate = draw(length + draws // 8)
        if one(db, f"SELECT 1 FROM {table} WHERE id = ?", candidate) is None:
            return candidate
        draws += 1


# -- sessions -----------------------------------------------------------------------------------------------


def open_session(
    db: Database,
    now: float,
    channel: str,
    owner: str,
    *,
    image: str,
    notes: tuple[Message, ...] = (),
    source: RequestSource = NO_SOURCE,
    is_hidden: bool = False,
    lent_by: str | None = None,
    origin_message: str | None = None,
    event_id: str | None = None,
    asked_at: float | None = None,
) -> EditSession:
    """Begin a session on an uploaded image (an ImageStore key), which becomes v0.

    `origin_message` is the message that holds the picture, so that replies to it find the upload. With
    `event_id`, an event already seen raises DuplicateEvent and nothing is written; so does UserErased, if the
    owner or the lender erased everything since `asked_at`.
    """
    with writing(db):
        refuse_erased(db, asked_at, owner, lent_by)
        record_event(db, event_id, now)
        session_id, turn_id = new_id(db, "sessions", 6), new_id(db, "turns", 4)
        row = {"id": session_id, "channel": channel, "owner": owner, "created_at": now}
        db.table("sessions").insert(row)
        upload = Turn(
            id=turn_id,
            session_id=session_id,
            number=0,
            parent_id=None,
            user=owner,
            state=TurnState.DONE,
            image=image,
            notes=notes,
            source=source,
            is_hidden=is_hidden,
            lent_by=lent_by,
            event_id=event_id,
            origin_message=origin_message,
            created_at=now,
            finished_at=now,
        )
        db.table("turns").insert(turn_row(upload))
        write_head(db, session_id, owner, Head(turn_id, (), now, source.channel))
    return session(db, session_id)


def session(db: Database, session_id: str) -> EditSession:
    """The session of that id. Raises NoSuchVersion if there is none."""
    row = one(db, "SELECT * FROM sessions WHERE id = ?", session_id)
    if row is None:
        raise NoSuchVersion(f"session {session_id}")
    turns = db.query("SELECT * FROM turns WHERE session_id = ? ORDER BY rowid", (session_id,))
    heads = db.query("SELECT * FROM heads WHERE session_id = ? ORDER BY moved_at", (session_id,))
    return session_of(row, turns, heads, override(db, "session", session_id))


def session_for_channel(db: Database, channel: str, user: str | None = None) -> EditSession | None:
    """The session that the user last moved in here, else the newest session of this channel, else None.

    In a thread, that may be a session of the channel it belongs to.
    """
    mine = user is not None and value(
        db,
        "SELECT session_id FROM heads JOIN sessions ON sessions.id = session_id "
        "WHERE ? IN (sessions.channel, heads.channel) AND user = ? "
        "ORDER BY moved_at DESC, sessions.rowid DESC LIMIT 1",
        channel,
        user,
    )
    found = mine or value(
        db, "SELECT id FROM sessions WHERE channel = ? ORDER BY created_at DESC, rowid DESC LIMIT 1", channel
    )
    return session(db, found) if found else None


def sessions_in(db: Database, channel: str, limit: int = 20) -> tuple[EditSession, ...]:
    """The newest sessions of a channel, newest first."""
    sql = "SELECT id FROM sessions WHERE channel = ? ORDER BY created_at DESC, rowid DESC LIMIT ?"
    return tuple(session(db, session_id) for session_id in values(db, sql, channel, limit))


def set_head(
    db: Database, now: float, session_id: str, user: str, head: Head, asked_at: float | None = None
) -> None:
    """Save the head of a user after a move of EditSession (`moved.heads[user]`); UserErased as above."""
    with writing(db):
        refuse_erased(db, asked_at, user)
        write_head(db, session_id, user, replace(head, moved_at=now))


def lock(db: Database, session_id: str, is_locked: bool) -> None:
    """Restrict a session to its owner, or lift that."""
    db.execute("UPDATE sessions SET is_locked = ? WHERE id = ?", (int(is_locked), session_id))


# -- turns --------------------------------------------------------------------------------------------------


def add_turn(
    db: Database,
    now: float,
    draft: TurnDraft,
    *,
    event_id: str | None = None,
    asked_at: float | None = None,
    cost: Charge | None = None,
) -> Turn:
    """Save a waiting turn with id, number and date, and move its user's head to it, in one transaction.

    When this returns, the turn may be acknowledged. Raises DuplicateEvent, having written nothing, if
    `event_id` was handled before; NoSuchVersion if the parent is gone; UserErased if the user erased
    everything since `asked_at`; ShareUsedUp if no room is left for `cost`. It answers the question which
    picture the user meant there.
    """
    with writing(db):
        refuse_erased(db, asked_at, draft.user)
        record_event(db, event_id, now)
        parent = "SELECT 1 FROM turns WHERE id = ? AND session_id = ?"
        if value(db, parent, draft.parent_id, draft.session_id) is None:
            raise NoSuchVersion(draft.parent_id)
        last = value(db, "SELECT max(number) FROM turns WHERE session_id = ?", draft.session_id)
        asked = {field.name: getattr(draft, field.name) for field in fields(draft)}
        turn_id = new_id(db, "turns", 4)
        added = Turn(**asked, id=turn_id, number=last + 1, created_at=now, event_id=event_id)
        if cost is not None:
            charge(db, now, added, cost)
        db.table("turns").insert(turn_row(added))
        db.execute(
            "DELETE FROM open_questions WHERE user = ? AND "
            "channel IN (?, (SELECT channel FROM sessions WHERE id = ?))",
            (added.user, added.source.channel, added.session_id),
        )
        if added.grid is None:
            write_head(db, added.session_id, added.user, Head(added.id, (), now, added.source.channel))
    return added


def turn(db: Database, turn_id: str) -> Turn:
    """The turn of that id. Raises NoSuchVersion if there is none."""
    row = one(db, "SELECT * FROM turns WHERE id = ?", turn_id)
    if row is None:
        raise NoSuchVersion(turn_id)
    return turn_of(row)


def begin_attempt(db: Database, turn_id: str) -> Turn:
    """Note that the engine is asked for a turn that waits or runs; returns it, running, with the new attempt.

    Raises TurnStateConflict, having written nothing, if its end is known.
    """
    with writing(db):
        done = db.execute(
            "UPDATE turns SET attempt = attempt + 1, state = 'running' "
            "WHERE id = ? AND state IN ('waiting', 'running')",
            (turn_id,),
        )
        if done.rowcount == 0:
            raise TurnStateConflict(turn_id, turn(db, turn_id).state, TurnState.RUNNING)
    return turn(db, turn_id)


def set_state(
    db: Database,
    now: float,
    turn_id: str,
    state: TurnState,
    *,
    attempt: int | None = None,
    is_answer: bool = False,
    **fields: Unpack[TurnFields],
) -> Turn:
    """Move a turn to `state` and set `fields` in one step; returns the new turn.

    attempt: the one that made this; raises StaleAttempt, having written nothing, if another has begun since.
    is_answer: it is no version, so the next turn of its session gets its number, if none has come since.
    Raises TurnStateConflict, having written nothing, if its present state does not allow that (see
    session.NEXT_STATES). Of two callers that try the same step, one succeeds.
    """
    before = [str(earlier) for earlier, nexts in NEXT_STATES.items() if state in nexts]
    columns = {**fields_row(fields), "state": str(state)}
    sets = ", ".join(f"{column} = :{column}" for column in columns)
    if state not in (TurnState.WAITING, TurnState.RUNNING):
        sets += ", finished_at = coalesce(finished_at, :now)"
    marks = ", ".join(f"'{earlier}'" for earlier in before)
    with writing(db):
        done = db.execute(
            f"UPDATE turns SET {sets} WHERE id = :id AND state IN ({marks}) "
            "AND attempt = coalesce(:attempt, attempt)",
            {**columns, "id": turn_id, "now": now, "attempt": attempt},
        )
        if done.rowcount == 0:
            present = turn(db, turn_id)
            kind = StaleAttempt if attempt not in (None, present.attempt) else TurnStateConflict
            raise kind(turn_id, present.state, state)
        record_message(db, turn_id, fields.get("delivered"))
        ended = turn(db, turn_id)
        if is_answer:
            _free_number(db, ended)
        refund_lost(db, ended)
    return turn(db, turn_id)


def _free_number(db: Database, answer: Turn) -> None:
    numbers = "SELECT {}(number) FROM turns WHERE session_id = ?"
    if answer.number == value(db, numbers.format("max"), answer.session_id):
        beside = value(db, numbers.format("min"), answer.session_id) - 1
        db.execute("UPDATE turns SET number = ? WHERE id = ?", (beside, answer.id))


def update_turn(db: Database, turn_id: str, **fields: Unpack[TurnFields]) -> Turn:
    """Set fields of a turn, whatever its state; returns the new turn."""
    with writing(db):
        turn(db, turn_id)
        db.table("turns").update(turn_id, fields_row(fields))
        record_message(db, turn_id, fields.get("delivered"))
    return turn(db, turn_id)


def reword(db: Database, turn_id: str, instruction: str) -> Turn:
    """Change the instruction of a waiting turn; no reading is kept. Raises TurnStateConflict if it runs."""
    change = "UPDATE turns SET instruction = ?, reading = NULL, is_reworded = 1"
    with writing(db):
        done = db.execute(f"{change} WHERE id = ? AND state = 'waiting'", (instruction, turn_id))
        if done.rowcount == 0:
            raise TurnStateConflict(turn_id, turn(db, turn_id).state, "reworded")
    return turn(db, turn_id)


def turns_in(db: Database, *states: TurnState) -> tuple[Turn, ...]:
    """All turns in these states, oldest first: the durable queue."""
    marks = ", ".join("?" * len(states))
    rows = db.query(
        f"SELECT * FROM turns WHERE state IN ({marks}) ORDER BY created_at, rowid",
        [str(state) for state in states],
    )
    return tuple(turn_of(row) for row in rows)


def turns_by(db: Database, user: str, limit: int = 50) -> tuple[Turn, ...]:
    """The newest turns of a user, newest first, without uploads."""
    rows = db.query(
        "SELECT * FROM turns WHERE user = ? AND number != 0 ORDER BY created_at DESC, rowid DESC LIMIT ?",
        (user, limit),
    )
    return tuple(turn_of(row) for row in rows)


def find_by_message(db: Database, message: str) -> Turn | None:
    """The turn that a message is about; None for any other message, and for one that shows several turns.

    It is the turn that a message of the bot shows or showed, else the newest upload whose image the message
    held, else the newest edit that the message asked for.
    """
    shown = values(db, "SELECT turn_id FROM posted_messages WHERE message = ?", message)
    held = "SELECT id FROM turns WHERE origin_message = ? ORDER BY created_at DESC, rowid DESC LIMIT 1"
    asked = "SELECT id FROM turns WHERE message = ? AND number != 0 ORDER BY rowid DESC LIMIT 1"
    if shown:
        found = shown[0] if len(shown) == 1 else None
    else:
        found = value(db, held, message) or value(db, asked, message)
    return turn(db, found) if found else None


def requested_by(db: Database, message: str) -> Turn | None:
    """The newest edit that was asked for by this message; None without one."""
    sql = "SELECT * FROM turns WHERE message = ? AND number != 0 ORDER BY created_at DESC"
    return turn_of(row) if (row := one(db, sql, message)) else None


def count_states(db: Database) -> dict[TurnState, int]:
    """The number of edits in each state, without uploads."""
    rows = db.query("SELECT state, count(*) AS n FROM turns WHERE number != 0 GROUP BY state")
    counted = {row["state"]: row["n"] for row in rows}
    return {state: counted.get(state, 0) for state in TurnState}


# -- parts of a transaction ---------------------------------------------------------------------------------


def record_message(db: Database, turn_id: str, message: str | None) -> None:
    """Record that a message shows a turn. Earlier messages of the turn still lead to it."""
    if message is not None:
        values = (message, turn_id)
        db.execute("INSERT OR IGNORE INTO posted_messages (message, turn_id) VALUES (?, ?)", values)


def write_head(db: Database, session_id: str, user: str, head: Head) -> None:
    """Save the head of a user."""
    row = (session_id, user, head.turn_id, redo_text(head.redo), head.moved_at, head.channel)
    db.execute(
        "INSERT OR REPLACE INTO heads (session_id, user, turn_id, redo, moved_at, channel) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        row,
    )
