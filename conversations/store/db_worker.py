"""Run database jobs in order on one thread, and commit jobs that queue up together.

A durable commit waits for the disk once, however much it holds. Jobs that arrive during a commit share the
next transaction, so that many users at once cost a few disk syncs instead of one each.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

from sqlite_utils import Database

T = TypeVar("T")
MAX_BATCH = 64  # jobs per transaction; bounds how long the first job of a batch waits for the last


@dataclass(eq=False, slots=True)
class _WriteJob(Generic[T]):
    """A function of the database and the future that receives its result."""

    work: Callable[[Database], T]
    own_transaction: bool
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None

    def resolve(self) -> None:
        """Hand the result to the caller; runs on the caller's event loop, as futures are not thread-safe."""
        if self.future.done():  # the caller was cancelled; the work is committed all the same
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


class WriteBatcher:
    """Runs jobs on `db` in the order they arrive, on `thread` (an executor with one worker).

    Invariants: only the thread touches `db`. At most one `_work` loop runs at a time, and `_is_busy` is true
    exactly while one runs or is submitted. A caller gets its result only after the commit.
    """

    def __init__(self, db: Database, thread: Executor) -> None:
        self._db = db
        self._thread = thread
        self._jobs: deque[_WriteJob[Any]] = deque()
        self._lock = Lock()  # guards _jobs and _is_busy: both the event loop and the thread use them
        self._is_busy = False
        self._is_closed = False

    async def do(self, work: Callable[[Database], T], *, own_transaction: bool = False) -> T:
        """Run `work(db)` and return its result once its writes are durable. Raises what `work` raises.

        Work that raises has written nothing. own_transaction: never share a transaction with other jobs
        (needed for pragmas, which fail inside one). Cancelled if this is closed.
        """
        if self._is_closed:
            raise asyncio.CancelledError
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        job = _WriteJob(work, own_transaction, future)
        with self._lock:
            self._jobs.append(job)
            idle, self._is_busy = not self._is_busy, True
        if idle:
            self._thread.submit(self._work)
        return await future

    def close(self) -> None:
        """Take no more jobs; call it before the database is closed. What was taken is still done."""
        self._is_closed = True

    def _work(self) -> None:
        """Run batches on the thread until the queue is empty."""
        while batch := self._next():
            self._run(batch)
            # All jobs of a store come from one event loop, so the first one's loop serves for the batch.
            batch[0].future.get_loop().call_soon_threadsafe(_resolve_batch, batch)

    def _next(self) -> list[_WriteJob[Any]]:
        """The jobs of the next transaction; an empty list marks the batcher as idle.

        Taking jobs and clearing `_is_busy` happen under one lock, so that no job can be queued in between
        and stay there with no loop running.
        """
        with self._lock:
            batch: list[_WriteJob[Any]] = []
            while self._jobs and len(batch) < MAX_BATCH:
                if batch and (self._jobs[0].own_transaction or batch[0].own_transaction):
                    break
                batch.append(self._jobs.popleft())
            self._is_busy = bool(batch)
            return batch

    def _run(self, batch: list[_WriteJob[Any]]) -> None:
        # A lost shared transaction wrote nothing, so each job can safely run again by itself.
        if len(batch) == 1 or not self._run_together(batch):
            for job in batch:
                self._try(job)

    def _run_together(self, batch: list[_WriteJob[Any]]) -> bool:
        """Run the jobs in one transaction and roll back those that fail; False if all of it was lost."""
        conn = self._db.conn
        try:
            # IMMEDIATE takes the write lock now. A later upgrade from a read lock could fail half-way.
            conn.execute("BEGIN IMMEDIATE")
            for job in batch:
                conn.execute("SAVEPOINT job")
                if not self._try(job):
                    conn.execute("ROLLBACK TO job")  # raises if SQLite rolled back everything (disk full)
                conn.execute("RELEASE job")
            conn.execute("COMMIT")
        except Exception:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            return False
        return True

    def _try(self, job: _WriteJob[Any]) -> bool:
        job.result = job.error = None
        try:
            job.result = job.work(self._db)
        except BaseException as error:  # the thread must survive, and the caller must hear of it
            job.error = error
        return job.error is None


def _resolve_batch(batch: list[_WriteJob[Any]]) -> None:
    for job in batch:
        job.resolve()
