"""Everything the database holds about one user: export and erasure. Runs on the database thread."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlite_utils import Database

from conversations.session import EditSession
from conversations.store.consent_questions import delete_of_user
from conversations.store.erasures import mark, refuse_erased
from conversations.store.overwriting import overwrite_erased, overwrite_later
from conversations.store.picture_tables import delete_unused
from conversations.store.posted_messages import delete_later, forget_of_user, messages_of
from conversations.store.queries import session, write_head
from conversations.store.serialization import head_of, turn_of
from conversations.store.share_ledger import charges_of
from conversations.store.sql import one, value, values, writing
from conversations.turn import Turn

EVERYBODY = "*"
MOST_TURNS = 2000  # that a list of sessions reads, which takes 40 ms
_BY_USER = ("users", "cleared_heads", "open_questions", "reports", "appeals")  # rows belong to one user


class Consent(StrEnum):
    """A lasting answer to whether another user may edit the owner's images."""

    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ErasedData:
    """What was erased, for the callers that hold the messages and the images."""

    turns: tuple[Turn, ...]  # the caller cancels those still running
    messages: tuple[str, ...]  # keys of the messages that show them; the caller deletes them
    images: tuple[str, ...]  # keys that no turn refers to any more


def consent(db: Database, owner: str, grantee: str) -> Consent | None:
    """Whether `grantee` may edit the images of `owner`: the answer for them, else that for everybody.

    None if the owner never answered either.
    """
    sql = "SELECT answer FROM consents WHERE owner = ?1 AND grantee IN (?2, ?3) ORDER BY grantee = ?3 LIMIT 1"
    found = value(db, sql, owner, grantee, EVERYBODY)
    return Consent(found) if found else None


def set_consent(
    db: Database,
    now: float,
    owner: str,
    grantee: str | None,
    answer: Consent | None,
    asked_at: float | None = None,
) -> None:
    """Save the answer of `owner` for `grantee`, or for everybody (None); an answer of None removes it.

    UserErased if one of them erased everything since `asked_at`.
    """
    refuse_erased(db, asked_at, owner, grantee)
    key = (owner, EVERYBODY if grantee is None else grantee)
    if answer is None:
        db.execute("DELETE FROM consents WHERE owner = ? AND grantee = ?", key)
    else:
        db.execute(
            "INSERT OR REPLACE INTO consents (owner, grantee, answer, answered_at) VALUES (?, ?, ?, ?)",
            (*key, answer, now),
        )


def export_user(db: Database, user: str) -> dict[str, Any]:
    """Everything stored about a user, JSON-able; `turns[].image` are ImageStore keys."""
    return {
        "user": user,
        "sessions": _rows(db, "SELECT * FROM sessions WHERE owner = ? ORDER BY created_at", user),
        "turns": _turns(db, user),
        "heads": _rows(db, "SELECT * FROM heads WHERE user = ? ORDER BY moved_at", user),
        "overrides": _rows(db, "SELECT override FROM overrides WHERE scope = 'user' AND key = ?", user),
        "messages": _rows(
            db,
            "SELECT posted_messages.message, turn_id FROM posted_messages "
            "JOIN turns ON turns.id = turn_id WHERE user = ?",
            user,
        ),
        "consents": _rows(db, "SELECT grantee, answer FROM consents WHERE owner = ?", user),
        "consent_questions": _rows(
            db,
            "SELECT asker, owner, words, asked_at, refused_at FROM consent_questions "
            "WHERE ? IN (asker, owner)",
            user,
        ),
        "charges": charges_of(db, user),
        "user_messages": _rows(db, "SELECT message FROM user_messages WHERE user = ?", user),
        **{table: _rows(db, f"SELECT * FROM {table} WHERE user = ?", user) for table in _BY_USER},
    }


def sessions_of(db: Database, user: str, channel: str, limit: int) -> tuple[EditSession, ...]:
    """The sessions of a channel in which the user has a head, the last moved in first; at most `limit`.

    Fewer where they have very many turns, as everybody else waits while they are read.
    """
    found = values(
        db,
        "SELECT session_id FROM heads JOIN sessions ON sessions.id = session_id "
        "WHERE user = ? AND sessions.channel = ? ORDER BY moved_at DESC, sessions.rowid DESC LIMIT ?",
        user,
        channel,
        limit,
    )
    sessions: list[EditSession] = []
    for session_id in found:
        if sum(len(one.turns) for one in sessions) >= MOST_TURNS:
            break
        sessions.append(session(db, session_id))
    return tuple(sessions)


def delete_session(db: Database, session_id: str) -> ErasedData:
    """Erase a session with all turns in it, in the way of `delete_user`."""
    with writing(db):
        rows = _rows(db, "SELECT * FROM turns WHERE session_id = ? ORDER BY number DESC", session_id)
        turns = tuple(turn_of(row) for row in rows)
        messages = _messages_of(db, turns)
        _delete_session(db, session_id)
        unused = delete_unused(db, [key for turn in turns for key in turn.pictures])
        overwrite_later(db)
    overwrite_erased(db)
    return ErasedData(turns, messages, unused)


