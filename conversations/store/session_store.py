"""SessionStore: sessions, turns and everything else the bot stores, in one SQLite file.

One thread owns the connection; the methods here are its async interface. The file is in WAL mode with
synchronous=FULL: when a method returns, what it wrote survives a kill of the process and a loss of power.
The file holds the keys of images, not the images (see images/image_store.py).
"""

import asyncio
import glob
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from sqlite_utils import Database

from conversations.errors import StoreError
from conversations.private_files import FOLDER_MODE, make_private_file, tighten
from conversations.session import EditSession
from conversations.store import grid_turns, handled_events, overrides, picture_tables, queries, user_data
from conversations.store.ageing import Ageing, clear_short_lived
from conversations.store.bot_tables import BotTables
from conversations.store.chat_tables import ChatTables
from conversations.store.consent_questions import ConsentQuestions
from conversations.store.db_worker import WriteBatcher
from conversations.store.erasures import Erasures
from conversations.store.integrity import check_pages, ended_uncleanly
from conversations.store.migrations import migrations
from conversations.store.notice_tables import NoticeTables
from conversations.store.operator_tables import OperatorTables
from conversations.store.overwriting import overwrite_erased
from conversations.store.picture_tables import PictureTables
from conversations.store.posted_messages import PostedMessages
from conversations.store.server_tables import ServerTables
from conversations.store.share_ledger import Shares
from conversations.store.table_group import TableGroup, on_database, on_database_now
from conversations.store.user_tables import UserTables


class SessionStore(TableGroup):
    """Sessions, turns, heads and overrides on disk. Open it with `async with SessionStore.open(path)`.

    The functions on the right of its methods say what these do. Any method raises StoreError, having written
    nothing, if the disk is full or the lock timeout passes.
    """

    def __init__(self, batcher: WriteBatcher, clock: Callable[[], float]) -> None:
        super().__init__(batcher, clock)
        self.servers = ServerTables(batcher, clock)
        self.users = UserTables(batcher, clock)
        self.consent_questions = ConsentQuestions(batcher, clock)
        self.chats = ChatTables(batcher, clock)
        self.bot = BotTables(batcher, clock)
        self.pictures = PictureTables(batcher, clock)
        self.messages = PostedMessages(batcher, clock)
        self.erasures = Erasures(batcher, clock)
        self.ageing = Ageing(batcher, clock)
        self.notices = NoticeTables(batcher, clock)
        self.operators = OperatorTables(batcher, clock)
        self.shares = Shares(batcher, clock)

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
            batcher = WriteBatcher(db, thread)
            try:
                yield cls(batcher, clock)
            finally:
                batcher.close()
                await loop.run_in_executor(thread, db.close)

    # -- sessions -----------------------------------------------------------------------------------------

    open_session = on_database_now(queries.open_session)
    session = on_database(queries.session)
    session_for_channel = on_database(queries.session_for_channel)
    sessions_in = on_database(queries.sessions_in)
    sessions_of = on_database(user_data.sessions_of)
    delete_session = on_database(user_data.delete_session, own_transaction=True)
    set_head = on_database_now(queries.set_head)
    lock = on_database(queries.lock)

    # -- turns --------------------------------------------------------------------------------------------

    add_turn = on_database_now(queries.add_turn)
    begin_attempt = on_database(queries.begin_attempt)
    set_state = on_database_now(queries.set_state)
    update_turn = on_database(queries.update_turn)
    reword = on_database(queries.reword)
    make_single = on_database(grid_turns.make_single)
    delete_turn = on_database(user_data.delete_turn)
    turn = on_database(queries.turn)
    turns_in = on_database(queries.turns_in)
    turns_by = on_database(queries.turns_by)
    turns_with = on_database(picture_tables.turns_with)
    find_by_message = on_database(queries.find_by_message)
    count_states = on_database(queries.count_states)
    images_in_use = on_database(picture_tables.images_in_use)
    images_untouched_since = on_database(picture_tables.images_untouched_since)
    is_shared = on_database(picture_tables.is_shared)
    requested_by = on_database(queries.requested_by)

    # -- overrides and events -----------------------------------------------------------------------------

    override = on_database(overrides.override)
    set_override = on_database_now(overrides.set_override)
    seen = on_database_now(handled_events.seen)
    was_seen = on_database(handled_events.was_seen)

    async def current_session(self, channel: str, user: str) -> EditSession | None:
        """The session of a channel in which a user has a current version; None after "new"."""
        session = await self.session_for_channel(channel, user)
        if session is None or (head := session.heads.get(user)) is None:
            return None
        cleared_at = await self.users.head_cleared_at(user, channel)
        return None if cleared_at is not None and cleared_at >= head.moved_at else session

    # -- users --------------------------------------------------------------------------------------------

    consent = on_database(user_data.consent)
    set_consent = on_database_now(user_data.set_consent)
    export_user = on_database(user_data.export_user)
    delete_user = on_database(user_data.delete_user, own_transaction=True)


def _refuse_newer(db: Database, path: Path) -> None:
    """StoreError if a later release than this one wrote the database: this one would misread it."""
    known = {step.name for step in migrations.pending(Database(memory=True))}
    if unknown := sorted({step.name for step in migrations.applied(db)} - known):
        raise StoreError(
            f"{path} was written by a newer release ({unknown[-1]}); use that release, or restore the backup "
            "made before the upgrade"
        )


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
        _refuse_newer(db, path)
        migrations.apply(db)
        clear_short_lived(db, now)
        overwrite_erased(db)
    except StoreError:
        db.close()
        raise
    except sqlite3.DatabaseError as error:
        db.close()
        raise StoreError(f"{path} cannot be used as the conversation database: {error}") from error
    return db
