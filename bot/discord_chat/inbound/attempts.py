"""How often each message was tried; kept before it is tried, since reading its picture may end the bot.

Without that, a message that ends the bot would be found again after every restart, and end it again.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import Protocol

TRIES = 2


class SeenEvents(Protocol):
    """Events that were seen; the SessionStore remembers them."""

    async def seen(self, event_id: str) -> bool: ...
    async def was_seen(self, event_id: str) -> bool: ...


class Attempt(Enum):
    """Whether a message may be tried now."""

    OPEN = auto()
    OVER = auto()  # it was answered, or is being tried
    GIVEN_UP = auto()  # TRIES tries ended with the bot


class Attempts:
    """Of the messages of one chat; `event` is the event id of a message."""

    def __init__(self, memory: SeenEvents) -> None:
        self._memory = memory
        self._running: set[str] = set()

    @asynccontextmanager
    async def at(self, event: str, *, is_counted: bool) -> AsyncIterator[Attempt]:
        """One attempt, while the block runs. `is_counted`: whether the message may end the bot."""
        # Not the event itself: an edit that waits for its owner's consent is admitted under that later.
        if event in self._running or await self._memory.was_seen(f"answered {event}"):
            yield Attempt.OVER
            return
        self._running.add(event)
        try:
            yield Attempt.OPEN if not is_counted or await self._count(event) else Attempt.GIVEN_UP
        finally:
            self._running.discard(event)

    async def answered(self, event: str) -> None:
        """The message has its answer and is not tried again."""
        await self._memory.seen(f"answered {event}")

    async def _count(self, event: str) -> bool:
        """Keep that a try begins; False when there were enough."""
        if await self._memory.was_seen(event):  # its edit is on disk already, so nothing will be read
            return True
        for number in range(1, TRIES + 1):
            if not await self._memory.seen(f"try {number} of {event}"):
                return True
        return False
