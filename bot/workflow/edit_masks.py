"""The masks of edits: read, checked and combined in one place, from whichever way they come."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from bot.chat.events import EditAsked
from bot.chat.offered_masks import MaskOffer
from conversations.errors import PictureMissing, PictureRefused
from conversations.images.image_store import PictureReader
from conversations.images.marks import Marks
from conversations.images.picture_views import PictureViews
from conversations.messages import Message
from conversations.session import EditSession
from conversations.thread_pools import ThreadPools
from conversations.turn import Turn
from mgie_engine.errors import RequestRefused
from mgie_engine.serving.masks import mask_png, open_mask
from mgie_engine.serving.pictures import open_picture, to_png

Size = tuple[int, int]  # width and height in pixels


@dataclass(eq=False)
class Masks:
    """Gives masks as the engine takes them: grey PNGs of the picture's size, white where it may change."""

    pictures: PictureViews
    threads: ThreadPools
    reader: PictureReader

    async def of(self, asked: EditAsked, session: EditSession, parent: Turn) -> bytes | None:
        """The mask of an edit of `parent`; RequestRefused for one that does not fit or marks nothing.

        Without one of its own it is that of the version it starts from, else of the nearest one before it.
        """
        if asked.mask is not None:
            size = await self.pictures.size_of(session.root.image or "")  # that of every version
            return await self.png(asked.mask, size, asked.user)
        earlier = next((turn.mask for turn in reversed(session.path_to(parent)) if turn.mask), None)
        try:
            return await self.pictures.file(earlier) if earlier else None
        except PictureMissing:
            raise RequestRefused("the mask was deleted", Message("mask_gone")) from None

    async def png(self, offer: MaskOffer, size: Size, user: str) -> bytes:
        """The mask for a picture of that size; RequestRefused as in `of`."""
        if isinstance(offer, Marks):
            return await self.threads.draw(math.prod(size), _drawn, offer, size)
        try:
            async with self.reader.turn(user):
                picture = await self.reader.read(await offer.fetch(), user)
        except PictureRefused as error:
            raise RequestRefused("the mask cannot be read", Message("mask_unreadable")) from error
        return await self.threads.draw(picture.width * picture.height, _of_file, picture.png, size)

    async def combined(self, path: Sequence[Turn]) -> bytes | None:
        """The mask for all edits on a path from the upload as one; None if one of them had none."""
        masks = [turn.mask for turn in path[1:] if turn.mask]
        if not masks or len(masks) < len(path) - 1:
            return None
        united: list[bytes] = []
        for key in dict.fromkeys(masks):  # two in memory at a time
            united = [await self.pictures.draw(_united, [key], *united)]
        return united[0]


def _drawn(marks: Marks, size: Size) -> bytes:
    return _checked(to_png(marks.mask(size)), size)


def _of_file(file: bytes, size: Size) -> bytes:
    return _checked(mask_png(open_picture(file)), size)


def _checked(mask: bytes, size: Size) -> bytes:
    open_mask(mask, size)
    return mask


def _united(*masks: bytes) -> bytes:
    """White where one of the one or two masks is."""
    opened = [np.asarray(open_picture(mask).convert("L")) for mask in masks]
    return to_png(Image.fromarray(np.maximum.reduce(opened)))
