"""One kind of blocking work never waits for another, and large drawings run one at a time."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from conversations.thread_pools import DISK_THREADS, SMALL_PIXELS, ThreadPools

LARGE = SMALL_PIXELS + 1


class Hold:
    """Work that stays where it is until the test lets it go; counts how much of it runs at once."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.running = self.most = 0
        self._lock = threading.Lock()

    def work(self) -> None:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.release.wait()
        with self._lock:
            self.running -= 1


@pytest.fixture
def threads() -> Iterator[ThreadPools]:
    threads = ThreadPools()
    yield threads
    threads.close()


async def test_a_small_drawing_ends_while_a_large_one_and_the_disk_are_busy(threads):
    hold = Hold()
    large = [asyncio.create_task(threads.draw(LARGE, hold.work)) for _ in range(12)]
    disk = [asyncio.create_task(threads.disk(hold.work)) for _ in range(DISK_THREADS)]
    try:
        assert await threads.draw(SMALL_PIXELS, lambda: "drawn") == "drawn"
        assert not any(task.done() for task in (*large, *disk))
    finally:
        hold.release.set()
        await asyncio.gather(*large, *disk)


async def test_the_disk_is_free_while_every_drawing_is_held(threads):
    hold = Hold()
    drawings = [asyncio.create_task(threads.draw(pixels, hold.work)) for pixels in (1, 1, 1, LARGE)]
    try:
        assert await threads.disk(len, b"four") == 4
    finally:
        hold.release.set()
        await asyncio.gather(*drawings)


async def test_large_drawings_run_one_at_a_time(threads):
    hold = Hold()
    hold.release.set()
    await asyncio.gather(*(threads.draw(LARGE, hold.work) for _ in range(20)))
    assert hold.most == 1


async def test_a_drawing_that_nobody_waits_for_is_not_begun(threads):
    hold, drawn = Hold(), list[str]()
    first = asyncio.create_task(threads.draw(LARGE, hold.work))
    second = asyncio.create_task(threads.draw(LARGE, drawn.append, "second"))
    await asyncio.sleep(0)  # both are in the queue now
    second.cancel()
    await asyncio.wait([second])
    hold.release.set()
    await first
    await threads.draw(LARGE, drawn.append, "third")
    assert drawn == ["third"]


async def test_work_that_comes_after_closing_is_cancelled(threads):
    threads.close()
    late = [
        asyncio.create_task(threads.disk(lambda: None)),
        asyncio.create_task(threads.draw(LARGE, lambda: None)),
    ]
    await asyncio.wait(late)
    assert all(task.cancelled() for task in late)