def delete_user(db: Database, user: str, at: float | None = None) -> ErasedData:
    """Erase a user: their sessions with all turns in them, and their turns in the sessions of others.

    What others made from such a turn stays, attached to the turn's parent. A picture that the user lent to
    another's session goes from it, with the messages that show it. The erased text is overwritten in the
    file. The caller deletes the images named in the result. `at`: when the user asked (Unix seconds); nothing
    that was asked before is stored afterwards.
    """
    with writing(db):
        if at is not None:
            mark(db, user, at)
        rows = _rows(
            db,
            "SELECT turns.* FROM turns JOIN sessions ON sessions.id = session_id "
            "WHERE turns.user = ? OR sessions.owner = ? ORDER BY session_id, number DESC",
            user,
            user,
        )
        turns = tuple(turn_of(row) for row in rows)
        messages = _messages_of(db, turns)
        own_sessions = set(values(db, "SELECT id FROM sessions WHERE owner = ?", user))
        db.execute("DELETE FROM heads WHERE user = ?", (user,))
        for session_id in own_sessions:
            _delete_session(db, session_id)
        for turn in turns:
            if turn.session_id not in own_sessions:
                _detach_turn(db, turn)
        db.execute("DELETE FROM overrides WHERE scope = 'user' AND key = ?", (user,))
        db.execute("DELETE FROM consents WHERE ? IN (owner, grantee)", (user,))
        questions = delete_of_user(db, user)
        messages += tuple(asked.message for asked in questions if asked.message)
        messages += forget_of_user(db, user)
        for table in _BY_USER:
            db.execute(f"DELETE FROM {table} WHERE user = ?", (user,))
        lent = _erase_lent(db, user)
        messages = tuple(dict.fromkeys((*messages, *(key for turn in lent for key in _shown_in(db, turn)))))
        delete_later(db, messages)
        held = [key for turn in (*turns, *lent) for key in turn.pictures]
        unused = delete_unused(db, held + [key for asked in questions for key in asked.pictures])
        overwrite_later(db)
    overwrite_erased(db)
    return ErasedData(turns, messages, unused)


def _messages_of(db: Database, turns: Iterable[Turn]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for turn in turns for key in messages_of(db, turn.id)))


def _erase_lent(db: Database, user: str) -> tuple[Turn, ...]:
    """Take the pictures that a user lent out of the sessions of others; the turns as they were."""
    lent = tuple(turn_of(row) for row in _rows(db, "SELECT * FROM turns WHERE lent_by = ?", user))
    for turn in lent:
        db.execute(
            "UPDATE turns SET image = ?, lent_by = NULL, origin_message = NULL WHERE id = ?",
            (no_picture(turn.id), turn.id),
        )
    return lent


def _shown_in(db: Database, turn: Turn) -> tuple[str, ...]:
    """The messages that show a picture: its own, and the results made of it, beside which it stands."""
    made = _rows(db, "SELECT id FROM turns WHERE parent_id = ?", turn.id)
    return tuple(key for row in ({"id": turn.id}, *made) for key in messages_of(db, row["id"]))


def no_picture(turn_id: str) -> str:
    """A key of its own that no picture ever has: should the same picture come again, the turn has it not."""
    return sha256(f"erased {turn_id}".encode()).hexdigest()


def _turns(db: Database, user: str) -> list[dict[str, Any]]:
    """The user's turns without interaction tokens, which are secrets of the bot."""
    turns = _rows(db, "SELECT * FROM turns WHERE user = ? ORDER BY created_at, number", user)
    return [{column: value for column, value in turn.items() if column != "token"} for turn in turns]


def _rows(db: Database, sql: str, *values: object) -> list[dict[str, Any]]:
    return list(db.query(sql, values))


def _delete_session(db: Database, session_id: str) -> None:
    db.execute("DELETE FROM heads WHERE session_id = ?", (session_id,))
    _delete_messages(db, values(db, "SELECT id FROM turns WHERE session_id = ?", session_id))
    db.execute("DELETE FROM turns WHERE session_id = ?", (session_id,))
    db.execute("DELETE FROM overrides WHERE scope = 'session' AND key = ?", (session_id,))
    db.execute("DELETE FROM sessions WHERE id = ?", (session_id,))


def _delete_messages(db: Database, turn_ids: Iterable[str]) -> None:
    for turn_id in turn_ids:
        delete_later(db, messages_of(db, turn_id))
        db.execute("DELETE FROM posted_messages WHERE turn_id = ?", (turn_id,))
        db.execute("DELETE FROM reports WHERE turn_id = ?", (turn_id,))


def delete_turn(db: Database, turn_id: str) -> None:
    """Erase one turn that is no upload; its children are attached to its parent."""
    with writing(db):
        row = one(db, "SELECT * FROM turns WHERE id = ?", turn_id)
        if row is not None and row["parent_id"] is not None:
            _detach_turn(db, turn_of(row))


def _detach_turn(db: Database, turn: Turn) -> None:
    """Remove one turn; its children move to its present parent, heads and variations to what it varied."""
    parent = value(db, "SELECT parent_id FROM turns WHERE id = ?", turn.id)
    varied = value(db, "SELECT varied_id FROM turns WHERE id = ?", turn.id)
    db.execute("UPDATE turns SET parent_id = ? WHERE parent_id = ?", (parent, turn.id))
    of_session = "UPDATE turns SET varied_id = ? WHERE session_id = ? AND varied_id = ?"
    db.execute(of_session, (varied, turn.session_id, turn.id))
    for row in _rows(db, "SELECT * FROM heads WHERE session_id = ?", turn.session_id):
        head = head_of(row)
        kept = replace(
            head,
            turn_id=(varied or parent) if head.turn_id == turn.id else head.turn_id,
            redo=tuple(turn_id for turn_id in head.redo if turn_id != turn.id),
        )
        if kept != head:
            write_head(db, turn.session_id, row["user"], kept)
    _delete_messages(db, [turn.id])
    db.execute("DELETE FROM turns WHERE id = ?", (turn.id,))
