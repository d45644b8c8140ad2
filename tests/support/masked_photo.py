"""A photo of 12 megapixels with a box marked in it, as a program and as a chat send that."""

import io

from PIL import Image, ImageDraw

from tests.support.page_server import to_png

SIZE = WIDTH, HEIGHT = 4000, 3000
BOX = 900, 700, 2600, 2100  # left, top, right, bottom


def transparent_box() -> bytes:
    """A mask as a program sends it."""
    mask = Image.new("RGBA", SIZE, "black")
    mask.paste((0, 0, 0, 0), BOX)
    return to_png(mask)


def drawn_upon(photo: Image.Image) -> bytes:
    """As a chat sends it back: a red box on a smaller JPEG."""
    picture = photo.copy()
    ImageDraw.Draw(picture).rectangle(BOX, "red")
    return as_jpeg(picture.resize((1600, 1200), Image.Resampling.LANCZOS), 75)


def as_jpeg(photo: Image.Image, quality: int = 95) -> bytes:
    """The photo as a file."""
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=quality)
    return file.getvalue()
