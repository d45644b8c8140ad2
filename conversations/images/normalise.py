"""Convert any mode, depth, orientation and colour space of Pillow to upright 8-bit sRGB, without metadata."""

import io
import os

from PIL import Image, ImageFile

from conversations.images.colour import CodePoints, profile_of, to_srgb
from conversations.images.encoding import QUICK_FROM, UPLOADED
from conversations.messages import Message

CORES = 2  # at most, to write a large picture
_ORIENTATION = 0x0112  # the EXIF tag
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def normalise(
    opened: ImageFile.ImageFile, points: CodePoints | None = None
) -> tuple[Image.Image, tuple[Message, ...]]:
    """Decode and make upright, 8 bits, sRGB; RGB, or RGBA where something is really transparent.

    `points` name the colours where they count more than the embedded profile. The result carries no metadata;
    the notes say what could not be kept. Raises whatever Pillow raises on damaged data.
    """
    opened.load()  # first: a PNG may store its orientation and profile after its pixels
    turn = _UPRIGHT.get(_orientation(opened))
    picture = _to_eight_bits(opened)
    notes = list[Message]()
    if points is not None and points.is_hdr:
        notes.append(Message("note_hdr"))
    try:
        profile = profile_of(opened.info, points)
        picture = picture if profile is None else _to_srgb(picture, profile)
    except ValueError:
        notes.append(Message("note_colours"))
    picture = _to_rgb(picture)
    if turn is not None:
        picture = picture.transpose(turn)
    picture.info = {}
    return picture, tuple(notes)


def to_png(picture: Image.Image) -> bytes:
    """An RGB or RGBA image as a PNG file without metadata."""
    if picture.width * picture.height > QUICK_FROM:
        from conversations.quick_png import quick_png  # numpy, for which small pictures have no memory

        return quick_png(picture, min(CORES, os.cpu_count() or 1))
    buffer = io.BytesIO()
    # Level 1: a third of the time of the default for a tenth more bytes, and the user is waiting.
    picture.save(buffer, "PNG", **UPLOADED)
    return buffer.getvalue()


def _orientation(opened: Image.Image) -> int:
    try:
        return int(opened.getexif().get(_ORIENTATION, 1))
    except MemoryError:  # a directory of many entries for one block: what it took is still held
        raise
    except Exception:  # a broken EXIF block is no reason to refuse good pixels
        return 1


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    if picture.mode in _SIXTEEN_BITS:
        # Through 32-bit integers, because Pillow clips 16-bit greys to 255 instead of scaling them.
        return picture.convert("I").point(lambda grey: grey * (1 / 257)).convert("L")
    if picture.mode == "1":
        return picture.convert("L")
    return picture


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Convert out of the profile, in whatever mode it fits; ValueError if it fits in none."""
    if picture.mode == "L" and picture.has_transparency_data:
        picture = picture.convert("LA")
    if picture.mode == "LA":
        grey, alpha = picture.split()
        picture = to_srgb(grey, profile).convert("RGB")
        picture.putalpha(alpha)
        return picture
    if picture.mode not in ("L", "RGB", "RGBA", "CMYK") or picture.has_transparency_data:
        picture = _to_rgb(picture)
    return to_srgb(picture, profile)


def _to_rgb(picture: Image.Image) -> Image.Image:
    transparent = picture.has_transparency_data or picture.mode in ("La", "RGBa")
    if not transparent:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    rgba = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    lowest, _ = rgba.getchannel("A").getextrema()
    return rgba.convert("RGB") if lowest == 255 else rgba
