"""SessionStore: sessions, turns and everything else the bot stores, in one SQLite file.

One thread owns the connection; the methods here are its async interface. The file is in WAL mode with
synchronous=FULL: when a method returns, what it wrote survives a kill of the process and a loss of power.
The file holds the keys of images, not the images (see images/image_store.py).
"""

import asyncio
import glob
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, Unpack

from sqlite_utils import Database

from conversations.errors import StoreError
from conversations.messages import Message
from conversations.private_files import FOLDER_MODE, make_private_file, tighten
from conversations.request_source import NO_SOURCE, RequestSource
from conversations.session import EditSession, Head, Turn, TurnDraft, TurnState
from conversations.settings import NO_OVERRIDE, SettingsOverride
from conversations.store import queries, user_data
from conversations.store.bot_tables import BotTables
from conversations.store.chat_tables import ChatTables
from conversations.store.db_worker import WriteBatcher
from conversations.store.integrity import check_pages, ended_uncleanly
from conversations.store.migrations import migrations
from conversations.store.picture_tables import PictureTables
from conversations.store.posted_messages import PostedMessages
from conversations.store.serialization import TurnFields, override_of, override_text
from conversations.store.server_tables import ServerTables
from conversations.store.user_data import Consent, ErasedData
from conversations.store.user_tables import UserTables

P = ParamSpec("P")
T = TypeVar("T")
OverrideScope = Literal["session", "user", "channel"]

EVENT_RETENTION_S = 14 * 24 * 3600.0  # chats repeat events within minutes; two weeks is ample
QUESTION_RETENTION_S = 24 * 3600.0


