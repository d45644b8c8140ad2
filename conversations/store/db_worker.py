"""The thread that works on the database: in order, and several jobs to a transaction when it cannot keep up.

Making one transaction durable means waiting for the disk, whatever it holds. Jobs that come meanwhile share
the next one, so that a crowd waits for the disk a few times and not once for each person.
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
TOGETHER = 64  # jobs in one transaction, at most


@dataclass(eq=False, slots=True)
class _Job(Generic[T]):
    """Work on the database, and who waits for it."""

    work: Callable[[Database], T]
    alone: bool
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Tell who waits, on their own loop."""
        if self.future.done():  # they gave up waiting; the work is done all the same
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


class Clerk:
    """Runs jobs on `db`, in the order they come, on a `thread` of its own (an executor of one)."""

    def __init__(self, db: Database, thread: Executor) -> None:
        self._db = db
        self._thread = thread
        self._jobs: deque[_Job[Any]] = deque()
        self._lock = Lock()  # guards _jobs and _is_busy
        self._is_busy = False

    async def do(self, work: Callable[[Database], T], *, alone: bool = False) -> T:
        """Run `work(db)`; when this returns, what it wrote is durable. Raises what it raises.

        Work that raises has written nothing. alone: it needs a transaction of its own, or none.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        job = _Job(work, alone, future)
        with self._lock:
            self._jobs.append(job)
            idle, self._is_busy = not self._is_busy, True
        if idle:
            self._thread.submit(self._work)
        return await future

    def _work(self) -> None:
        """On the thread: until nothing is left to do."""
        while batch := self._next():
            self._run(batch)
            batch[0].future.get_loop().call_soon_threadsafe(_settle, batch)

    def _next(self) -> list[_Job[Any]]:
        """The jobs to do together now."""
        with self._lock:
            batch: list[_Job[Any]] = []
            while self._jobs and len(batch) < TOGETHER:
                if batch and (self._jobs[0].alone or batch[0].alone):
                    break
                batch.append(self._jobs.popleft())
            self._is_busy = bool(batch)
            return batch

    def _run(self, batch: list[_Job[Any]]) -> None:
        if len(batch) == 1 or not self._run_together(batch):
            for job in batch:
                self._try(job)

    def _run_together(self, batch: list[_Job[Any]]) -> bool:
        """All in one transaction, each failing job taken back; False if it was lost, nothing written."""
        conn = self._db.conn
        try:
            conn.execute("BEGIN IMMEDIATE")
            for job in batch:
                conn.execute("SAVEPOINT job")
                if not self._try(job):
                    conn.execute("ROLLBACK TO job")  # fails if SQLite has taken back everything by itself
                conn.execute("RELEASE job")
            conn.execute("COMMIT")
        except Exception:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            return False
        return True

    def _try(self, job: _Job[Any]) -> bool:
        job.result = job.error = None
        try:
            job.result = job.work(self._db)
        except BaseException as error:
            job.error = error
        return job.error is None


def _settle(batch: list[_Job[Any]]) -> None:
    for job in batch:
        job.settle()
