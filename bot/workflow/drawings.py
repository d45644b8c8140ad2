"""A picture sent back in a reply, drawn upon: what differs is where the one replied to is edited."""

from dataclasses import dataclass, replace

from bot.chat.events import EditAsked
from bot.chat.offered_masks import mask_file
from bot.chat.offered_pictures import OfferedFile, OfferedPictures
from bot.workflow.targets import Context, Target, pointed_at
from conversations.errors import ConversationError, PictureMissing
from conversations.images.drawn_over import drawn_region
from conversations.images.image_store import Picture, PictureReader
from conversations.images.picture_views import PictureViews
from conversations.store.session_store import SessionStore
from conversations.thread_pools import ThreadPools
from mgie_engine.serving.pictures import to_png


@dataclass(frozen=True, slots=True)
class _Base:
    """The picture replied to, and what it becomes the target of an event as."""

    found: Target | OfferedPictures
    png: bytes


@dataclass(eq=False)
class Drawings:
    """Tells a picture drawn upon from a new one."""

    store: SessionStore
    pictures: PictureViews
    threads: ThreadPools
    reader: PictureReader

    async def placed(self, context: Context[EditAsked]) -> Context[EditAsked]:
        """The same event; about the picture replied to, with a mask, if that one is sent back, drawn upon.

        What cannot be read, or is another picture, stays what it is: a picture of its own.
        """
        asked, sent = context.event, context.pictures
        if sent is None or not (asked.turn or asked.reply_to or asked.replied):
            return context
        try:
            base = await self._replied(asked)
            drawn = await self._read(sent, asked.user) if base else None
        except (ConversationError, PictureMissing):
            return context
        if base is None or drawn is None:
            return context
        mask = await self.threads.draw(2 * drawn.width * drawn.height, _mask, base.png, drawn.png)
        if mask is None:
            return context
        event = replace(asked, own=None, mask=mask_file(mask))
        if isinstance(base.found, Target):
            return replace(context, event=event, target=base.found, pictures=None)
        return replace(context, event=event, pictures=base.found)

    async def _replied(self, asked: EditAsked) -> _Base | None:
        """The picture that the message replies to, if there is one."""
        target = await pointed_at(self.store, asked)
        if target is not None:
            key = target.turn.image
            return _Base(target, await self.pictures.file(key)) if key and target.turn.grid is None else None
        found = await asked.replied.find() if asked.replied else None
        if not isinstance(found, OfferedPictures):
            return None
        picture = await self._read(found, asked.user)
        return _Base(_read_already(found, picture), picture.png)

    async def _read(self, pictures: OfferedPictures, user: str) -> Picture:
        return await self.reader.read(await pictures.files[0].fetch(), user)


def _read_already(found: OfferedPictures, picture: Picture) -> OfferedPictures:
    """The first of the pictures, without fetching it again."""

    async def fetch() -> bytes:
        return picture.png

    return replace(found, files=(OfferedFile(fetch, found.files[0].is_hidden, len(picture.png)),))


def _mask(picture: bytes, drawn: bytes) -> bytes | None:
    region = drawn_region(picture, drawn)
    return None if region is None else to_png(region)