class SessionStore:
    """Sessions, turns, heads and overrides on disk. Open it with `async with SessionStore.open(path)`.

    Any method raises StoreError, having written nothing, if the disk is full or the lock timeout passes.
    """

    def __init__(self, batcher: WriteBatcher, clock: Callable[[], float]) -> None:
        self._batcher = batcher
        self._clock = clock
        self.servers = ServerTables(self._do, clock)
        self.users = UserTables(self._do, clock)
        self.chats = ChatTables(self._do, clock)
        self.bot = BotTables(self._do, clock)
        self.pictures = PictureTables(self._do, clock)
        self.messages = PostedMessages(self._do, clock)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: Path | str, *, clock: Callable[[], float] = time.time, lock_timeout_s: float = 5.0
    ) -> AsyncIterator["SessionStore"]:
        """The store in the file `path`, created or migrated as needed.

        `clock` gives Unix seconds; `lock_timeout_s` limits the wait for a lock of another process. Raises
        StoreError if the file is not a conversation database.
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
        notes: tuple[Message, ...] = (),
        source: RequestSource = NO_SOURCE,
        is_hidden: bool = False,
        lent_by: str | None = None,
        origin_message: str | None = None,
        event_id: str | None = None,
    ) -> EditSession:
        """Begin a session on an uploaded image (an ImageStore key), which becomes v0.

        `origin_message` is the message that holds the picture, so that replies to it find the upload. With
        `event_id`, an event already seen raises DuplicateEvent and nothing is written.
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
            source=source,
            is_hidden=is_hidden,
            lent_by=lent_by,
            event_id=event_id,
            origin_message=origin_message,
            created_at=now,
            finished_at=now,
        )
        return await self._do(queries.open_session, channel, upload, event_id)

    async def session(self, session_id: str) -> EditSession:
        """The session of that id. Raises NoSuchVersion if there is none."""
        return await self._do(queries.session, session_id)

    async def session_for_channel(self, channel: str, user: str | None = None) -> EditSession | None:
        """The session of this channel that `user` moved in last, else its newest session, else None."""
        return await self._do(queries.session_for_channel, channel, user)

    async def sessions_in(self, channel: str, limit: int = 20) -> tuple[EditSession, ...]:
        """The newest sessions of a channel, newest first."""
        return await self._do(queries.sessions_in, channel, limit)

    async def set_head(self, session_id: str, user: str, head: Head) -> None:
        """Save the head of a user after a move of EditSession (`moved.heads[user]`)."""
        await self._do(_set_head, session_id, user, replace(head, moved_at=self._clock()))

    async def lock(self, session_id: str, is_locked: bool) -> None:
        """Restrict a session to its owner, or lift that."""
        await self._do(queries.lock, session_id, is_locked)

    # -- turns --------------------------------------------------------------------------------------------

    async def add_turn(self, draft: TurnDraft, *, event_id: str | None = None) -> Turn:
        """Save a waiting turn with id, number and date, and move its user's head to it, in one transaction.

        When this returns, the turn may be acknowledged. Raises DuplicateEvent, having written nothing, if
        `event_id` was handled before; NoSuchVersion if the parent is gone.
        """
        return await self._do(queries.add_turn, draft, self._clock(), event_id)

    async def set_state(self, turn_id: str, state: TurnState, **fields: Unpack[TurnFields]) -> Turn:
        """Move a turn to `state` and set `fields` in one step; returns the new turn.

        Raises TurnStateConflict, having written nothing, if its present state does not allow that (see
        session.NEXT_STATES). Of two callers that try the same step, one succeeds.
        """
        return await self._do(queries.set_state, turn_id, state, self._clock(), fields)

    async def update_turn(self, turn_id: str, **fields: Unpack[TurnFields]) -> Turn:
        """Set fields of a turn, whatever its state; returns the new turn."""
        return await self._do(queries.update_turn, turn_id, fields)

    async def reword(self, turn_id: str, instruction: str) -> Turn:
        """Change the instruction of a waiting turn. Raises TurnStateConflict once it runs."""
        return await self._do(queries.reword, turn_id, instruction)

    async def delete_turn(self, turn_id: str) -> None:
        """Erase a turn that is no upload; its children are attached to its parent."""
        await self._do(user_data.delete_turn, turn_id)

    async def turn(self, turn_id: str) -> Turn:
        """The turn of that id. Raises NoSuchVersion if there is none."""
        return await self._do(queries.turn, turn_id)

    async def turns_in(self, *states: TurnState) -> tuple[Turn, ...]:
        """All turns in these states, oldest first: the durable queue."""
        return await self._do(queries.turns_in, states)

    async def turns_by(self, user: str, limit: int = 50) -> tuple[Turn, ...]:
        """The newest turns of a user, newest first, without uploads."""
        return await self._do(queries.turns_by, user, limit)

    async def find_by_message(self, message: str) -> Turn | None:
        """The one turn that a message shows, once showed, or held the image of, for replies to it."""
        return await self._do(queries.find_by_message, message)

    async def was_requested(self, message: str) -> bool:
        """Whether an edit was asked for by this message (a key)."""
        return await self._do(queries.was_requested, message)

    async def count_states(self) -> dict[TurnState, int]:
        """The number of edits in each state, without uploads."""
        return await self._do(queries.count_states)

    async def images_in_use(self) -> frozenset[str]:
        """The keys of all images that turns refer to; others in the ImageStore can be deleted."""
        return await self._do(queries.images_in_use)

    async def images_untouched_since(self, moment: float) -> frozenset[str]:
        """The keys of images used only in sessions with no open turn and none since `moment` (Unix time)."""
        return await self._do(queries.images_untouched_since, moment)

    async def is_shared(self, image: str) -> bool:
        """Whether more than one turn has this image."""
        return await self._do(queries.is_shared, image)

    # -- overrides ----------------------------------------------------------------------------------------

    async def override(self, scope: OverrideScope, key: str) -> SettingsOverride:
        """The settings override of a session (by id), a user or a channel; NO_OVERRIDE if there is none."""
        return await self._do(_override, scope, key)

    async def set_override(self, scope: OverrideScope, key: str, override: SettingsOverride) -> None:
        """Replace that override; NO_OVERRIDE removes it."""
        await self._do(_set_override, scope, key, override)

    # -- events -------------------------------------------------------------------------------------------

    async def seen(self, event_id: str) -> bool:
        """Whether this chat event was handled before; records it as handled."""
        return await self._do(_seen, event_id, self._clock())

    async def was_seen(self, event_id: str) -> bool:
        """Whether this chat event was handled before; records nothing."""
        return await self._do(_was_seen, event_id)

    # -- users --------------------------------------------------------------------------------------------

    async def consent(self, owner: str, grantee: str) -> Consent | None:
        """Whether `grantee` may edit the images of `owner`; None if the owner never answered that."""
        return await self._do(user_data.consent, owner, grantee)

    async def set_consent(self, owner: str, grantee: str | None, answer: Consent | None) -> None:
        """Save the answer of `owner` for `grantee`, or for everybody (None); an answer of None removes it."""
        await self._do(user_data.set_consent, owner, grantee, answer)

    async def export_user(self, user: str) -> dict[str, Any]:
        """Everything stored about a user, JSON-able; `turns[].image` are ImageStore keys."""
        return await self._do(user_data.export_user, user)

    async def delete_user(self, user: str) -> ErasedData:
        """Erase a user: their sessions with all turns in them, and their turns in the sessions of others.

        What others made from such a turn stays, attached to the turn's parent. The erased text is overwritten
        in the file. The caller deletes the images named in the result.
        """
        with _as_store_errors():
            return await self._batcher.do(lambda db: user_data.delete_user(db, user), own_transaction=True)

    # -- internals ----------------------------------------------------------------------------------------

    async def _do(self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with _as_store_errors():
            return await self._batcher.do(lambda db: work(db, *args, **kwargs))


@contextmanager
def _as_store_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the database cannot be used now: {error}", Message("database_failed")) from error


def _connect(path: Path, now: float, lock_timeout_s: float) -> Database:
    is_unclean = ended_uncleanly(path)  # before it is opened
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        make_private_file(path)
        for beside in path.parent.glob(f"{glob.escape(path.name)}-*"):  # left by a kill
            tighten(beside)
        db = Database(path)
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(f"{path} cannot be used as the conversation database: {reason}") from error
    try:
        if is_unclean:
            check_pages(path, db.conn)
        db.enable_wal()
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA busy_timeout = {round(lock_timeout_s * 1000)}")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON")  # overwrites erased data instead of only unlinking it
        migrations.apply(db)
        db.execute("DELETE FROM seen WHERE at < ?", (now - EVENT_RETENTION_S,))
        db.execute("DELETE FROM open_questions WHERE asked_at < ?", (now - QUESTION_RETENTION_S,))
        db.execute("UPDATE turns SET token = NULL WHERE token_expires_at < ?", (now,))
    except StoreError:
        db.close()
        raise
    except sqlite3.DatabaseError as error:
        db.close()
        raise StoreError(f"{path} cannot be used as the conversation database: {error}") from error
    return db


def _set_head(db: Database, session_id: str, user: str, head: Head) -> None:
    with queries.writing(db):
        queries.write_head(db, session_id, user, head)


def _override(db: Database, scope: str, key: str) -> SettingsOverride:
    row = queries.one(db, "SELECT override FROM overrides WHERE scope = ? AND key = ?", scope, key)
    return override_of(row["override"]) if row else NO_OVERRIDE


def _set_override(db: Database, scope: str, key: str, override: SettingsOverride) -> None:
    if override == NO_OVERRIDE:
        db.execute("DELETE FROM overrides WHERE scope = ? AND key = ?", (scope, key))
    else:
        row = (scope, key, override_text(override))
        db.execute("INSERT OR REPLACE INTO overrides (scope, key, override) VALUES (?, ?, ?)", row)


def _seen(db: Database, event_id: str, now: float) -> bool:
    done = db.execute("INSERT OR IGNORE INTO seen (event_id, at) VALUES (?, ?)", (event_id, now))
    return done.rowcount == 0


def _was_seen(db: Database, event_id: str) -> bool:
    return queries.one(db, "SELECT 1 FROM seen WHERE event_id = ?", event_id) is not None
