"""Image files for Discord: lossless if they fit the limit, re-encoded if not. Blocks: call it on a thread."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from conversations.images.decode import mebibytes
from conversations.images.encoding import WEBP_SIDE_PX, encoded
from conversations.messages import Message

BEFORE_SIDE_PX = 1024
HEADROOM = 4096  # bytes of a request that are not the file


@dataclass(frozen=True, slots=True)
class PictureFile:
    """An image file to attach; `note` says how it was re-encoded, if it was."""

    data: bytes
    suffix: str
    note: Message | None = None


def fits(size: int, limit: int) -> bool:
    """Whether a file of `size` bytes may be attached to a request of `limit` bytes."""
    return size <= limit - HEADROOM


def result_file(png: bytes, limit: int) -> PictureFile:
    """The result within `limit` bytes: the PNG itself, else the best encoding that fits."""
    if fits(len(png), limit):
        return PictureFile(png, "png")
    with Image.open(io.BytesIO(png)) as picture:
        for data, suffix, kind in _smaller(picture):
            if fits(len(data), limit):
                return PictureFile(data, suffix, Message("shrunk", kind=kind, limit=mebibytes(limit)))
    raise ValueError(f"no encoding of this picture fits into {limit} bytes")


def _smaller(picture: Image.Image) -> Iterator[tuple[bytes, str, Message]]:
    """Smaller and smaller encodings, best first, each with its file suffix and its name for users."""
    width, height = picture.size
    if max(width, height) <= WEBP_SIDE_PX:
        for quality in (95, 85, 70):
            yield (
                encoded(picture, "WEBP", quality),
                "webp",
                Message("format_quality", format="WebP", quality=quality),
            )
    else:
        yield encoded(picture, "JPEG", 90), "jpg", Message("format_quality", format="JPEG", quality=90)
    for side in (4096, 2048, 1024, 512, 256):
        if side < max(width, height):
            small = picture.copy()
            small.thumbnail((side, side))
            size = Message("pixels", width=small.width, height=small.height)
            yield encoded(small, "WEBP", 80), "webp", Message("format_pixels", format="WebP", size=size)


def before_file(png: bytes) -> PictureFile:
    """A reduced copy of the image an edit started from; the user has the original."""
    with Image.open(io.BytesIO(png)) as picture:
        picture.thumbnail((BEFORE_SIDE_PX, BEFORE_SIDE_PX))
        if picture.mode == "RGB":  # an eighth of the time that WebP takes, for nearly its size
            return PictureFile(encoded(picture, "JPEG", 85), "jpg")
        return PictureFile(encoded(picture, "WEBP", 85), "webp")
