"""Waiting for something to become true, without sleeping."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Changes:
    """Told of every change of the world, so that waiters look again exactly then."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Event] = set()

    def tell(self) -> None:
        for waiter in self._waiters:
            waiter.set()

    async def wait_for(self, look: Callable[[], T | None], within_s: float = 20.0) -> T:
        """The first truthy answer of `look`; TimeoutError when there is none within `within_s` seconds."""
        changed = asyncio.Event()
        self._waiters.add(changed)
        try:
            async with asyncio.timeout(within_s):
                while not (found := look()):
                    await changed.wait()
                    changed.clear()
                return found
        finally:
            self._waiters.discard(changed)
