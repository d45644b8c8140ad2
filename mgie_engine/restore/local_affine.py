"""The local-affine transfer: per window, the change of colour that takes one small picture to another.

This is the colour guided filter of He, Sun and Tang (2010) with weights, fitted to a difference: where a
window holds little information, the slopes fall back to zero and the difference to its mean. As in their fast
guided filter (He and Sun 2015), not every pixel of a window is used: the maps are smooth anyway.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from mgie_engine.restore.image_ops import box

RADII = (1 / 6, 1 / 24)  # of the windows, in picture widths; each fits what the wider ones left
STIFFNESS = (1.0, 10.0)  # of the slopes, in units of the noise
FEWEST = 5  # pixels of a window's radius that are used; fewer cost accuracy, more gain none
CELL = 1 / 32  # width of one latent, in picture widths: noise is independent only between latents
QUIET = 1.0  # least noise that is assumed, squared levels: below it rounding decides


def fit_windows(source: Tensor, difference: Tensor, weight: Tensor) -> Tensor:
    """Maps (12, S, S) with difference ≈ maps[0:3] · red + maps[3:6] · green + maps[6:9] · blue + maps[9:12].

    source, difference: (3, S, S) levels; weight (S, S), 0 where the fit must not look.
    """
    size = source.shape[-1]
    total = torch.zeros(12, size, size)
    for radius, stiffness in zip(RADII, STIFFNESS, strict=True):
        left = difference - apply_windows(total, source)
        noise = left.square().mean(0)[weight > 0.5]
        level = max(QUIET, float(noise.median()) if len(noise) else QUIET)
        reach = max(2, round(size * radius))
        found = _fit(source, left, weight[None], reach, stiffness * level)
        total = total + found * _trust(apply_windows(found, source), level, reach, size)
    return total


def apply_windows(maps: Tensor, source: Tensor) -> Tensor:
    """The difference (3, S, S) that the maps (12, S, S) predict for source (3, S, S)."""
    return (maps[:9].reshape(3, 3, *source.shape[1:]) * source[:, None]).sum(0) + maps[9:]


def _trust(predicted: Tensor, noise: float, radius: int, size: int) -> Tensor:
    """0 where the fit is no larger than a fit to noise alone would be, towards 1 where it is, (S, S)."""
    cells = max(1.0, ((2 * radius + 1) / (CELL * size)) ** 2)  # independent samples of noise in a window
    energy = box(predicted.square().mean(0, keepdim=True), radius)[0]
    return (1 - 4 * noise / cells / energy.clamp(min=1e-6)).clamp(min=0)


def _fit(source: Tensor, target: Tensor, weight: Tensor, radius: int, ridge: float) -> Tensor:
    whole = weight.shape[-2:]
    stride = 2 ** (max(1, radius // FEWEST).bit_length() - 1)  # divides the sides of most models' pictures
    thin = slice(stride // 2, None, stride)
    source, target, weight = (maps[..., thin, thin] for maps in (source, target, weight))
    radius //= stride
    mass = box(weight, radius)
    share = mass / (mass + 1e-2)  # → 0 where no pixel in reach has a weight
    mass = mass.clamp(min=1e-6)
    mean_x, mean_y = box(source * weight, radius) / mass, box(target * weight, radius) / mass
    pairs = torch.stack(
        [box(source * source[k] * weight, radius) / mass - mean_x * mean_x[k] for k in range(3)]
    )
    cross = torch.stack(
        [box(target * source[k] * weight, radius) / mass - mean_y * mean_x[k] for k in range(3)]
    )
    slopes = _inverse(pairs, ridge)
    slopes = (slopes[:, :, None] * cross[None]).sum(1)  # (3 in, 3 out, S, S)
    offset = mean_y - (slopes * mean_x[:, None]).sum(0)
    maps = box(torch.cat([slopes.flatten(0, 1), offset]) * share, radius)
    return F.interpolate(maps[None], size=whole, mode="bilinear")[0]


def _inverse(pairs: Tensor, ridge: float) -> Tensor:
    """Inverses of the symmetric 3 x 3 matrices pairs (3, 3, S, S) + ridge, by cofactors."""
    (a, b, c), (_, d, e), (_, _, f) = pairs.double()
    a, d, f = a + ridge, d + ridge, f + ridge
    ad, bd, cd = d * f - e * e, c * e - b * f, b * e - c * d
    det = a * ad + b * bd + c * cd
    rows = (ad, bd, cd), (bd, a * f - c * c, b * c - a * e), (cd, b * c - a * e, a * d - b * b)
    return torch.stack([torch.stack([cell / det for cell in row]) for row in rows]).float()
