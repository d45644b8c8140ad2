"""Convert any mode, depth, orientation and colour space of Pillow to upright 8-bit sRGB, without metadata."""

import io

from PIL import Image, ImageCms, ImageFile

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
_PROFILE_SPACES = {"RGB": "RGB", "RGBA": "RGB", "L": "GRAY", "CMYK": "CMYK"}  # by Pillow mode
_LARGEST_PROFILE = 8 * 2**20  # bytes


def normalise(opened: ImageFile.ImageFile) -> Image.Image:
    """Decode and make upright, 8 bits, sRGB; RGB, or RGBA where something is really transparent.

    The result carries no metadata. Raises whatever Pillow raises on damaged data.
    """
    opened.load()  # first: a PNG may store its orientation and profile after its pixels
    turn = _UPRIGHT.get(_orientation(opened))
    profile = opened.info.get("icc_profile")
    picture = _to_srgb(_to_eight_bits(opened), profile)
    picture = _to_rgb(picture)
    if turn is not None:
        picture = picture.transpose(turn)
    picture.info = {}
    return picture


def to_png(picture: Image.Image) -> bytes:
    """The image as a PNG file without metadata."""
    buffer = io.BytesIO()
    # Level 1: a third of the time of the default for a tenth more bytes, and the user is waiting.
    picture.save(buffer, "PNG", compress_level=1)
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


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert out of the embedded profile where it fits the pixels; without one, colours are sRGB already."""
    if not profile or len(profile) > _LARGEST_PROFILE:
        return picture
    if picture.mode in ("P", "PA", "LA"):
        picture = _to_rgb(picture)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        fits = source.profile.xcolor_space.strip() == _PROFILE_SPACES.get(picture.mode)
        if not fits or "sRGB" in (source.profile.profile_description or ""):
            return picture
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(
            picture, source, ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return picture  # a broken profile: the pixels as they are
    return picture if converted is None else converted


def _to_rgb(picture: Image.Image) -> Image.Image:
    transparent = picture.has_transparency_data or picture.mode in ("La", "RGBa")
    if not transparent:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    rgba = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    lowest, _ = rgba.getchannel("A").getextrema()
    return rgba.convert("RGB") if lowest == 255 else rgba
