"""Tonal edits as exact operations on pixels: light and colour change, content does not.

Each operation maps pictures (B, 3, H, W), sRGB in [0, 1], and a strength per picture (B, 1, 1, 1), where 1 is
the plain edit, 0.5 "a little" and 1.6 "much". Lengths scale with the picture, so the same operation at
another resolution is the same edit.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor

Tone = Callable[[Tensor, Tensor], Tensor]
ToneSpec = tuple[str, float]  # operation, strength

STRENGTHS: Mapping[str, float] = MappingProxyType({"little": 0.5, "plain": 1.0, "much": 1.6})
UNGRADED = frozenset({"grey", "sepia", "invert", "night"})  # all or nothing


def apply(pictures: Tensor, tones: Sequence[Sequence[ToneSpec]]) -> Tensor:
    """Apply to each picture (B, 3, H, W) its own chain of tones; KeyError for an unknown operation."""
    pictures = pictures.clone()
    for depth in range(max((len(chain) for chain in tones), default=0)):
        pending: dict[str, list[int]] = {}
        for row, chain in enumerate(tones):
            if depth < len(chain):
                pending.setdefault(chain[depth][0], []).append(row)
        for name, rows in pending.items():
            strength = torch.tensor([tones[row][depth][1] for row in rows], device=pictures.device)
            changed = TONES[name](pictures[rows], strength.view(-1, 1, 1, 1)).clamp(0, 1)
            pictures[rows] = changed.to(pictures.dtype)
    return pictures


def luma(x: Tensor) -> Tensor:
    """Rec. 601 brightness, (B, 1, H, W)."""
    return x[:, :1] * 0.299 + x[:, 1:2] * 0.587 + x[:, 2:] * 0.114


def _gain(x: Tensor, s: Tensor, red: float, green: float, blue: float) -> Tensor:
    gains = torch.tensor([red, green, blue], device=x.device, dtype=x.dtype).view(1, 3, 1, 1)
    return x * (1 + s * (gains - 1))


def _blur(x: Tensor, s: Tensor) -> Tensor:
    """Gaussian blur, sigma = strength / 128 of the width; separable, reflected at the border."""
    width = x.shape[-1]
    reach = max(1, round(1.6 * 3 * width / 128))
    offset = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
    sigma = (s.view(-1, 1) * width / 128).clamp(min=0.05)
    kernel = torch.exp(-0.5 * (offset / sigma) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0)  # (3B, K)
    flat = x.reshape(1, -1, *x.shape[-2:])
    mode = "reflect" if reach < min(x.shape[-2:]) else "replicate"
    flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), mode), kernel[:, None, None, :], groups=len(kernel))
    flat = F.conv2d(F.pad(flat, (0, 0, reach, reach), mode), kernel[:, None, :, None], groups=len(kernel))
    return flat.view_as(x)


def _sepia(x: Tensor, s: Tensor) -> Tensor:
    mix = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]]
    return torch.einsum("ij,bjhw->bihw", torch.tensor(mix, device=x.device, dtype=x.dtype), x)


def _vignette(x: Tensor, s: Tensor) -> Tensor:
    y = torch.linspace(-1, 1, x.shape[-2], device=x.device).view(-1, 1)
    radius = y**2 + torch.linspace(-1, 1, x.shape[-1], device=x.device).view(1, -1) ** 2
    return x * (1 - (0.42 * s * radius).clamp(max=0.92))


TONES: Mapping[str, Tone] = MappingProxyType(
    {
        "brighter": lambda x, s: x.clamp(min=1e-4) ** (1 / (1 + 0.7 * s)),
        "darker": lambda x, s: x * (1 - 0.4 * s),
        "contrast": lambda x, s: (x - 0.5) * (1 + 0.6 * s) + 0.5,
        "flat": lambda x, s: (x - 0.5) * (1 - 0.45 * s) + 0.5,
        "vivid": lambda x, s: luma(x) + (x - luma(x)) * (1 + 0.8 * s),
        "muted": lambda x, s: luma(x) + (x - luma(x)) * (1 - 0.5 * s),
        "warm": lambda x, s: _gain(x, s, 1.18, 1.02, 0.76),
        "cool": lambda x, s: _gain(x, s, 0.78, 0.98, 1.2),
        "grey": lambda x, s: luma(x).expand_as(x),
        "sepia": _sepia,
        "invert": lambda x, s: 1 - x,
        "night": lambda x, s: _gain(x, s.clamp(max=1.3), 0.36, 0.44, 0.66),
        "vignette": _vignette,
        "blur": _blur,
        "sharpen": lambda x, s: x + 1.2 * s * (x - _blur(x, torch.full_like(s, 0.8))),
    }
)
