"""How much a picture was sharpened, measured with a probe.

An autoencoder keeps little of the finest detail, so a painting hardly shows by how much it was strengthened.
But the autoencoder treats a picture that was sharpened on purpose the same way: the share of that change
which is found in the painting is the amount.
"""

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from mgie_engine.restore.calibration import ProbeThresholds
from mgie_engine.restore.image_ops import Picture, luma, planes, px, smooth

WIDTHS = (256, 128)  # box radii of the blurs whose mean is taken, per picture width: sigma 1/160
TILES = 16  # per picture width: large enough that detail averages out


def seems_sharper(reconstruction: Picture, output: Picture, thresholds: ProbeThresholds) -> bool:
    """Whether a probe is worth its cost: detail became stronger nearly everywhere, and levels stay.

    Both S x S, as `restore` takes them. Takes some milliseconds; few other edits pass.
    """
    before, after = luma(reconstruction), luma(output)
    if float(tile_means(after - before).square().mean().sqrt()) >= thresholds.still:
        return False
    was, now = (tile_means((maps - soft(maps)).square()) for maps in (before, after))
    return float((now / was.clamp(min=1))[was >= was.median()].median()) > thresholds.stronger


def unsharp_mask(picture: Picture) -> Image.Image:
    """The picture of S x S sharpened by an amount of 1: what the probe puts through the autoencoder."""
    levels = planes(picture)
    sharper = (2 * levels - soft(levels)).clamp(0, 255).round()
    return Image.fromarray(sharper.to(torch.uint8).permute(1, 2, 0).numpy())


def soft(maps: Tensor) -> Tensor:
    """The blurred maps (C, S, S): sharpening strengthens the difference from them."""
    return torch.stack([smooth(maps, px(maps, width)) for width in WIDTHS]).mean(0)


def tile_means(maps: Tensor) -> Tensor:
    """The means of maps (C, S, S) over tiles, TILES to a side."""
    return F.avg_pool2d(maps, max(1, maps.shape[-1] // TILES))
