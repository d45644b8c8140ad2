"""Attempts at each message, counted before it is processed, since decoding its image may kill the process.

Otherwise a message that kills the bot would be found again after every restart, and kill it again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto

from conversations.store.session_store import SessionStore

TRIES = 2


class Attempt(Enum):
    """Whether a message may be processed now."""

    OPEN = auto()
    OVER = auto()  # answered, or being processed
    GIVEN_UP = auto()  # the process died in each of TRIES attempts


class Attempts:
    """Counts the attempts at the messages of one chat; `event` is the event id of a message."""

    def __init__(self, memory: SessionStore) -> None:
        self._memory = memory
        self._running: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def at(self, event: str, *, is_counted: bool) -> AsyncIterator[Attempt]:
        """One attempt, while the block runs. `is_counted`: whether the message might kill the process."""
        if event in self._running:
            yield Attempt.OVER
            return
        self._running[event] = asyncio.Event()
        try:
            yield await self._state(event, is_counted=is_counted)
        finally:
            self._running.pop(event).set()

    async def _state(self, event: str, *, is_counted: bool) -> Attempt:
        # Not the event itself: an edit that waits for its owner's consent is admitted under that later.
        if await self._memory.was_seen(f"answered {event}"):
            return Attempt.OVER
        return Attempt.OPEN if not is_counted or await self._count(event) else Attempt.GIVEN_UP

    async def ended(self, event: str) -> None:
        """Wait until the message is not being processed any more."""
        if running := self._running.get(event):
            await running.wait()

    async def answered(self, event: str) -> None:
        """The message was answered and is not processed again."""
        await self._memory.seen(f"answered {event}")

    async def _count(self, event: str) -> bool:
        """Store that an attempt begins; False when there were TRIES already."""
        if await self._memory.was_seen(event):  # its edit is stored, so no image is decoded again
            return True
        for number in range(1, TRIES + 1):
            if not await self._memory.seen(f"try {number} of {event}"):
                return True
        return False
