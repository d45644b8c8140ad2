"""Pictures as the browser asks for them: whole (the stored file), small, or just their size."""

import io
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from bot.web_chat.page_state import Size
from bot.web_chat.picture_downloads import Download
from conversations.ai_mark import file_like
from conversations.errors import PictureMissing
from conversations.images.diff_image import change_map
from conversations.images.image_store import ImageStore
from conversations.images.picture_views import PictureViews

THUMB_SIDE = 240  # pixels, longer side; twice what the filmstrip shows, for dense screens
_KEPT = 10_000  # sizes


class ImageFiles:
    """Reads an ImageStore. What it holds was cleaned when it came in; nothing a person sent is decoded here.

    `size` and `path` block on the disk. All raise PictureMissing for a picture not there.
    """

    def __init__(self, images: ImageStore, pictures: PictureViews) -> None:
        self._images = images
        self._pictures = pictures
        self.size = lru_cache(_KEPT)(self._size)

    def path(self, key: str) -> Path:
        """The file of a picture, served as it is."""
        try:
            path = self._images.path(key)
        except ValueError:
            raise PictureMissing(key) from None
        if not path.exists():
            raise PictureMissing(key)
        return path

    def _size(self, key: str) -> Size:
        """Width and height in pixels, from the header."""
        try:
            with Image.open(self.path(key), formats=["PNG", "WEBP"]) as picture:
                return picture.size
        except (UnidentifiedImageError, SyntaxError):  # a damaged file
            raise PictureMissing(key) from None

    def is_packed(self, key: str) -> bool:
        """Whether the file of a picture is a WebP."""
        return self._images.is_packed(key)

    async def changes(self, before: str, after: str) -> bytes:
        """A WebP of where two pictures differ."""
        return (await self._pictures.draw_once(change_map, [before, after])).webp

    async def made(self, download: Download, work: Callable[[bytes, str], bytes]) -> bytes:
        """A picture file to take along."""
        return await self._pictures.draw(work, [download.key], download.recipe)

    async def thumb(self, key: str) -> bytes:
        """A WebP of at most THUMB_SIDE pixels a side."""
        return await self._pictures.draw_once(thumbnail, [key])


def thumbnail(file: bytes) -> bytes:
    """A WebP of at most THUMB_SIDE pixels a side. Blocks."""
    with Image.open(io.BytesIO(file)) as picture:
        picture.thumbnail((THUMB_SIDE, THUMB_SIDE))
        return file_like(picture, picture, "WEBP", quality=82)
