"""Pillow images as JPEG, WebP or PNG files. Blocks."""

import zlib
from typing import Any

from PIL import Image

from conversations.ai_mark import file_like

WEBP_SIDE_PX = 16383  # the most that a side of a WebP may have

# How the PNGs in the store are written: quick first. `packed_pictures` keeps the names in its files.
UPLOADED: dict[str, Any] = {"compress_level": 1}
PAINTED: dict[str, Any] = {"compress_level": 1, "compress_type": zlib.Z_RLE}
QUICK_FROM = 4_000_000  # pixels; larger uploads are written by `quick_png`, as results of any size are
PNG_WRITERS = {
    "uploaded": UPLOADED,
    "painted": PAINTED,
    "result": PAINTED,
}  # a result of before, with the mark


def encoded(picture: Image.Image, kind: str, quality: int) -> bytes:
    """The image in that format, marked as its file was (`ai_mark`); for JPEG, transparency becomes white."""
    source = picture
    if kind == "JPEG" and picture.mode != "RGB":
        on_white = Image.new("RGB", picture.size, "white")
        on_white.paste(picture, mask=picture.getchannel("A") if "A" in picture.getbands() else None)
        picture = on_white
    method = {"method": 2} if kind == "WEBP" else {}  # half the default's time, nearly its size
    return file_like(source, picture, kind, quality=quality, **method)
