"""States as pictures, and what changed between two of them."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mgie_engine.lab.scenes.photo_painter import paint_photos
from mgie_engine.lab.scenes.render import paint, stack
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.restore.region_masks import no_layers
from mgie_engine.restore.tones import apply

CHANGED = 0.03  # a pixel has changed when any channel moved by more


def pictures(states: Sequence[State], size: int = 256) -> Tensor:
    """The states' pictures (B, 3, size, size), sRGB in [0, 1]."""
    numbers = torch.from_numpy(np.stack([state.view for state in states]))
    painted, layers = with_views(paint(*stack([state.sheet() for state in states]), size), numbers)
    return apply(painted, [state.tones for state in states], layers)


def with_views(painted: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures (B, 3, S, S) with the views among them painted, of numbers (B, NUMBERS), and their layers."""
    layers, rows = no_layers(painted), (numbers[:, 0] > 0).nonzero()[:, 0]
    if len(rows):
        painted[rows], layers[rows] = paint_photos(numbers[rows], painted.shape[-1])
    return painted, layers


def changed(before: Tensor, after: Tensor) -> Tensor:
    """Where two pictures (..., 3, H, W) differ, as a mask (..., H, W)."""
    return (before - after).abs().amax(-3) > CHANGED


def to_image(pixels: Tensor) -> Image.Image:
    """(3, H, W) in [0, 1], or a mask (H, W), as a picture."""
    levels = (pixels.float() * 255).round().to(torch.uint8)
    return Image.fromarray(levels.movedim(0, -1).contiguous().numpy() if levels.ndim == 3 else levels.numpy())
