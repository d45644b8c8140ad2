"""Small pictures as planes of levels: (C, S, S) float32, 0 to 255. Windows, masks and enlarging."""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

Picture = Image.Image | np.ndarray


def image(picture: Picture) -> Image.Image:
    """The picture as a Pillow image; ValueError when it is neither RGB nor RGBA."""
    found = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    if found.mode not in ("RGB", "RGBA"):
        raise ValueError(f"a picture must be RGB or RGBA, not {found.mode}")
    return found


def planes(picture: Picture) -> Tensor:
    """The colours of a picture, (3, H, W)."""
    return torch.from_numpy(np.array(image(picture).convert("RGB"))).permute(2, 0, 1).float()


def px(maps: Tensor, per_width: int) -> int:
    """One `per_width`-th of the width of the maps, in whole pixels, at least 1."""
    return max(1, round(maps.shape[-1] / per_width))


def box(maps: Tensor, radius: int) -> Tensor:
    """Mean over a square window that is cut off at the borders."""
    if radius < 1:
        return maps
    radius = min(radius, maps.shape[-1] - 1, maps.shape[-2] - 1) or 1
    width = 2 * radius + 1
    rows = F.avg_pool2d(maps, (width, 1), 1, (radius, 0), count_include_pad=False)
    return F.avg_pool2d(rows, (1, width), 1, (0, radius), count_include_pad=False)


def smooth(maps: Tensor, radius: int) -> Tensor:
    """Near-Gaussian blur of sigma about 1.4 radius: two passes of a box."""
    return box(box(maps, radius), radius)


def variance(maps: Tensor, radius: int) -> Tensor:
    """Variance of the maps (C, S, S) in a soft window, mean over channels, (S, S)."""
    return (smooth(maps.square(), radius) - smooth(maps, radius).square()).mean(0)


def dilate(mask: Tensor, radius: int) -> Tensor:
    """The mask (S, S) grown by `radius` pixels, bool."""
    wide = F.max_pool2d(mask[None, None].float(), (2 * radius + 1, 1), 1, (radius, 0))
    return F.max_pool2d(wide, (1, 2 * radius + 1), 1, (0, radius))[0, 0] > 0


def joined(seed: Tensor, within: Tensor) -> Tensor:
    """All of `within` that touches `seed`, directly or through itself (morphological reconstruction)."""
    grown = seed
    while True:
        wider = dilate(grown, 1) & (within | seed)
        if bool((wider == grown).all()):
            return grown
        grown = wider


def feather(mask: Tensor, radius: int) -> Tensor:
    """1 on the mask, falling over `radius` pixels to exactly 0 outside; float (S, S)."""
    wide = dilate(mask, radius).float()
    soft = box(wide[None], radius)[0]
    return torch.where(mask, torch.ones(()), (soft * 2 - 1).clamp(0, 1)) if bool(mask.any()) else wide
