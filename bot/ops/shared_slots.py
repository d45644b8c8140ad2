"""Slots that users share: few in all, and fewer for each, so that one user leaves room for the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class SharedSlots:
    """Who finds no slot free waits, the first who came first."""

    def __init__(self, most: int, per_user: int) -> None:
        self._all = asyncio.Semaphore(most)
        self._per_user = per_user
        self._of_user = WeakValueDictionary[str, asyncio.Semaphore]()

    @asynccontextmanager
    async def slot(self, user: str) -> AsyncIterator[None]:
        """A slot while the block runs."""
        async with self._of_user.setdefault(user, asyncio.Semaphore(self._per_user)), self._all:
            yield
