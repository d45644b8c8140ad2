"""Where two pictures differ, as a picture: the second one in grey, warm where much changed. Pure; blocks."""

import io
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter

from conversations.ai_mark import marked_file
from conversations.content_credentials import with_credentials

BAND_PX = 256  # rows compared at once
SIDE = 1024  # pixels, longer side of the map
FULL = 64  # of 255: a difference from which on the colour is at its warmest
FAINT, WARM = (255, 214, 10), (230, 30, 20)


@dataclass(frozen=True, slots=True)
class DiffImage:
    """The map as WebP, and the share of pixels that differ at all, 0 to 1."""

    webp: bytes
    changed: float


def change_map(before: bytes, after: bytes) -> DiffImage:
    """Compare two picture files; the first is scaled to the size of the second where they differ."""
    with Image.open(io.BytesIO(after)) as opened, Image.open(io.BytesIO(before)) as other:
        mode = "RGB" if opened.mode == other.mode == "RGB" else "RGBA"
        new, old = _in_mode(opened, mode), _in_mode(other, mode)
    if old.size != new.size:
        old = old.resize(new.size, Image.Resampling.LANCZOS)
    most = _differences(old, new)
    del old  # large, as what follows
    changed = 1 - most.histogram()[0] / (most.width * most.height)
    webp = marked_file(_drawn(new, most), "WEBP", quality=85, method=2)
    return DiffImage(with_credentials(webp, "WEBP"), changed)


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    """The picture itself if it has the mode: a copy of 40 megapixels takes 160 MB."""
    picture.load()
    return picture if picture.mode == mode else picture.convert(mode)


def _differences(old: Image.Image, new: Image.Image) -> Image.Image:
    """As _strongest of the difference, in bands, since every step makes a copy."""
    most = Image.new("L", new.size)
    for top in range(0, new.height, BAND_PX):
        band = (0, top, new.width, min(top + BAND_PX, new.height))
        most.paste(_strongest(ImageChops.difference(old.crop(band), new.crop(band))), band)
    return most


def _strongest(difference: Image.Image) -> Image.Image:
    """Per pixel the largest difference of any channel."""
    first, *others = difference.split()
    for band in others:
        first = ImageChops.lighter(first, band)
    return first


def _drawn(picture: Image.Image, most: Image.Image) -> Image.Image:
    # Spread before scaling down, so that a change of a few pixels can still be seen.
    heat = most.point(lambda value: min(255, value * 255 // FULL)).filter(ImageFilter.MaxFilter(3))
    grey = picture.convert("L")
    for image in (grey, heat):
        image.thumbnail((SIDE, SIDE))
    grey = grey.point(lambda value: 40 + value * 5 // 8).convert("RGB")
    colour = Image.composite(Image.new("RGB", heat.size, WARM), Image.new("RGB", heat.size, FAINT), heat)
    return Image.composite(colour, grey, heat.point(lambda value: value and 70 + value * 185 // 255))
