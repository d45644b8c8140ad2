"""Throttle progress edits: the newest card wins, with a pause between two edits, and results go first."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from bot.chat.replies import Card

log = logging.getLogger(__name__)

Send = Callable[[Card], Awaitable[None]]
HasRoom = Callable[[], bool]
RETRY_S = 0.5  # shortest wait for room


class EditThrottle:
    """One slot per turn for the newest card. Owns the tasks that send them and cancels them at exit."""

    def __init__(
        self,
        pause_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`pause_s`: seconds between two edits of one card; `clock` and `sleep` count the same seconds."""
        self._pause_s, self._clock, self._sleep = pause_s, clock, sleep
        self._newest: dict[str, Card] = {}
        self._sent_at: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = {*self._tasks.values(), *self._sending}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def begin(self, turn_id: str) -> None:
        """A card of this turn was just posted; its pause starts now."""
        self._sent_at[turn_id] = self._clock()

    def offer(self, card: Card, send: Send, has_room: HasRoom = lambda: True) -> None:
        """Send this card when the pause is over and there is room, unless a newer one replaces it before."""
        self._newest[card.turn_id] = card
        if card.turn_id not in self._tasks:
            self._tasks[card.turn_id] = asyncio.create_task(self._run(card.turn_id, send, has_room))

    async def _run(self, turn_id: str, send: Send, has_room: HasRoom) -> None:
        try:
            while turn_id in self._newest:
                last = self._sent_at.get(turn_id, -self._pause_s)
                await self._sleep(max(0.0, last + self._pause_s - self._clock()))
                while not has_room():
                    await self._sleep(max(RETRY_S, self._pause_s))
                card = self._newest.pop(turn_id)
                self._sent_at[turn_id] = self._clock()
                await self._send(card, send)
        except Exception:
            log.warning("could not show progress of turn %s", turn_id, exc_info=True)
        finally:
            if self._tasks.get(turn_id) is asyncio.current_task():
                self._newest.pop(turn_id, None)
                self._tasks.pop(turn_id, None)

    async def _send(self, card: Card, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sending.add(task)
        try:
            await send(card)
        finally:
            self._sending.discard(task)

    def stop(self, turn_id: str) -> asyncio.Task[None] | None:
        """Send nothing more of this turn. Return the task that is still sending one of its cards, if any.

        A request under way is not cancelled: discord.py may then block every later request of that route
        for up to 30 s.
        """
        self._newest.pop(turn_id, None)
        self._sent_at.pop(turn_id, None)
        task = self._tasks.pop(turn_id, None)
        if task in self._sending:
            return task
        if task is not None:
            task.cancel()
        return None

    async def end(self, turn_id: str) -> None:
        """Send nothing more of this turn, and wait for the request under way, if any."""
        if task := self.stop(turn_id):
            await asyncio.gather(task, return_exceptions=True)
