"""Uploads being received: few at once; where all slots are taken, the slowest upload makes room."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.web_chat.request_limits import TooManyAtOnce, Underway

YOUNG_S = 1.0  # that every upload has before its speed counts
MEMORY_S = 5.0  # in which what arrived counts less and less


class ReceivedUpload:
    """One upload: how fast it comes, and how to end it. `limit` is its timeout, once it has one."""

    def __init__(self, uptime: Callable[[], float]) -> None:
        self._uptime = uptime
        self._began_at = self._last_at = uptime()
        self._lately = 0.0  # bytes
        self.limit: asyncio.Timeout | None = None

    def received(self, count: int) -> None:
        """So many bytes more have come."""
        self._lately, self._last_at = self.lately + count, self._uptime()

    @property
    def lately(self) -> float:
        """Bytes that came lately."""
        return self._lately * math.exp((self._last_at - self._uptime()) / MEMORY_S)

    @property
    def may_end(self) -> bool:
        """Whether it is being received, and not since a moment ago."""
        return self.limit is not None and self._uptime() - self._began_at > YOUNG_S

    def end(self) -> None:
        """Time out now."""
        if self.limit is not None:
            self.limit.reschedule(asyncio.get_running_loop().time())
            self.limit = None


class UploadSlots:
    """The uploads under way: of each visitor, from each address, and in all."""

    def __init__(
        self, per_visitor: int, per_address: int, most: int, uptime: Callable[[], float] = time.monotonic
    ) -> None:
        """`uptime`: a clock in seconds that cannot be set."""
        self._counts = Underway(per_visitor, per_address)
        self._most = most
        self._uptime = uptime
        self._open: set[ReceivedUpload] = set()

    @contextmanager
    def one_more(self, visitor: str, address: str | None) -> Iterator[ReceivedUpload]:
        """Count one while the block runs; TooManyAtOnce if that is one too many."""
        with self._counts.one_more(visitor, address):
            if len(self._open) >= self._most:
                self._make_room()
            upload = ReceivedUpload(self._uptime)
            self._open.add(upload)
            try:
                yield upload
            finally:
                self._open.discard(upload)

    def _make_room(self) -> None:
        slowest = min((one for one in self._open if one.may_end), key=lambda one: one.lately, default=None)
        if slowest is None:
            raise TooManyAtOnce
        slowest.end()
        self._open.discard(slowest)
