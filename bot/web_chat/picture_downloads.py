"""Pictures to take along: PNG, JPEG or WebP, with the recipe of the edit where image tools look for it."""

import io
import struct
import zlib
from dataclasses import dataclass

from PIL import ExifTags, Image

from bot.chat.replies import Card
from conversations.ai_mark import file_like
from conversations.content_credentials import with_credentials
from conversations.errors import PictureMissing
from conversations.images.encoding import WEBP_SIDE_PX
from mgie_engine.serving.pictures import on_white

KEYWORD = "parameters"  # of the text chunk, as Stable Diffusion's tools write it
JPEG_QUALITY, WEBP_QUALITY = 92, 90
WEBP_METHOD = 2  # 0 to 6; more takes longer for a few per cent
PAINTED = ("Steps", "Sampler", "Seed")  # have no part in an exact adjustment, which is not painted
_HEADER = 33  # bytes of a PNG before its second chunk
_UNICODE = b"UNICODE\x00"  # how a comment in EXIF is written


@dataclass(frozen=True, slots=True)
class Download:
    """A picture file to be, named by its ImageStore key; `recipe` is "" for an uploaded picture."""

    key: str
    recipe: str


def download_of(card: Card, model: str) -> Download | None:
    """What is taken along of a version; None while it has no picture."""
    if not card.state.is_final or card.after is None:
        return None
    return Download(card.after, recipe(card, model))


def recipe(card: Card, model: str) -> str:
    """How a version was made: the instruction, then one line of settings; "" for an uploaded picture."""
    used = card.settings
    if used is None:
        return ""
    facts = {
        "Steps": used.steps,
        "Sampler": used.sampler,
        "CFG scale": f"{used.text_cfg:g}",
        "Image CFG scale": f"{used.image_cfg:g}",
        "Seed": used.seed,
        "Model": model,
        "Expressive instruction": '"' + " ".join((card.expressive or "").split()).replace('"', "'") + '"',
    }
    had_part = {name: value for name, value in facts.items() if not card.is_exact or name not in PAINTED}
    return f"{card.instruction}\n" + ", ".join(f"{name}: {value}" for name, value in had_part.items())


def as_png(file: bytes, recipe: str) -> bytes:
    """A stored PNG with the recipe in a text chunk; every other byte stays, but for signed credentials."""
    if not recipe:
        return file
    try:
        kind, data = b"tEXt", f"{KEYWORD}\0{recipe}".encode("latin-1")
    except UnicodeEncodeError:
        kind, data = b"iTXt", f"{KEYWORD}\0\0\0\0\0{recipe}".encode()
    checked = kind + data
    chunk = struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
    return with_credentials(file[:_HEADER] + chunk + file[_HEADER:], "PNG")


def as_jpeg(file: bytes, recipe: str) -> bytes:
    """The same picture as JPEG, on white where it is transparent, with the recipe as its comment. Blocks."""
    with Image.open(io.BytesIO(file)) as picture:
        picture.load()
        flat, exif = on_white(picture).convert("RGB"), _comment(recipe)
        return file_like(picture, flat, "JPEG", quality=JPEG_QUALITY, subsampling=0, exif=exif)


def as_webp(file: bytes, recipe: str) -> bytes:
    """The same as lossy WebP; PictureMissing where a side is longer than those of a WebP. Blocks."""
    options = {"quality": WEBP_QUALITY, "method": WEBP_METHOD, "exif": _comment(recipe)}
    with Image.open(io.BytesIO(file)) as picture:
        if max(picture.size) > WEBP_SIDE_PX:
            raise PictureMissing("no WebP is so large")
        picture.load()
        return file_like(picture, picture, "WEBP", **options)


def _comment(recipe: str) -> Image.Exif:
    exif = Image.Exif()
    if recipe:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = _UNICODE + recipe.encode("utf-16-be")
    return exif


FORMATS = {  # by the ending of a file: its media type, and what makes it of a stored PNG and a recipe
    "png": ("image/png", as_png),
    "jpg": ("image/jpeg", as_jpeg),
    "webp": ("image/webp", as_webp),
}
