"""SessionStore: everything said and asked, kept in one SQLite file.

One thread owns the connection; the methods here are its async face. The file is in WAL mode with
synchronous=FULL: when a method returns, what it wrote survives a kill of the process and a loss of power.
Pictures are not in it (see images.py), only their keys.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, Unpack

from sqlite_utils import Database

from conversations.errors import StoreError
from conversations.session import EditSession, Head, Turn, TurnDraft, TurnState
from conversations.settings import NO_OVERRIDE, SettingsOverride
from conversations.store import queries, user_data
from conversations.store.db_worker import WriteBatcher
from conversations.store.migrations import migrations
from conversations.store.serialization import TurnFields, override_of, override_text
from conversations.store.user_data import Consent, ErasedData

P = ParamSpec("P")
T = TypeVar("T")
OverrideScope = Literal["session", "person", "channel"]

EVENT_RETENTION_S = 14 * 24 * 3600.0  # a chat replays its events within minutes; two weeks is generous


class SessionStore:
    """Sessions, turns, heads and wishes on disk. Open it with `async with SessionStore.open(path)`.

    Any method raises StoreError, having written nothing, when the disk is full or another process is writing.
    """

    def __init__(self, batcher: WriteBatcher, clock: Callable[[], float]) -> None:
        self._batcher = batcher
        self._clock = clock

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: Path | str, *, clock: Callable[[], float] = time.time, lock_timeout_s: float = 5.0
    ) -> AsyncIterator["SessionStore"]:
        """The store in the file `path`, made or brought up to date as needed.

        `clock` gives Unix seconds; `patience_s` is how long to wait while another process writes.
        StoreError when the file is no database of ours.
        """
        with ThreadPoolExecutor(1, "session-store") as thread:
            loop = asyncio.get_running_loop()
            db = await loop.run_in_executor(thread, _connect, Path(path), clock(), lock_timeout_s)
            try:
                yield cls(WriteBatcher(db, thread), clock)
            finally:
                await loop.run_in_executor(thread, db.close)

    # -- sessions -----------------------------------------------------------------------------------------

    async def open_session(
        self,
        channel: str,
        owner: str,
        *,
        image: str,
        notes: tuple[str, ...] = (),
        source: Mapping[str, Any] | None = None,
        delivered: str | None = None,
        event_id: str | None = None,
    ) -> EditSession:
        """Begin a session on an uploaded picture (an ImageStore key), which becomes v0.

        `delivered` is the message that shows the upload, so that replies to it find it. With `event_id`, an
        event already seen raises DuplicateEvent and nothing is written.
        """
        now = self._clock()
        upload = Turn(
            id="",
            session_id="",
            number=0,
            parent_id=None,
            user=owner,
            state=TurnState.DONE,
            image=image,
            notes=notes,
            source=source or {},
            delivered=delivered,
            created_at=now,
            finished_at=now,
        )
        return await self._do(queries.open_session, channel, upload, event_id)

    async def session(self, session_id: str) -> EditSession:
        """The session of that id; NoSuchVersion when there is none."""
        return await self._do(queries.session, session_id)

    async def session_for_channel(self, channel: str, user: str | None = None) -> EditSession | None:
        """The session `person` last moved in here, else the newest of the channel, else None."""
        return await self._do(queries.session_for_channel, channel, user)

    async def sessions_in(self, channel: str, limit: int = 20) -> tuple[EditSession, ...]:
        """The newest sessions of a channel, newest first."""
        return await self._do(queries.sessions_in, channel, limit)

    async def set_head(self, session_id: str, user: str, head: Head) -> None:
        """Save where a person stands, as a move of EditSession left it (`moved.heads[person]`)."""
        await self._do(_set_head, session_id, user, Head(head.turn_id, head.redo, self._clock()))

    async def lock(self, session_id: str, is_locked: bool) -> None:
        """Close a session to everybody but its owner, or open it again."""
        await self._do(queries.lock, session_id, is_locked)

    # -- turns --------------------------------------------------------------------------------------------

    async def add_turn(self, draft: TurnDraft, *, event_id: str | None = None) -> Turn:
        """Save a new waiting turn: give it id, number and date, and move its owner's head to it, all at once.

        When this returns, the turn may be acknowledged. With `event_id`, an event already seen raises
        DuplicateEvent and nothing is written. NoSuchVersion when the parent is gone.
        """
        return await self._do(queries.add_turn, draft, self._clock(), event_id)

    async def set_state(self, turn_id: str, state: TurnState, **fields: Unpack[TurnFields]) -> Turn:
        """Move a turn to `state`, with what became known, in one step; the turn as it then is.

        TurnStateConflict, and nothing written, when its present state does not allow that
        (session.NEXT_STATES): of two who try the same step, one wins.
        """
        return await self._do(queries.set_state, turn_id, state, self._clock(), fields)

    async def update_turn(self, turn_id: str, **fields: Unpack[TurnFields]) -> Turn:
        """Record what became known about a turn, whatever its state; the turn as it then is."""
        return await self._do(queries.update_turn, turn_id, fields)

    async def reword(self, turn_id: str, instruction: str) -> Turn:
        """Change the instruction of a turn that still waits; TurnStateConflict once it runs."""
        return await self._do(queries.reword, turn_id, instruction)

    async def delete_turn(self, turn_id: str) -> None:
        """Erase a turn (no upload); what was made from it hangs on the version before it."""
        await self._do(user_data.delete_turn, turn_id)

    async def turn(self, turn_id: str) -> Turn:
        """The turn of that id; NoSuchVersion when there is none."""
        return await self._do(queries.turn, turn_id)

    async def turns_in(self, *states: TurnState) -> tuple[Turn, ...]:
        """All turns in these states, oldest first: the durable queue."""
        return await self._do(queries.turns_in, states)

    async def turns_by(self, user: str, limit: int = 50) -> tuple[Turn, ...]:
        """The newest turns of a person, newest first, without uploads."""
        return await self._do(queries.turns_by, user, limit)

    async def find_by_delivered(self, key: str) -> Turn | None:
        """The turn that a message shows or once showed: which version a reply means."""
        return await self._do(queries.find_by_delivered, key)

    async def count_states(self) -> dict[TurnState, int]:
        """How many edits are in each state, uploads not counted."""
        return await self._do(queries.count_states)

    async def images_in_use(self) -> frozenset[str]:
        """The keys of every picture a turn refers to; any other in the ImageStore may go."""
        return await self._do(queries.images_in_use)

    async def images_untouched_since(self, moment: float) -> frozenset[str]:
        """The keys of pictures only of sessions with nothing open and nothing asked since `moment` (Unix)."""
        return await self._do(queries.images_untouched_since, moment)

    async def is_shared(self, image: str) -> bool:
        """Whether more than one turn has this picture."""
        return await self._do(queries.is_shared, image)

    # -- wishes -------------------------------------------------------------------------------------------

    async def override(self, scope: OverrideScope, key: str) -> SettingsOverride:
        """The settings wished for a session (its id), a person or a channel; NO_WISH when none."""
        return await self._do(_override, scope, key)

    async def set_override(self, scope: OverrideScope, key: str, override: SettingsOverride) -> None:
        """Replace that wish; NO_WISH takes it back."""
        await self._do(_set_override, scope, key, override)

    # -- the bot's own memory -----------------------------------------------------------------------------

    async def seen(self, event_id: str) -> bool:
        """Whether this chat event was handled before; from now on it was."""
        return await self._do(_seen, event_id, self._clock())

    async def was_seen(self, event_id: str) -> bool:
        """Whether this chat event was handled before; only looks."""
        return await self._do(_was_seen, event_id)

    async def recall(self, key: str) -> str | None:
        """What was remembered under `key`."""
        return await self._do(_recall, key)

    async def remember(self, key: str, value: str) -> None:
        """Keep a small fact, such as the last message seen in a channel."""
        await self._do(_remember, key, value)

    # -- people -------------------------------------------------------------------------------------------

    async def consent(self, owner: str, grantee: str) -> Consent | None:
        """What `owner` said about `grantee` editing their pictures, else about everybody; None: nothing."""
        return await self._do(user_data.consent, owner, grantee)

    async def set_consent(self, owner: str, grantee: str | None, answer: Consent | None) -> None:
        """Keep what `owner` says about `grantee`, or about everybody (None); no answer takes it back."""
        await self._do(user_data.set_consent, owner, grantee, answer)

    async def export_user(self, user: str) -> dict[str, Any]:
        """Everything kept about a person, JSON-able; `turns[].image` are ImageStore keys."""
        return await self._do(user_data.export_user, user)

    async def delete_user(self, user: str) -> ErasedData:
        """Erase a person: the sessions they began, whole, and their turns in the sessions of others.

        What others made from such a turn stays, and hangs on the version before it. The erased text is
        overwritten in the file; the pictures named in the answer are the caller's to delete.
        """
        with _as_store_errors():
            return await self._batcher.do(lambda db: user_data.delete_user(db, user), own_transaction=True)

    # -- inside -------------------------------------------------------------------------------------------

    async def _do(self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with _as_store_errors():
            return await self._batcher.do(lambda db: work(db, *args, **kwargs))


@contextmanager
def _as_store_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"The conversation database cannot be used just now: {error}.") from error


def _connect(path: Path, now: float, lock_timeout_s: float) -> Database:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = Database(path)
    try:
        db.enable_wal()
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA busy_timeout = {round(lock_timeout_s * 1000)}")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON")  # what a person has deleted is overwritten, not only unlinked
        migrations.apply(db)
        db.execute("DELETE FROM seen WHERE at < ?", (now - EVENT_RETENTION_S,))
    except sqlite3.DatabaseError as error:
        db.close()
        raise StoreError(f"{path} cannot be used as the conversation database: {error}.") from error
    return db


def _set_head(db: Database, session_id: str, user: str, head: Head) -> None:
    with queries.writing(db):
        queries.write_head(db, session_id, user, head)


def _override(db: Database, scope: str, key: str) -> SettingsOverride:
    row = queries.one(db, "SELECT wish FROM wishes WHERE scope = ? AND key = ?", scope, key)
    return override_of(row["wish"]) if row else NO_OVERRIDE


def _set_override(db: Database, scope: str, key: str, override: SettingsOverride) -> None:
    if override == NO_OVERRIDE:
        db.execute("DELETE FROM wishes WHERE scope = ? AND key = ?", (scope, key))
    else:
        row = (scope, key, override_text(override))
        db.execute("INSERT OR REPLACE INTO wishes (scope, key, wish) VALUES (?, ?, ?)", row)


def _seen(db: Database, event_id: str, now: float) -> bool:
    done = db.execute("INSERT OR IGNORE INTO seen (event_id, at) VALUES (?, ?)", (event_id, now))
    return done.rowcount == 0


def _was_seen(db: Database, event_id: str) -> bool:
    return queries.one(db, "SELECT 1 FROM seen WHERE event_id = ?", event_id) is not None


def _recall(db: Database, key: str) -> str | None:
    row = queries.one(db, "SELECT value FROM facts WHERE key = ?", key)
    return row["value"] if row else None


def _remember(db: Database, key: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (key, value))
