"""One editing example, the same for every layout it may come from. Knows no torch."""

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from conversations.errors import PictureRefused
from conversations.images.decode import PictureLimits, decode_image
from conversations.images.formats import Format, sniff
from conversations.images.normalise import normalise
from mgie_engine.edits import Exchange
from mgie_engine.errors import DataError
from mgie_engine.serving.pictures import on_white

Picture = bytes | Path  # an encoded picture, or the file it lies in until it is needed
MAX_PIXELS = 100_000_000  # a stranger's file may claim any size
_LIMITS = PictureLimits(
    pixels=MAX_PIXELS, jpeg_pixels=MAX_PIXELS, heic_pixels=MAX_PIXELS, aspect=math.inf, min_side=1
)


@dataclass(frozen=True, slots=True)
class EditExample:
    """An input picture, its instruction, the expressive instruction and the goal picture.

    Examples with the same session are turns of one conversation and stand next to each other, oldest first.
    """

    id: str
    instruction: str
    before: Picture
    after: Picture
    expressive: str = ""  # "" until it is written
    caption: str = ""  # describes the goal; "" if there is none
    session: str = ""  # "" for an example that stands alone
    history: tuple[Exchange, ...] = ()  # the earlier turns of the session


def encoded(picture: Picture) -> bytes:
    """The bytes of a picture's file; DataError if the file is missing."""
    if isinstance(picture, bytes):
        return picture
    try:
        return picture.read_bytes()
    except OSError as error:
        raise DataError(f"The picture {picture} cannot be read: {error.strerror}.") from error


def opened(picture: Picture) -> Image.Image:
    """The decoded RGB picture, read by the rules for users' pictures; what is transparent is shown on white.

    DataError for what is none, or is larger than MAX_PIXELS. Files of other formats than users may send, TIFF
    for one, are read as well. Reads in this process: data sets are trusted as far as they are chosen.
    """
    name = picture if isinstance(picture, Path) else "in the data set"
    try:
        return on_white(_decoded(encoded(picture)))
    except PictureRefused as refusal:
        raise DataError(f"The picture {name} cannot be read: {refusal}.") from refusal
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"The picture {name} is damaged or none: {error}") from error


def _decoded(data: bytes) -> Image.Image:
    kind = _format(data)
    if kind is not None:
        return decode_image(data, kind, _LIMITS).image
    with Image.open(io.BytesIO(data)) as found:
        if found.width * found.height > MAX_PIXELS:
            raise ValueError(f"it has {found.width} × {found.height} pixels")
        return normalise(found)[0]


def _format(data: bytes) -> Format | None:
    try:
        return sniff(data)
    except PictureRefused:
        return None


def sessions(examples: Iterable[EditExample]) -> Iterator[list[EditExample]]:
    """Neighbours with one session together; an example without any by itself."""
    for _, turns in groupby(examples, key=lambda example: example.session or object()):
        yield list(turns)


def session_chunks(examples: Iterable[EditExample], size: int) -> Iterator[list[EditExample]]:
    """Lists of at least `size` examples but for the last; no session is split."""
    portion = list[EditExample]()
    for turns in sessions(examples):
        portion += turns
        if len(portion) >= size:
            yield portion
            portion = []
    if portion:
        yield portion
