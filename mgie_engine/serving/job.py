"""One submitted edit while it lives, and its place in the queue. Knows asyncio, not torch."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from mgie_engine.edits import EditRequest, EditResult, Progress
from mgie_engine.errors import EngineError

RequestMaker = Callable[[], Awaitable[EditRequest]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an edit stands."""

    position: int  # edits that will start before this one, plus one; 0 once running or over
    of: int  # edits waiting in all
    wait_s: float | None  # estimated seconds until it starts; None until one edit was measured


class JobState(StrEnum):
    """A job moves down this list; up only to wait for its second try."""

    WAITING = "waiting"
    RUNNING = "running"
    OVER = "over"


@dataclass(eq=False, slots=True)
class Job:
    """An edit with a life of its own, compared by identity: two people may ask for the same thing."""

    key: str
    owner: str
    request: EditRequest | RequestMaker
    cost: float = 1.0  # beside other edits, in any one unit
    state: JobState = JobState.WAITING
    started_at: float | None = None
    is_second_try: bool = False  # the engine process of its first one died
    outcome: EditResult | EngineError | None = None
    _latest: Progress | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def report(self, progress: Progress) -> None:
        """Make `progress` the newest; followers see it unless a newer one comes first."""
        if self.outcome is None:
            self._latest = progress
            self._announce()

    def finish(self, outcome: EditResult | EngineError) -> None:
        """End the job; only the first outcome counts."""
        if self.outcome is None:
            self.state, self.outcome = JobState.OVER, outcome
            self._over.set()
            self._announce()

    async def make_request(self) -> EditRequest:
        """The request to run, made now if it was given as a maker."""
        return self.request if isinstance(self.request, EditRequest) else await self.request()

    async def result(self) -> EditResult:
        """Wait for the end; raises the EngineError the job ended with. Any number of callers may wait."""
        await self._over.wait()
        if isinstance(self.outcome, EngineError):
            raise self.outcome
        assert self.outcome is not None
        return self.outcome

    async def events(self) -> AsyncIterator[Progress]:
        """Yield progress, latest wins, until the job is over; each follower has a view of its own."""
        seen: Progress | None = None
        while True:
            news = self._news
            if self._latest is not None and self._latest is not seen:
                seen = self._latest
                yield seen
            elif self.outcome is not None:
                return
            else:
                await news.wait()

    def _announce(self) -> None:
        # A fresh event per announcement: every follower wakes once, none has to clear it for the others.
        news, self._news = self._news, asyncio.Event()
        news.set()
