"""An animation of the versions of an image, each captioned with its instruction.

Pure: images and texts in, the bytes of a file out. Blocks: call it on a thread.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from conversations.ai_mark import marked_file
from conversations.content_credentials import with_credentials

SIDE = 640  # pixels, longer side of the images
CAPTION = 44  # pixels, height of the caption
FRAME_MS, LAST_MS = 1400, 2800
PAPER, INK = "#151513", "#f6f5f2"


@dataclass(frozen=True, slots=True)
class AnimationFrame:
    """One frame: an image file and its caption."""

    image: bytes
    caption: str


def animation(versions: Iterable[AnimationFrame]) -> bytes:
    """A looping animated WebP in the aspect ratio of the first image. Raises ValueError without versions.

    Takes one version after the other and keeps reduced copies only.
    """
    frames: list[Image.Image] = []
    size = None
    for version in versions:
        size = size or _size(version.image)
        frames.append(_frame(version, size))
    if not frames:
        raise ValueError("an animation needs at least one version")
    times = [FRAME_MS] * (len(frames) - 1) + [LAST_MS]
    later = {"save_all": True, "append_images": frames[1:], "duration": times, "loop": 0}
    return with_credentials(marked_file(frames[0], "WEBP", quality=85, method=2, **later), "WEBP")


def _size(image: bytes) -> tuple[int, int]:
    """Width and height of the images of the animation."""
    with Image.open(io.BytesIO(image)) as first:
        scale = min(1.0, SIDE / max(first.size))
        return max(1, round(first.width * scale)), max(1, round(first.height * scale))


def _frame(version: AnimationFrame, size: tuple[int, int]) -> Image.Image:
    frame = Image.new("RGB", (size[0], size[1] + CAPTION), PAPER)
    with Image.open(io.BytesIO(version.image)) as picture:
        shown = picture.convert("RGBA")
        shown.thumbnail(size)
    frame.paste(shown, ((size[0] - shown.width) // 2, (size[1] - shown.height) // 2), shown)
    draw = ImageDraw.Draw(frame)
    font = ImageFont.load_default(max(11, min(18, size[0] // 24)))
    draw.text(
        (size[0] / 2, size[1] + CAPTION / 2), _fit(version.caption, size[0] - 16, font), INK, font, "mm"
    )
    return frame


def _fit(words: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The caption cut to `width` pixels, without characters that the font lacks."""
    line = " ".join(words.encode("latin-1", "ignore").decode("latin-1").split())
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(f"{line}...") > width:
        line = line[:-1]
    return f"{line}..."
