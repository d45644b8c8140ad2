"""Pictures as the browser asks for them: whole (the stored PNG, byte for byte), small, or just their size."""

import io
import struct
from functools import lru_cache
from pathlib import Path

from PIL import Image

from bot.web_chat.page_state import Size
from bot.workflow.diff_image import change_map
from conversations.errors import PictureMissing
from conversations.images.image_store import ImageStore

THUMB_SIDE = 240  # pixels, longer side; twice what the filmstrip shows, for dense screens
_KEPT = 256
_MAPS_KEPT = 32


class ImageFiles:
    """Reads an ImageStore. What it holds was cleaned when it came in; nothing a person sent is decoded here.

    Methods block on the disk: call `thumb` and `changes` on a thread. All raise PictureMissing for a picture
    not there.
    """

    def __init__(self, images: ImageStore) -> None:
        self._images = images
        self.size = lru_cache(_KEPT)(self._size)
        self.thumb = lru_cache(_KEPT)(self._thumb)
        self.changes = lru_cache(_MAPS_KEPT)(self._changes)

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
        """Width and height in pixels, from the first 24 bytes."""
        with self.path(key).open("rb") as file:
            width, height = struct.unpack(">II", file.read(24)[16:])
        return width, height

    def _changes(self, before: str, after: str) -> bytes:
        """A WebP of where two pictures differ."""
        return change_map(self.path(before).read_bytes(), self.path(after).read_bytes()).webp

    def _thumb(self, key: str) -> bytes:
        """A WebP of at most THUMB_SIDE pixels a side."""
        with Image.open(self.path(key)) as picture:
            picture.thumbnail((THUMB_SIDE, THUMB_SIDE))
            file = io.BytesIO()
            picture.save(file, "WEBP", quality=82)
        return file.getvalue()
