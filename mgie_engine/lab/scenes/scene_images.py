"""States as pictures, and what changed between two of them."""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from mgie_engine.lab.scenes.render import paint, stack
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.tones import apply

CHANGED = 0.03  # a pixel has changed when any channel moved by more


def pictures(states: Sequence[State], size: int = 256) -> Tensor:
    """The states' pictures (B, 3, size, size), sRGB in [0, 1]."""
    return apply(paint(*stack([state.sheet() for state in states]), size), [state.tones for state in states])


def changed(before: Tensor, after: Tensor) -> Tensor:
    """Where two pictures (..., 3, H, W) differ, as a mask (..., H, W)."""
    return (before - after).abs().amax(-3) > CHANGED


def to_image(pixels: Tensor) -> Image.Image:
    """(3, H, W) in [0, 1], or a mask (H, W), as a picture."""
    levels = (pixels.float() * 255).round().to(torch.uint8)
    return Image.fromarray(levels.movedim(0, -1).contiguous().numpy() if levels.ndim == 3 else levels.numpy())
