"""Pictures on their way into the model and out of the engine. Imports no torch."""

import io

from PIL import Image

from conversations.ai_mark import marked_file, quickly_marked_png
from conversations.images.encoding import PAINTED
from conversations.messages import Message
from mgie_engine.errors import RequestRefused

PREVIEW_QUALITY = 60  # of the small WebP; it is on screen for a second


def open_picture(data: bytes) -> Image.Image:
    """The upright RGB or RGBA picture of a request; RequestRefused if the bytes are no such picture."""
    try:
        picture = Image.open(io.BytesIO(data))
        picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RequestRefused("the picture cannot be read", Message("unreadable")) from error
    return picture if picture.mode in ("RGB", "RGBA") else picture.convert("RGB")


def for_the_model(picture: Image.Image, side: int) -> Image.Image:
    """The whole picture squeezed into the model's square; what is transparent is shown on white.

    The one place where this is decided: nothing is cropped away, the model bears the changed aspect, and
    restoring maps its picture back.
    """
    return on_white(picture).resize((side, side), Image.Resampling.BICUBIC)


def on_white(picture: Image.Image) -> Image.Image:
    """The picture without transparency."""
    if picture.mode != "RGBA":
        return picture
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def to_png(picture: Image.Image) -> bytes:
    """The same picture always gives the same bytes."""
    file = io.BytesIO()
    # Half the time of level 4 for the same size, give or take 3 %: rows are filtered, runs are what is left.
    picture.save(file, "PNG", **PAINTED)
    return file.getvalue()


def to_result(picture: Image.Image, cores: int = 1) -> bytes:
    """An RGB or RGBA picture as a PNG that is marked as edited by a model; the same gives the same bytes."""
    return quickly_marked_png(picture, cores)


def to_preview(picture: Image.Image) -> bytes:
    """A small WebP, marked as edited by a model."""
    return marked_file(picture, "WEBP", quality=PREVIEW_QUALITY)
