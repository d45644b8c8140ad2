"""How much the pictures of a user, and of all users, may take on the disk.

Checked before a picture or an edit is accepted. What was accepted is stored, even if that is a little more.
"""

import logging
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from conversations.errors import StorageFull
from conversations.images.decode import mebibytes
from conversations.images.image_store import ImageStore
from conversations.messages import Message
from conversations.store.session_store import SessionStore
from conversations.thread_pools import ThreadPools

log = logging.getLogger(__name__)

KEPT_SESSIONS = 5  # of a user, whose pictures are never deleted to make room
WARN_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True)
class StorageLimits:
    """Bytes of pictures: per user, of all users (None: no limit), and what must stay free on their disk."""

    per_user: int | None = None
    total: int | None = None
    min_free: int = 0


NO_STORAGE_LIMITS = StorageLimits()


@dataclass(frozen=True, slots=True)
class _Usage:
    """Bytes: free on the disk, of the user's pictures, and of all."""

    free: int
    own: int
    total: int


@dataclass(eq=False)
class PictureBudget:
    """Makes room for pictures, or says why there is none."""

    store: SessionStore
    images: ImageStore
    threads: ThreadPools
    limits: StorageLimits
    uptime: Callable[[], float] = time.monotonic
    _warned_at: float | None = field(default=None, init=False)

    async def check_disk(self) -> None:
        """Raises StorageFull when the disk has no room."""
        if self.limits.min_free:
            self._check_free(await self.threads.disk(self._measure, ()), 0)

    async def make_room(self, user: str, size: int, session: str | None = None) -> int:
        """See to it that the user may store `size` bytes more; how many old pictures of theirs went for it.

        `session`: one that is in use now. StorageFull, with nothing deleted, when that is not enough.
        """
        if self.limits == NO_STORAGE_LIMITS:
            return 0
        own = await self.store.pictures.of_user(user)
        usage = await self.threads.disk(self._measure, own)
        self._check_free(usage, size)
        too_much, refusal = self._excess(usage, size)
        if too_much <= 0:
            return 0
        chosen: list[str] = []
        for keys in await self.store.pictures.unused_of(user, KEPT_SESSIONS, session):
            chosen += keys
            too_much -= await self.threads.disk(self._sizes, keys)
            if too_much <= 0:
                break
        if too_much > 0:
            raise refusal
        deleted = await self.threads.disk(self.images.delete_all, chosen)
        log.info("%d old pictures of %s were deleted to make room", deleted, user)
        return deleted

    def _measure(self, own: Iterable[str]) -> _Usage:
        free = shutil.disk_usage(self.images.folder).free
        return _Usage(free, self._sizes(own), self.images.total_bytes())

    def _check_free(self, usage: _Usage, size: int) -> None:
        free = usage.free - size
        if free < 2 * self.limits.min_free:
            self._warn(free)
        if free < self.limits.min_free:
            raise StorageFull("the disk is nearly full", Message("disk_full"))

    def _excess(self, usage: _Usage, size: int) -> tuple[int, StorageFull]:
        """By how many bytes the tighter limit would be passed, and what to tell the user then."""
        limits = self.limits
        of_user = usage.own + size - limits.per_user if limits.per_user is not None else 0
        of_all = usage.total + size - limits.total if limits.total is not None else 0
        if of_user < of_all:
            return of_all, StorageFull("all pictures together take too much", Message("storage_full"))
        text = Message("own_storage_full", used=mebibytes(usage.own), limit=mebibytes(limits.per_user or 0))
        return of_user, StorageFull("the pictures of this user take too much", text)

    def _sizes(self, keys: Iterable[str]) -> int:
        return sum(map(self.images.size, keys))

    def _warn(self, free: int) -> None:
        now = self.uptime()
        if self._warned_at is None or now - self._warned_at >= WARN_EVERY_S:
            self._warned_at = now
            log.warning(
                "%d MiB are free for pictures; below %d MiB new ones are refused",
                free // 2**20,
                self.limits.min_free // 2**20,
            )
