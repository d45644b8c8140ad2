"""Pictures as callers have them: paths, bytes or Pillow images. Files are read in a process with bounds."""

import io
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageOps

from conversations.errors import PictureRefused
from conversations.images.decode import MIB, Picture, PictureLimits
from conversations.images.sandbox import read_picture
from mgie_engine.serving.masks import mask_png
from mgie_engine.serving.pictures import open_picture, to_png

PictureSource: TypeAlias = str | Path | bytes | Image.Image

OWN_FILES = PictureLimits(bytes=100 * MIB)  # the caller's own, so more than strangers may send
_URLS = ("http://", "https://")
_PNG_MODES = ("1", "L", "LA", "P", "PA", "I", "I;16")


def open_source(source: PictureSource) -> Picture:
    """The picture, upright, as 8-bit sRGB PNG. Blocks, for seconds if it is large.

    PNG, JPEG, WebP, GIF, BMP, HEIC and AVIF, up to 100 MiB. PictureRefused for anything else and for a web
    address; FileNotFoundError and other OSErrors for a file that cannot be read; TypeError for what is none.
    """
    _check_type(source)
    if isinstance(source, Image.Image):
        return _of_pillow(source)
    if isinstance(source, bytes):
        return read_picture(source, OWN_FILES)
    if is_address(str(source)):
        raise PictureRefused(f"{source} is a web address; download the picture and give the file's name")
    return read_picture(Path(source).read_bytes(), OWN_FILES)


def open_mask_source(source: PictureSource) -> bytes:
    """The mask that a picture stands for, as a request holds it. Errors as `open_source`."""
    return mask_png(open_picture(open_source(source).png))


def is_address(name: str) -> bool:
    """Whether a name is a web address."""
    return name.lower().startswith(_URLS)


def _check_type(source: object) -> None:
    if not isinstance(source, str | Path | bytes | Image.Image):
        kind = type(source).__name__
        raise TypeError(f"a picture is a path, bytes or a Pillow image, and not of the type {kind}")


def _of_pillow(picture: Image.Image) -> Picture:
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("RGB", "RGBA"):
        return Picture(to_png(upright), *upright.size)
    if upright.mode not in _PNG_MODES:
        return Picture(to_png(upright.convert("RGB")), *upright.size)
    file = io.BytesIO()  # what has a palette or 16 bits is converted by the rules for files
    upright.save(file, "PNG")
    return read_picture(file.getvalue(), OWN_FILES)
