"""Which format a file is, by its first bytes; never by its name. Opens each through its own Pillow plugin.

Only the formats here are ever opened: Pillow's registry, with its forty others, is not asked, and nothing is
registered with it. Opening reads headers only.
"""

import io
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from PIL import ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from conversations.errors import PictureRefused
from conversations.messages import Message


class Format(StrEnum):
    """The formats we read."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WebP"
    GIF = "GIF"
    BMP = "BMP"
    HEIC = "HEIC"
    AVIF = "AVIF"


def _open_heic(file: Any) -> ImageFile.ImageFile:
    from pillow_heif import HeifImageFile  # here: who trains a model reads no HEIC and need not have it

    opened: ImageFile.ImageFile = HeifImageFile(file)
    return opened


_OPENERS: dict[Format, Callable[[Any], ImageFile.ImageFile]] = {
    Format.PNG: PngImageFile,
    Format.JPEG: JpegImageFile,  # of a file with several pictures (MPO) it reads the first
    Format.WEBP: WebPImageFile,
    Format.GIF: GifImageFile,
    Format.BMP: BmpImageFile,
    Format.HEIC: _open_heic,
    Format.AVIF: AvifImageFile,
}

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"\xff\xd8\xff", Format.JPEG),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
    (b"BM", Format.BMP),
)
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), Format.AVIF),
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"),
        Format.HEIC,
    ),
}
_NOT_PICTURES = (  # so that the refusal can name what was sent
    (b"%PDF", Message("kind_pdf")),
    (b"%!PS", Message("kind_postscript")),
    (b"<svg", Message("kind_svg")),
    (b"<?xml", Message("kind_xml")),
    (b"<!doctype", Message("kind_web_page")),
    (b"<html", Message("kind_web_page")),
    (b"II*\0", Message("kind_tiff")),
    (b"MM\0*", Message("kind_tiff")),
    (b"8BPS", Message("kind_photoshop")),
    (b"PK\x03\x04", Message("kind_archive")),
    (b"\x1f\x8b", Message("kind_compressed")),
    (b"\xff\x0a", Message("kind_jpeg_xl")),
    (b"\0\0\0\x0cJXL ", Message("kind_jpeg_xl")),
    (b"\0\0\0\x0cjP  ", Message("kind_jpeg_2000")),
    (b"\0\0\x01\0", Message("kind_icon")),
    (b"\x1aE\xdf\xa3", Message("kind_video")),
)


def sniff(data: bytes) -> Format:
    """The format of a file; PictureRefused, saying what it is where we know, for anything we do not read."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Format.WEBP
    if data[4:8] == b"ftyp":
        return _sniff_container(data)
    raise _not_accepted(_kind_of(data))


def open_lazily(data: bytes, kind: Format) -> ImageFile.ImageFile:
    """The picture with its header read and nothing decoded; whatever Pillow raises, it raises."""
    return _OPENERS[kind](io.BytesIO(data))


def count_frames(data: bytes, kind: Format, image: ImageFile.ImageFile, limit: int) -> int:
    """How many pictures the file holds; for a GIF counting stops beyond `limit`."""
    if kind is Format.GIF:
        return _count_gif_frames(data, limit)
    return int(getattr(image, "n_frames", 1) or 1)


def _sniff_container(data: bytes) -> Format:
    """HEIC, AVIF or neither, by the brands of an ISO media file: the main one first, then the compatible."""
    length = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[8:12], *(data[place : place + 4] for place in range(16, length, 4))]
    for brand in brands:
        if brand in (b"mif1", b"msf1"):  # says only "a still picture"; a more telling brand decides
            continue
        if brand in _BRANDS:
            return _BRANDS[brand]
    if brands[0] in _BRANDS:
        return _BRANDS[brands[0]]
    raise _not_accepted(Message("kind_media"))


def _not_accepted(kind: Message) -> PictureRefused:
    name = kind.code.removeprefix("kind_").replace("_", " ")
    found = "" if name == "unknown" else f" ({name})"
    text = f"This is not a PNG, JPEG, WebP, GIF, BMP, HEIC or AVIF picture{found}."
    return PictureRefused(text, Message("file_kind", kind=kind))


def _kind_of(data: bytes) -> Message:
    """What kind of file this is, if it is not one of the formats we read."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for signature, kind in _NOT_PICTURES:
        if start.startswith(signature.lower()):
            return kind
    return Message("kind_unknown")


def _count_gif_frames(data: bytes, limit: int) -> int:
    """Walk the blocks of a GIF without decoding them; a file that ends early has the frames seen so far."""
    frames, place, end = 0, 13 + _palette_bytes(data, 10), len(data)
    while place < end and frames <= limit:
        mark = data[place]
        if mark == 0x2C:  # a picture: descriptor, own palette, LZW code size
            frames += 1
            place = _skip_blocks(data, place + 11 + _palette_bytes(data, place + 9))
        elif mark == 0x21:  # an extension: its kind, then blocks
            place = _skip_blocks(data, place + 2)
        else:
            break
    return max(frames, 1)


def _palette_bytes(data: bytes, place: int) -> int:
    flags = data[place] if place < len(data) else 0
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _skip_blocks(data: bytes, place: int) -> int:
    while place < len(data) and data[place]:
        place += 1 + data[place]
    return place + 1
