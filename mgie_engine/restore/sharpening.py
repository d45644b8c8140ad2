"""How much a picture was sharpened, told by a probe.

An autoencoder keeps little of the finest detail, so a painting hardly shows by how much that was to be
strengthened. But it treats a picture sharpened on purpose just alike: as much of the trial's change as is
found in the painting is the amount.
"""

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from mgie_engine.restore.image_ops import Picture, luma, planes, px, smooth

WIDTHS = (256, 128)  # box radii of the blurs whose mean is taken, per picture width: sigma 1/160
STRONGER = 1.03  # times the energy of fine detail, where there is much of it, that may come of sharpening
STILL = 6.0  # root mean square, in levels, by which sharpening moves the means of tiles at most
TILES = 16  # per picture width


def seems_sharper(reconstruction: Picture, output: Picture) -> bool:
    """Whether a trial is worth its while: detail has become stronger nearly everywhere, and levels stay.

    Both S x S, as `restore` takes them. A look of some milliseconds; few other edits pass it.
    """
    before, after = luma(reconstruction), luma(output)
    if float(tile_means(after - before).square().mean().sqrt()) >= STILL:
        return False
    was, now = (tile_means((maps - soft(maps)).square()) for maps in (before, after))
    return float((now / was.clamp(min=1))[was >= was.median()].median()) > STRONGER


def unsharp_mask(picture: Picture) -> Image.Image:
    """The picture of S x S sharpened by an amount of 1: what the trial puts through the autoencoder."""
    levels = planes(picture)
    sharper = (2 * levels - soft(levels)).clamp(0, 255).round()
    return Image.fromarray(sharper.to(torch.uint8).permute(1, 2, 0).numpy())


def soft(maps: Tensor) -> Tensor:
    """What the detail that sharpening strengthens stands out from, as maps (C, S, S)."""
    return torch.stack([smooth(maps, px(maps, width)) for width in WIDTHS]).mean(0)


def tile_means(maps: Tensor) -> Tensor:
    """The means of maps (C, S, S) over tiles, TILES to a side."""
    return F.avg_pool2d(maps, max(1, maps.shape[-1] // TILES))
