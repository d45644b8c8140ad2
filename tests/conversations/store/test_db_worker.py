"""The write batcher runs jobs in order, shares transactions under load, and isolates failing jobs."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlite_utils import Database

from conversations.store.db_worker import WriteBatcher
from conversations.store.sql import writing


class RecordedBatcher:
    """A write batcher that can be kept busy."""

    def __init__(self, db: Database, thread: ThreadPoolExecutor) -> None:
        self.db = db
        self.batcher = WriteBatcher(db, thread)
        self.door = threading.Event()
        self.commits = 0

    def note(self, statement: str) -> None:
        """Count what SQLite is told."""
        self.commits += statement == "COMMIT"

    async def all_at_once(self, *works, own_transaction=False) -> list:
        """Queue all these while the batcher runs something else."""
        busy = asyncio.ensure_future(self.batcher.do(lambda _: self.door.wait()))
        given = [
            asyncio.ensure_future(self.batcher.do(work, own_transaction=own_transaction)) for work in works
        ]
        await asyncio.sleep(0)
        self.door.set()
        await busy
        return await asyncio.gather(*given, return_exceptions=True)


@pytest.fixture
async def recorded(tmp_path) -> AsyncIterator[RecordedBatcher]:
    with ThreadPoolExecutor(1) as thread:
        loop = asyncio.get_running_loop()
        db = await loop.run_in_executor(thread, Database, tmp_path / "x.db")
        await loop.run_in_executor(thread, db.execute, "CREATE TABLE notes (n INTEGER PRIMARY KEY)")
        recorded = RecordedBatcher(db, thread)
        await loop.run_in_executor(thread, db.conn.set_trace_callback, recorded.note)
        yield recorded
        await loop.run_in_executor(thread, db.close)


def write(number: int, *, then_fail: bool = False):
    """A job that writes a number, the way queries.py does."""

    def work(db: Database) -> int:
        with writing(db):
            db.execute("INSERT INTO notes VALUES (?)", (number,))
            if then_fail:
                raise ValueError(number)
        return number

    return work


def everything(db: Database) -> list[int]:
    return [row["n"] for row in db.query("SELECT n FROM notes ORDER BY rowid")]


async def test_jobs_that_wait_share_one_transaction(recorded):
    assert await recorded.all_at_once(*map(write, range(10))) == list(range(10))
    assert recorded.commits == 1
    assert await recorded.batcher.do(everything) == list(range(10))


async def test_a_failing_job_takes_nobody_with_it(recorded):
    outcomes = await recorded.all_at_once(write(1), write(2, then_fail=True), write(3))
    assert [type(outcome) for outcome in outcomes] == [int, ValueError, int]
    assert await recorded.batcher.do(everything) == [1, 3]


async def test_a_transaction_lost_as_a_whole_is_done_again_one_by_one(recorded):
    def roll_everything_back(db: Database) -> None:
        db.execute("ROLLBACK" if db.conn.in_transaction else "SELECT 1")
        raise OSError("disk full")

    outcomes = await recorded.all_at_once(write(1), roll_everything_back, write(3))
    assert [type(outcome) for outcome in outcomes] == [int, OSError, int]
    assert await recorded.batcher.do(everything) == [1, 3]


async def test_a_job_of_its_own_transaction_runs_outside_the_shared_one(recorded):
    outcomes = await recorded.all_at_once(*[lambda db: db.conn.in_transaction] * 3, own_transaction=True)
    assert outcomes == [False, False, False]


async def test_who_gave_up_waiting_harms_nobody(recorded):
    busy = asyncio.ensure_future(recorded.batcher.do(lambda _: recorded.door.wait()))
    gone = asyncio.ensure_future(recorded.batcher.do(write(1)))
    await asyncio.sleep(0)
    gone.cancel()
    recorded.door.set()
    await busy
    assert await recorded.batcher.do(write(2)) == 2
    assert await recorded.batcher.do(everything) == [1, 2]
