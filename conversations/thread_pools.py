"""Threads for blocking work, by kind of work, so that one kind never waits for another.

Drawing is bounded by the pixels that are decoded: jobs on large pictures run one at a time, small ones beside
them. What waits, waits in a queue and holds neither a thread nor a picture.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

DISK_THREADS = 4
SMALL_DRAWINGS, LARGE_DRAWINGS = 2, 1  # at once
SMALL_PIXELS = 4_000_000  # of all pictures of a job together; about 16 bytes each while it runs


class ThreadPools:
    """Runs blocking functions for an event loop. Close it when done."""

    def __init__(self) -> None:
        self._disk = ThreadPoolExecutor(DISK_THREADS, "disk")
        self._small = ThreadPoolExecutor(SMALL_DRAWINGS, "drawing")
        self._large = ThreadPoolExecutor(LARGE_DRAWINGS, "large drawing")
        self._is_closed = False

    async def disk(self, work: Callable[..., T], *arguments: object) -> T:
        """Run a function that reads or writes files."""
        return await self._run(self._disk, work, *arguments)

    async def draw(self, pixels: int, work: Callable[..., T], *arguments: object) -> T:
        """Run a function that decodes pictures of `pixels` pixels in all."""
        queue = self._small if pixels <= SMALL_PIXELS else self._large
        return await self._run(queue, work, *arguments)

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[..., T], *arguments: object) -> T:
        if self._is_closed:
            raise asyncio.CancelledError
        return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)

    def close(self) -> None:
        """Run nothing more; what waits or comes later is cancelled, what runs ends by itself."""
        self._is_closed = True
        for pool in (self._disk, self._small, self._large):
            pool.shutdown(wait=False, cancel_futures=True)
