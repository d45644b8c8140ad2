"""Operations on small pictures as planes of levels, (C, S, S) float32 of 0 to 255: windows, masks, ranges."""

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

Picture = Image.Image | np.ndarray
GREY_ROWS = 16  # looked at before the next ones: the first of a photo show colour


def image(picture: Picture) -> Image.Image:
    """The picture as a Pillow image; ValueError when it is neither RGB nor RGBA."""
    found = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    if found.mode not in ("RGB", "RGBA"):
        raise ValueError(f"a picture must be RGB or RGBA, not {found.mode}")
    return found


def planes(picture: Picture) -> Tensor:
    """The colours of a picture, (3, H, W)."""
    return torch.from_numpy(np.array(image(picture).convert("RGB"))).permute(2, 0, 1).float()


def shows_grey(pixels: np.ndarray) -> bool:
    """Whether every pixel of (H, W, 3 or 4) is grey."""
    strips = (pixels[top : top + GREY_ROWS] for top in range(0, len(pixels), GREY_ROWS))
    return all(np.array_equal(strip[..., 0], strip[..., channel]) for strip in strips for channel in (1, 2))


def luma(picture: Picture) -> Tensor:
    """The lightness of a picture, (1, H, W)."""
    return torch.from_numpy(np.array(image(picture).convert("L")))[None].float()


def px(maps: Tensor, per_width: int) -> int:
    """One `per_width`-th of the width of the maps, in whole pixels, at least 1."""
    return max(1, round(maps.shape[-1] / per_width))


def box(maps: Tensor, radius: int) -> Tensor:
    """Mean over a square window that is cut off at the borders."""
    height, width = maps.shape[-2:]
    return _box_matrix(height, radius, 1) @ maps @ _box_matrix(width, radius, 1).T


def smooth(maps: Tensor, radius: int) -> Tensor:
    """Near-Gaussian blur of sigma about 1.4 radius: a box, twice."""
    height, width = maps.shape[-2:]
    return _box_matrix(height, radius, 2) @ maps @ _box_matrix(width, radius, 2).T


def gaussian(maps: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of sigma pixels > 0, whose window is cut off at the borders."""
    height, width = maps.shape[-2:]
    return _gaussian_matrix(height, sigma) @ maps @ _gaussian_matrix(width, sigma).T


def _gaussian_matrix(size: int, sigma: float) -> Tensor:
    at = torch.arange(float(size))
    near = torch.exp(-((at[:, None] - at) ** 2) / (2 * sigma**2))
    return near / near.sum(1, keepdim=True)


@lru_cache(maxsize=32)
def _box_matrix(size: int, radius: int, passes: int) -> Tensor:
    """The mean over a line of pixels as a (size, size) matrix: costs the same for any radius."""
    at = torch.arange(size)
    near = ((at[:, None] - at).abs() <= radius).double()
    line = near / near.sum(1, keepdim=True)
    return line.matrix_power(passes).float()


def variance(maps: Tensor, radius: int) -> Tensor:
    """Variance of the maps (C, S, S) in a soft window, mean over channels, (S, S)."""
    return (smooth(maps.square(), radius) - smooth(maps, radius).square()).mean(0)


def dilate(mask: Tensor, radius: int) -> Tensor:
    """The mask (S, S) grown by `radius` pixels, bool."""
    return local_max(mask.float(), radius) > 0


def local_max(maps: Tensor, reach: int) -> Tensor:
    """The highest level of the maps (..., H, W) within `reach` pixels, along either axis.

    Windows double at every step, which is ten times as fast on a CPU as pooling.
    """
    maps = F.pad(maps, (reach,) * 4, value=-torch.inf)
    for axis in (-1, -2):
        width = 1
        while more := min(width, 2 * reach + 1 - width):
            shorter = maps.shape[axis] - more
            maps = torch.maximum(maps.narrow(axis, 0, shorter), maps.narrow(axis, more, shorter))
            width += more
    return maps


def energy(maps: Tensor, radius: int) -> Tensor:
    """Mean square of the maps (C, S, S) in a soft window, (S, S)."""
    return smooth(maps.square().mean(0, keepdim=True), radius)[0]


def outside_range(one: Tensor, other: Tensor, reach: int) -> Tensor:
    """By how much either of two maps (C, S, S) lies outside the range of the other within `reach` pixels."""
    return torch.maximum(outside(one, other, reach), outside(other, one, reach))


def outside(maps: Tensor, other: Tensor, reach: int) -> Tensor:
    return (maps - local_max(other, reach)).clamp(min=0) + (-local_max(-other, reach) - maps).clamp(min=0)


def connected_to(seed: Tensor, within: Tensor) -> Tensor:
    """All of `within` that touches `seed`, directly or through itself (morphological reconstruction)."""
    grown, allowed_mask = seed, within | seed
    while True:
        wider = dilate(grown, 1) & allowed_mask
        wider = _along_rows(_along_rows(wider, allowed_mask).T, allowed_mask.T).T
        if bool((wider == grown).all()):
            return grown
        grown = wider


def _along_rows(grown: Tensor, allowed_mask: Tensor) -> Tensor:
    """`grown` (H, W) spread over the runs of `allowed_mask` that it lies in, row by row."""
    walls = torch.ones(len(allowed_mask), 1, dtype=torch.bool)
    run = torch.cat([walls, ~allowed_mask], 1).flatten().cumsum(0).view(len(allowed_mask), -1)[:, 1:]
    reached = torch.zeros(int(run[-1, -1]) + 1, dtype=torch.bool)
    reached[run[grown]] = True
    return reached[run] & allowed_mask


def close_mask(mask: Tensor, radius: int) -> Tensor:
    """The mask (S, S) with its holes filled, and its bays up to twice `radius` wide."""
    wide = F.pad(dilate(F.pad(mask, (radius,) * 4), radius), (1, 1, 1, 1))
    corner = torch.zeros_like(wide)
    corner[0, 0] = True
    outside = connected_to(corner, ~wide)
    return ~dilate(outside, radius)[radius + 1 : -radius - 1, radius + 1 : -radius - 1]


def feather(mask: Tensor, radius: int) -> Tensor:
    """1 on the mask, falling over `radius` pixels to exactly 0 outside; float (S, S)."""
    wide = dilate(mask, radius).float()
    soft = box(wide[None], radius)[0]
    return torch.where(mask, torch.ones(()), (soft * 2 - 1).clamp(0, 1)) if bool(mask.any()) else wide


def shared_detail(before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """How much detail one picture has in soft windows, and how much of it the other shows, (S, S) each.

    Both pictures are (C, S, S) levels; the unit is squared levels.
    """
    before, after = (maps - smooth(maps, px(maps, 64)) for maps in (before, after))
    radius = px(before, 32)
    return energy(before, radius), smooth((before * after).mean(0, keepdim=True), radius)[0]
