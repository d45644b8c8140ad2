"""The plan carried out at the original's size, in strips; bytes where nothing changes stay the original's."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

STRIP_PIXELS = 1 << 18  # rendered at once: the working set stays near the CPU's cache
STEEPEST = 3.0  # how much narrower than enlarged an edge of painted content may become
FLAT = 24.0  # difference of neighbours, in levels, that is no edge


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do where; maps of S x S that are enlarged to the original."""

    curves: Tensor  # (3 in, 256, 3 out): what an input level adds to each output channel
    affine: Tensor  # (12, S, S): three slopes each for red, green and blue, then three offsets, to be added
    painted: Tensor  # (3, S, S): colours of new content
    painting: Tensor  # (S, S): 0 change the original's colours, 1 take the painted ones
    blend: Tensor  # (S, S): 0 keep the original's bytes, 1 show the edit


def render(pixels: np.ndarray, plan: Plan) -> np.ndarray:
    """The edited colours of pixels (H, W, 3 or 4) uint8, as (H, W, 3) uint8."""
    height, width = pixels.shape[:2]
    edited = pixels[..., :3].copy()
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        part = edited[top : top + rows]
        lines = _Lines(top, len(part), height, width)
        blend = lines.of(plan.blend[None])
        if bool(blend.any()):
            part[...] = _edit(torch.from_numpy(part), plan, lines, blend).numpy()
    return edited


@dataclass(frozen=True, slots=True)
class _Lines:
    """Rows `top` to `top + rows` of a picture height x width."""

    top: int
    rows: int
    height: int
    width: int

    def of(self, maps: Tensor) -> Tensor:
        """These rows of (C, S, S) maps enlarged bilinearly, (C, rows, width)."""
        size = maps.shape[1]
        at = (torch.arange(self.top, self.top + self.rows) + 0.5) * size / self.height - 0.5
        at = at.clamp(0, size - 1)
        above = at.long()
        below = (above + 1).clamp(max=size - 1)
        lines = torch.lerp(maps[:, above], maps[:, below], (at - above)[:, None])
        return F.interpolate(lines[None], (self.rows, self.width), mode="bilinear", align_corners=False)[0]

    def crisp(self, painted: Tensor) -> Tensor:
        """These rows of the colours (3, S, S) enlarged with edges as steep as the picture's size allows.

        Between the darkest and the lightest neighbour, each channel is pushed to the nearer one.
        """
        size = painted.shape[1]
        light, dark = F.max_pool2d(painted, 3, 1, 1), -F.max_pool2d(-painted, 3, 1, 1)
        bounds = F.avg_pool2d(torch.cat([dark, light]), 3, 1, 1, count_include_pad=False)
        soft, dark, light = self.of(torch.cat([painted, bounds])).chunk(3)
        steep = min(max(min(self.height, self.width) / size, 1.0), STEEPEST)
        gap = light - dark
        place = ((soft - dark) / gap.clamp(min=1.0) - 0.5) * steep + 0.5
        return torch.lerp(soft, dark + gap * place.clamp(0, 1), ((gap - FLAT) / FLAT).clamp(0, 1))


def _edit(part: Tensor, plan: Plan, lines: _Lines, blend: Tensor) -> Tensor:
    """part: (rows, width, 3) uint8, and so is the answer."""
    levels = part.permute(2, 0, 1)
    before = levels.float()
    maps = lines.of(plan.affine)
    wanted = before + maps[9:]
    for channel in range(3):
        wanted.addcmul_(maps[3 * channel : 3 * channel + 3], before[channel])
        wanted += plan.curves[channel][levels[channel].int()].permute(2, 0, 1)
    wanted.clamp_(0, 255)
    painting = lines.of(plan.painting[None])
    if bool(painting.any()):
        wanted = torch.lerp(wanted, lines.crisp(plan.painted), painting)
    mixed = torch.lerp(before, wanted, blend)
    return mixed.round_().clamp_(0, 255).to(torch.uint8).permute(1, 2, 0)
