"""Seeded noise for procedural photos, equal on every device, and the traces of a camera."""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

FIRST_CELLS = 4  # of the coarsest octave, across
_MASK = 0xFFFFFFFF


def random_lattice(seed: Tensor, channels: int, side: int) -> Tensor:
    """Numbers in [-1, 1) (B, channels, side, side) for seeds (B,), by an integer hash."""
    cells = torch.arange(channels * side * side, device=seed.device, dtype=torch.int64)
    h = (cells + side * 7919) * 374761393 + seed.to(torch.int64).view(-1, 1) * 668265263
    h = ((h ^ (h >> 15)) & _MASK) * 1274126177  # below 2^63
    h = (h ^ (h >> 29)) & 0xFFFFFF
    return (h.float() * 2**-23 - 1).view(-1, channels, side, side)


def fractal(seed: Tensor, roughness: Tensor, side: int) -> Tensor:
    """1/f noise (B, C, side, side) of about unit deviation; each octave keeps `roughness` (B, C, 1, 1).

    `side` is a power of two.
    """
    channels = roughness.shape[1]
    noise = random_lattice(seed, channels, FIRST_CELLS)
    kept, power = torch.ones_like(roughness), torch.ones_like(roughness)
    while noise.shape[-1] < side:
        kept = kept * roughness
        noise = F.interpolate(noise, scale_factor=2, mode="bilinear", align_corners=False)
        noise = noise + kept * random_lattice(seed, channels, noise.shape[-1])
        power = power + kept**2
    return noise * (1.9 / power.sqrt())


@cache
def _cosines(device: torch.device) -> Tensor:
    """The orthonormal DCT of eight samples, (8, 8)."""
    k = torch.arange(8.0, dtype=torch.float64).view(-1, 1)
    basis = torch.cos(torch.pi * k * (2 * torch.arange(8.0, dtype=torch.float64) + 1) / 16) / 2
    basis[0] /= 2**0.5
    return basis.float().to(device)


def compressed(x: Tensor, step: Tensor) -> Tensor:
    """Pictures (B, C, H, W) as JPEG leaves them: 8 x 8 DCT, coarser for high frequencies; sides in eighths.

    `step` (B,) is the quantisation of the mean brightness of a block.
    """
    basis = _cosines(x.device)
    b, c, h, w = x.shape
    blocks = x.view(b, c, h // 8, 8, w // 8, 8).transpose(3, 4)  # (B, C, rows, columns, 8, 8)
    spectrum = basis @ blocks @ basis.T
    order = torch.arange(8.0, device=x.device)
    steps = step.view(-1, 1, 1, 1, 1, 1) * 2 * (1 + 0.8 * (order.view(-1, 1) + order))
    spectrum = torch.round(spectrum / steps) * steps
    return (basis.T @ spectrum @ basis).transpose(3, 4).reshape(b, c, h, w)
