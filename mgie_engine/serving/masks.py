"""Masks: an 8-bit grey PNG of a picture's size, white where the picture may change."""

import io

import numpy as np
from PIL import Image

from conversations.messages import Message
from mgie_engine.errors import RequestRefused
from mgie_engine.serving.pictures import to_png

WHITE_FROM = 128  # levels from which on a pixel belongs to the region


def mask_png(picture: Image.Image) -> bytes:
    """The mask that a picture stands for, as a request holds it.

    With transparent pixels these are the region, as for OpenAI's image edits; else the light ones are, as for
    inpainting in diffusers.
    """
    if "A" in picture.getbands() or "transparency" in picture.info:
        alpha = np.asarray(picture.convert("RGBA"))[..., 3]
        if (alpha < WHITE_FROM).any():
            return to_png(Image.fromarray(np.where(alpha < WHITE_FROM, 255, 0).astype(np.uint8)))
        picture = picture.convert("RGBA").convert("RGB")
    return to_png(picture.convert("L").point(lambda level: 255 if level >= WHITE_FROM else 0))


def open_mask(data: bytes, size: tuple[int, int]) -> np.ndarray:
    """Where a picture of this size (width, height) may change, (height, width) bool.

    RequestRefused if the bytes are no mask, or one for another size, or nothing may change.
    """
    try:
        picture = Image.open(io.BytesIO(data), formats=["PNG"])
        if picture.mode == "L" and picture.size == size:
            picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RequestRefused("the mask cannot be read", Message("mask_unreadable")) from error
    if picture.mode != "L":
        raise RequestRefused(
            f"a mask is an 8-bit grey PNG, this one is {picture.mode}", Message("mask_unreadable")
        )
    if picture.size != size:
        raise _wrong_size(picture.size, size)
    region: np.ndarray = np.asarray(picture) >= WHITE_FROM
    if not region.any():
        raise RequestRefused("nothing is marked in the mask", Message("mask_empty"))
    return region


def _wrong_size(mask: tuple[int, int], picture: tuple[int, int]) -> RequestRefused:
    found, wanted = (f"{width} × {height}" for width, height in (mask, picture))
    message = Message("mask_size", found=found, wanted=wanted)
    return RequestRefused(f"the mask has {found} pixels, the picture {wanted}", message)
