"""What chats show of stored pictures: their files, and copies and maps that are drawn from them.

A drawing is made once for all who ask for it at the same time, and small ones are kept for a while.
"""

import asyncio
import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, TypeVar

from PIL import Image

from conversations.errors import PictureMissing
from conversations.images.image_store import ImageStore
from conversations.thread_pools import ThreadPools

T = TypeVar("T")
log = logging.getLogger(__name__)

KEPT = 128  # drawings; each is a small file


class PictureViews:
    """Reads an ImageStore. Every method raises PictureMissing for a picture that is not there or damaged."""

    def __init__(self, images: ImageStore, threads: ThreadPools) -> None:
        self._images = images
        self._threads = threads
        self._drawn: OrderedDict[Hashable, asyncio.Future[Any]] = OrderedDict()

    async def file(self, key: str) -> bytes:
        """The picture as PNG."""
        if await self._threads.disk(self._images.is_packed, key):
            return await self.draw(bytes, [key])  # it is decoded, so it waits with those that are drawn
        return await self._threads.disk(self._images.get, key)

    async def file_size(self, key: str) -> int:
        """Bytes of the stored file; 0 when there is none."""
        return await self._threads.disk(self._images.size, key)

    async def size_of(self, key: str) -> tuple[int, int]:
        """Width and height of a stored picture."""
        return await self._threads.disk(self._size_of, key)

    async def draw(self, work: Callable[..., T], keys: Sequence[str], *more: object) -> T:
        """`work(*files, *more)` of the files of these pictures, on a thread for drawings."""
        pixels = await self._threads.disk(self._pixels, keys)
        return await self._threads.draw(pixels, self._run, work, keys, more)

    async def draw_once(self, work: Callable[..., T], keys: Sequence[str], *more: Hashable) -> T:
        """As `draw`, and keeps what was drawn. For small results only."""
        await self._threads.disk(self._pixels, keys)  # PictureMissing for one that was deleted meanwhile
        name = (work, *keys, *more)
        if name not in self._drawn:
            drawing = self._drawn[name] = asyncio.create_task(self.draw(work, keys, *more))
            drawing.add_done_callback(partial(self._forget_if_failed, name))
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        self._drawn.move_to_end(name)
        drawn: T = await asyncio.shield(self._drawn[name])
        return drawn

    def _forget_if_failed(self, name: Hashable, drawing: asyncio.Future[Any]) -> None:
        """The next one may succeed."""
        is_failed = drawing.cancelled() or drawing.exception() is not None
        if is_failed and self._drawn.get(name) is drawing:
            del self._drawn[name]

    def _pixels(self, keys: Sequence[str]) -> int:
        return sum(map(self._pixels_of, keys))

    def _pixels_of(self, key: str) -> int:
        try:
            return math.prod(self._size_of(key))
        except OSError:  # a damaged file: decoding it will say so
            return 0

    def _size_of(self, key: str) -> tuple[int, int]:
        try:
            with Image.open(self._images.path(key)) as picture:  # reads the header only
                return picture.size
        except (FileNotFoundError, ValueError):
            raise PictureMissing(key) from None

    def _run(self, work: Callable[..., T], keys: Sequence[str], more: Sequence[object]) -> T:
        try:
            return work(*map(self._images.get, keys), *more)
        except (OSError, SyntaxError) as error:  # as Pillow raises them for damaged files
            if isinstance(error, OSError) and error.errno is not None:  # not of the file
                raise
            log.error("one of the stored pictures %s is damaged: %s", ", ".join(keys), error)
            raise PictureMissing(keys[0]) from error
