"""Reads untrusted pictures for an event loop, by `sandbox`, so that no user keeps the others waiting."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

from conversations.errors import PictureRefused
from conversations.images.decode import Picture, PictureLimits, RoomTooSmall, check_bytes
from conversations.images.formats import Format, sniff
from conversations.images.sandbox import DEFAULT_LIMITS, LARGE, SMALL, DecoderProcess, Room, pool, too_hard
from conversations.messages import Message

SMALL_AT_ONCE, LARGE_AT_ONCE = 3, 1
COSTLY_S, COSTLY_FOR_S = 2.0, 600.0  # a picture that takes longer is costly; for how long its user is
COSTLY_WAITING = 8  # pictures of such users; more are refused
AT_HAND = 8  # files in memory that wait to be read, those being read included


class PictureReader:
    """`read_picture` for an event loop: few at once, large pictures one at a time. Close it when done.

    Of users whose pictures were costly lately, all together have one read at a time, so they leave room for
    the others; `turn` makes them wait before their picture is fetched.
    """

    def __init__(self, uptime: Callable[[], float] = time.monotonic) -> None:
        """`uptime`: a clock in seconds that cannot be set."""
        self._uptime = uptime
        self._costly: dict[str, float] = {}  # by user: until when
        self._one_costly, self._costly_waiting = asyncio.Semaphore(), 0
        self._at_hand = asyncio.Semaphore(AT_HAND)
        # The queues of these two are where a picture waits, so waiting holds no thread that others need.
        self._small = ThreadPoolExecutor(SMALL_AT_ONCE, "picture")
        self._large = ThreadPoolExecutor(LARGE_AT_ONCE, "large picture")
        self._busy: set[DecoderProcess] = set()
        self._is_closed = False

    def prepare(self) -> None:
        """Start children ahead, without waiting for them."""
        self._small.submit(pool.prepare, SMALL_AT_ONCE)

    @contextlib.asynccontextmanager
    async def turn(self, *users: str) -> AsyncIterator[None]:
        """The turn of a user to have a file fetched and read in the block, so that few files are in memory.

        More than one name: also of what they share with others, such as an address. "" is nobody.
        PictureRefused for a user of costly pictures when too many of those wait.
        """
        async with self._turn_of_costly() if self._is_costly(users) else nullcontext(), self._at_hand:
            yield

    async def read(self, data: bytes, *users: str, limits: PictureLimits = DEFAULT_LIMITS) -> Picture:
        """As read_picture, in the turn of these users."""
        check_bytes(data, limits)
        kind = sniff(data)
        took_s: list[float] = []
        try:
            return await self._read_sized(data, kind, limits, took_s)
        finally:
            if sum(took_s) > COSTLY_S:
                self._costly |= dict.fromkeys(filter(None, users), self._uptime() + COSTLY_FOR_S)

    @contextlib.asynccontextmanager
    async def _turn_of_costly(self) -> AsyncIterator[None]:
        if self._costly_waiting >= COSTLY_WAITING:
            raise PictureRefused("too many pictures of users of costly ones wait", Message("overloaded"))
        self._costly_waiting += 1
        try:
            async with self._one_costly:
                yield
        finally:
            self._costly_waiting -= 1

    def _is_costly(self, users: Iterable[str]) -> bool:
        now_s = self._uptime()
        self._costly = {who: until_s for who, until_s in self._costly.items() if until_s > now_s}
        return not self._costly.keys().isdisjoint(users)

    async def _read_sized(
        self, data: bytes, kind: Format, limits: PictureLimits, took_s: list[float]
    ) -> Picture:
        """Read in the small room, else in the large one; adds the seconds that each took, without waiting."""
        try:
            try:
                return await self._queued(self._small, data, kind, limits, SMALL, took_s)
            except RoomTooSmall:
                return await self._queued(self._large, data, kind, limits, LARGE, took_s)
        except PictureRefused:
            if self._is_closed:  # not for a fault of the file: it may be read at the next start
                raise asyncio.CancelledError from None
            raise

    async def _queued(
        self,
        queue: ThreadPoolExecutor,
        data: bytes,
        kind: Format,
        limits: PictureLimits,
        room: Room,
        took_s: list[float],
    ) -> Picture:
        if self._is_closed:
            raise asyncio.CancelledError
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(queue, self._read, data, kind, limits, room, took_s)

    def close(self) -> None:
        """Read nothing more; what waits or is being read is cancelled at once."""
        self._is_closed = True
        self._small.shutdown(wait=False, cancel_futures=True)
        self._large.shutdown(wait=False, cancel_futures=True)
        for child in tuple(self._busy):
            child.kill()

    def _read(
        self, data: bytes, kind: Format, limits: PictureLimits, room: Room, took_s: list[float]
    ) -> Picture:
        with pool.child() as child:
            began_s = self._uptime()
            self._busy.add(child)
            try:
                if self._is_closed:
                    raise too_hard(kind)
                return child.read(data, kind, limits, room)
            finally:
                took_s.append(self._uptime() - began_s)
                self._busy.discard(child)
