"""Pictures to tensors and back. Sizes are (width, height) as in Pillow, tensors (…, height, width)."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mgie_engine.config import VisionSizes


def crop_resize(picture: Image.Image, side: int) -> Image.Image:
    """The centre square at side × side pixels, bicubic; offsets are rounded down as in the release."""
    width, height = picture.size
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    square = picture.crop((left, top, left + short, top + short))
    return square.resize((side, side), Image.Resampling.BICUBIC)


def training_crop(picture: Image.Image, side: int, through: int = 512) -> Image.Image:
    """The centre square at side × side, resized to `through` pixels first: the release resizes twice."""
    return crop_resize(crop_resize(picture, through), side)


def clip_pixels(picture: Image.Image, sizes: VisionSizes) -> Tensor:
    """Normalised (3, S, S) for the CLIP tower: short side to S by bicubic, then the centre square."""
    side, (width, height) = sizes.image_size, picture.size
    short, long = min(width, height), max(width, height)
    longer = int(side * long / short)
    scaled = (side, longer) if width <= height else (longer, side)
    resized = np.asarray(picture.convert("RGB").resize(scaled, Image.Resampling.BICUBIC))
    top, left = (scaled[1] - side) // 2, (scaled[0] - side) // 2
    square = resized[top : top + side, left : left + side].transpose(2, 0, 1).astype(np.float32, order="C")
    square *= np.float32(1 / 255)  # in place: new memory for every step takes longer than the steps
    square -= np.array(sizes.mean, np.float32)[:, None, None]
    square /= np.array(sizes.std, np.float32)[:, None, None]
    return torch.from_numpy(square)


def vae_pixels(picture: Image.Image) -> Tensor:
    """(3, H, W) in -1…1; computed in fp64 as the release does."""
    values = 2.0 * np.asarray(picture.convert("RGB"), dtype=np.float64) / 255.0 - 1.0
    return torch.from_numpy(values.astype(np.float32)).permute(2, 0, 1).contiguous()


def stack_vae_pixels(pictures: Sequence[Image.Image]) -> Tensor:
    """(B, 3, H, W) of pictures that all have the same size."""
    return torch.stack([vae_pixels(picture) for picture in pictures])


def to_pictures(pixels: Tensor) -> list[Image.Image]:
    """RGB pictures of pixels (B, 3, H, W) in -1…1; values outside are clipped."""
    values = (pixels.float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
    return [Image.fromarray((value * 255).round().astype(np.uint8)) for value in values]
