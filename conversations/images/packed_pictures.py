"""Stored PNGs as lossless WebP, which takes a third less for photos and half for drawings.

A packed file gives back the very bytes of its PNG, so its key still is their SHA-256. Reading one costs 0.1 s
per megapixel, so only large pictures that were left alone for a while are packed.
"""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from PIL import Image

from conversations.ai_mark import XMP, is_marked, marked_file, quickly_marked_png
from conversations.child_process import small_environment
from conversations.images.encoding import PNG_WRITERS
from conversations.quick_png import quick_png

Pack = Callable[[bytes], Awaitable[bytes | None]]

RESULT, QUICK, QUICK_RESULT = "result", "quick", "quick result"
_QUICK_MARK = "<!-- quick -->"  # in the XMP of a packed file
WORTH = 0.9  # of the size, or less; else a picture stays as it is
EFFORT = {"method": 3, "quality": 20}  # a fifth of the time of the defaults, the same size
PACK_S = 300.0  # for one picture, on a machine that has other things to do
_CHILD = "conversations.images.packing_child"


def is_packed(file: bytes) -> bool:
    """Whether a stored file, or its first 12 bytes, is a packed one."""
    return file[:4] == b"RIFF" and file[8:12] == b"WEBP"


def packed(png: bytes) -> bytes | None:
    """The packed file of a PNG that this product wrote; None where that saves little or is not exact. Blocks.

    Takes up to 34 bytes of memory a pixel.
    """
    with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        picture.load()
        for writer in (*PNG_WRITERS, QUICK, QUICK_RESULT):
            if _png(picture, writer) == png:
                break
        else:
            return None
        file = io.BytesIO()
        picture.save(file, "WEBP", lossless=True, exact=True, xmp=_named(writer), **EFFORT)
    small = file.getvalue()
    return small if len(small) <= WORTH * len(png) and unpacked(small) == png else None


def unpacked(file: bytes) -> bytes:
    """The PNG of a packed file. OSError if it is damaged. Blocks."""
    with Image.open(io.BytesIO(file), formats=["WEBP"]) as picture:
        picture.load()
        return _png(picture, _writer(picture))


def _named(writer: str) -> bytes:
    """The XMP that names a writer; the packed file is served, so it has the mark, too."""
    names = {RESULT: XMP, QUICK_RESULT: XMP.replace("</x:xmpmeta>", f"{_QUICK_MARK}</x:xmpmeta>")}
    return names.get(writer, writer).encode()


def _writer(picture: Image.Image) -> str:
    xmp = picture.info.get("xmp", b"")
    if is_marked(picture):
        return QUICK_RESULT if _QUICK_MARK.encode() in xmp else RESULT
    name = xmp.decode("ascii", "replace")
    return name if name in (*PNG_WRITERS, QUICK) else "uploaded"


def _png(picture: Image.Image, writer: str) -> bytes:
    plain = picture.copy()
    plain.info = {}  # the name of the writer belongs into the packed file only
    if writer in (QUICK, QUICK_RESULT):
        write = quick_png if writer == QUICK else quickly_marked_png
        return write(plain) if plain.mode in ("RGB", "RGBA") else b""
    if writer == RESULT:
        return marked_file(plain, "PNG", **PNG_WRITERS[writer])
    file = io.BytesIO()
    plain.save(file, "PNG", **PNG_WRITERS[writer])
    return file.getvalue()


async def packed_apart(png: bytes) -> bytes | None:
    """As `packed`, in a process of its own that gives way to all others; None also when that fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        _CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=Path(__file__).parents[__name__.count(".")],
        env=small_environment(),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(PACK_S):
            file, _ = await process.communicate(png)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return file if process.returncode == 0 and file else None
