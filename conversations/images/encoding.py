"""Pillow images as JPEG, WebP or PNG files. Blocks."""

import io

from PIL import Image


def encoded(picture: Image.Image, kind: str, quality: int) -> bytes:
    """The image in that format; for JPEG, transparency becomes white."""
    if kind == "JPEG" and picture.mode != "RGB":
        on_white = Image.new("RGB", picture.size, "white")
        on_white.paste(picture, mask=picture.getchannel("A") if "A" in picture.getbands() else None)
        picture = on_white
    file = io.BytesIO()
    method = {"method": 2} if kind == "WEBP" else {}  # half the default's time, nearly its size
    picture.save(file, kind, quality=quality, **method)
    return file.getvalue()
