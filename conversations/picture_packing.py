"""Packs large pictures once they were left alone for a while and the bot has nothing else to do."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from conversations.errors import ConversationError
from conversations.images.image_store import ImageStore
from conversations.images.packed_pictures import Pack, packed_apart
from conversations.thread_pools import ThreadPools

log = logging.getLogger(__name__)

LEAST_BYTES = 2**20  # smaller pictures stay as they are
AGE_S, LONGEST_AGE_S = 3600.0, 7 * 24 * 3600.0  # since a picture was stored; older ones have had their turn
EVERY_S = 900.0


@dataclass(eq=False)
class PicturePacking:
    """Packs pictures one at a time. `clock` gives Unix seconds."""

    images: ImageStore
    threads: ThreadPools
    is_idle: Callable[[], bool]
    clock: Callable[[], float]
    pack: Pack = packed_apart
    _tried: set[str] = field(default_factory=set, init=False)  # and not worth it

    async def pack_old(self) -> int:
        """Pack what is due, until the bot has something else to do; how many bytes that saved."""
        now, saved = self.clock(), 0
        due = await self.threads.disk(self.images.large_files, LEAST_BYTES, now - LONGEST_AGE_S, now - AGE_S)
        self._tried &= set(due)
        for key in due:
            if not self.is_idle():
                break  # the rest is due next time
            if key not in self._tried:
                saved += await self._pack(key)
        return saved

    async def _pack(self, key: str) -> int:
        try:
            png = await self.threads.disk(self.images.stored, key)
            file = await self.pack(png)
            if file is None:
                self._tried.add(key)
                return 0
            is_done = await self.threads.disk(self.images.replace, key, file, len(png))
        except ConversationError as error:  # it was deleted meanwhile, or the disk is full
            log.info("a picture was not packed: %s", error)
            return 0
        return len(png) - len(file) if is_done else 0

    async def forever(self) -> None:
        """Pack what is due every EVERY_S seconds, until cancelled."""
        while True:
            try:
                if saved := await self.pack_old():
                    log.info("large pictures were packed and take %d MiB less", saved // 2**20)
            except OSError:
                log.exception("pictures could not be packed")
            await asyncio.sleep(EVERY_S)
