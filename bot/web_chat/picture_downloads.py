"""Pictures to take along: PNG or JPEG, with the recipe of the edit where image tools look for it."""

import io
import struct
import zlib
from dataclasses import dataclass

from PIL import ExifTags, Image

from bot.chat.replies import Card
from conversations.ai_mark import file_like
from mgie_engine.serving.pictures import on_white

KEYWORD = "parameters"  # of the text chunk, as Stable Diffusion's tools write it
JPEG_QUALITY = 92
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
    return f"{card.instruction}\n" + ", ".join(f"{name}: {value}" for name, value in facts.items())


def as_png(file: bytes, recipe: str) -> bytes:
    """A stored PNG with the recipe in a text chunk; every other byte stays."""
    if not recipe:
        return file
    try:
        kind, data = b"tEXt", f"{KEYWORD}\0{recipe}".encode("latin-1")
    except UnicodeEncodeError:
        kind, data = b"iTXt", f"{KEYWORD}\0\0\0\0\0{recipe}".encode()
    checked = kind + data
    chunk = struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
    return file[:_HEADER] + chunk + file[_HEADER:]


def as_jpeg(file: bytes, recipe: str) -> bytes:
    """The same picture as JPEG, on white where it is transparent, with the recipe as its comment. Blocks."""
    exif = Image.Exif()
    if recipe:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = _UNICODE + recipe.encode("utf-16-be")
    with Image.open(io.BytesIO(file)) as picture:
        picture.load()
        flat = on_white(picture).convert("RGB")
        return file_like(picture, flat, "JPEG", quality=JPEG_QUALITY, subsampling=0, exif=exif)
