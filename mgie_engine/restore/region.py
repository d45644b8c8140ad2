"""An edit inside a region that a user marked; outside of it the original's bytes stay."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

STRIP_ROWS = 512
FEATHER = 500  # the edit fades in over the short side divided by this: 6 pixels of a photo of 12 megapixels


def within(pixels: np.ndarray, edited: np.ndarray, region: np.ndarray) -> np.ndarray:
    """`edited` (H, W, 3) inside the region (H, W) bool, and the colours of `pixels` (H, W, 3 or 4) outside.

    The edit fades in on the inner side of the border, over fewer pixels if the region is narrow, and not at
    the picture's own edges.
    """
    result: np.ndarray = pixels[..., :3].copy()
    rows, columns = (np.flatnonzero(region.any(axis)) for axis in (1, 0))
    if not len(rows):
        return result
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    depth = depths(region, 1 + min(region.shape) // FEATHER)[box]
    most, changed, inner = int(depth.max()), edited[box], result[box]
    for top in range(0, len(depth), STRIP_ROWS):
        part = slice(top, top + STRIP_ROWS)
        before, weight = inner[part].astype(np.float32), depth[part, :, None] / np.float32(most)
        inner[part] = (before + weight * (changed[part] - before)).round().astype(np.uint8)
    return result


def depths(region: np.ndarray, most: int) -> np.ndarray:
    """How many steps each pixel (H, W) is from the outside, uint8: 0 outside, at most `most` (below 256)."""
    depth, inner = region.astype(np.uint8), region
    for _ in range(most - 1):
        inner = _eroded(inner)
        if not inner.any():
            break
        depth += inner
    return depth


def covered(region: np.ndarray, like: Tensor) -> Tensor:
    """1 where a cell of a map (h, w) touches the region, else 0, as (h, w) floats."""
    whole = torch.from_numpy(region.astype(np.float32))[None]
    return F.adaptive_max_pool2d(whole, tuple(like.shape))[0]


def _eroded(region: np.ndarray) -> np.ndarray:
    """The region without the pixels that have a neighbour outside of it."""
    inner = region.copy()
    inner[1:] &= region[:-1]
    inner[:-1] &= region[1:]
    inner[:, 1:] &= region[:, :-1]
    inner[:, :-1] &= region[:, 1:]
    return inner
