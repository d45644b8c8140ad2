"""A quick look at latents: one linear map from latent channels to colours, no VAE."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from mgie_engine.model.finite import require_finite
from mgie_engine.preprocess import to_pictures

SIDE = 64  # pixels of the longer side


def preview(x0: Tensor, factors: Sequence[Sequence[float]]) -> Image.Image:
    """A picture of at most 64 × 64 pixels of clean, scaled latents (C, h, w).

    `factors` are C + 1 rows of red, green and blue as `fit` gives them; without any, the mean of the first
    channels is shown in grey, stretched to its range. NotFinite if they are not finite.
    """
    latents = x0.detach().float().cpu()
    require_finite(latents, "preview")
    colours = _linear(latents, torch.tensor(factors)) if factors else _stretched(latents)  # (3, h, w)
    height, width = latents.shape[1:]
    scale = SIDE / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return to_pictures(F.interpolate(colours[None], size, mode="bilinear", align_corners=False))[0]


def fit(latents: Tensor, pixels: Tensor) -> tuple[tuple[float, ...], ...]:
    """The best factors by least squares, for scaled latents (B, C, h, w) of pixels (B, 3, H, W) in -1…1."""
    small = F.interpolate(pixels, latents.shape[2:], mode="area")
    columns = latents.transpose(0, 1).flatten(1).T.float()  # (B·h·w, C)
    known = torch.cat([columns, columns.new_ones(len(columns), 1)], dim=1)
    wanted = small.transpose(0, 1).flatten(1).T.float()
    found = torch.linalg.lstsq(known, wanted).solution  # (C + 1, 3)
    return tuple(tuple(round(value, 5) for value in row) for row in found.tolist())


def _linear(latents: Tensor, factors: Tensor) -> Tensor:
    return torch.einsum("chw,cr->rhw", latents, factors[:-1]) + factors[-1][:, None, None]


def _stretched(latents: Tensor) -> Tensor:
    grey = latents[:3].mean(0, keepdim=True)
    low, high = grey.amin(), grey.amax()
    return (2 * (grey - low) / (high - low).clamp(min=1e-6) - 1).expand(3, -1, -1)
