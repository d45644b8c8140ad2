"""Carries the plan out at the original's size, in strips.

Invariant: where the plan's blend is 0, the original's bytes stay, whatever the other maps hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from mgie_engine.restore.colour_table import apply_table
from mgie_engine.restore.image_ops import local_max
from mgie_engine.restore.moved_objects import MovedObject
from mgie_engine.restore.region_masks import enlarged_rows, region_rows
from mgie_engine.restore.strips import in_strips

STEEPEST = 3.0  # factor by which an edge of painted content may get narrower: more shows stairs
FLAT = 24.0  # difference of neighbours, in levels, that is no edge and is enlarged smoothly


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What to do where; maps of S x S that are enlarged to the original."""

    curves: Tensor  # (3 in, 256, 3 out): what an input level adds to each output channel
    affine: Tensor  # (12, S, S): three slopes each for red, green and blue, then three offsets, to be added
    painted: Tensor  # (3, S, S): colours of new content
    painting: Tensor  # (S, S): 0 change the original's colours, 1 take the painted ones
    blend: Tensor  # (S, S): 0 keep the original's bytes, 1 show the edit
    moved: tuple[MovedObject, ...] = ()  # painted objects that the original shows elsewhere
    same: float = 12.0  # levels by which ground differs from itself; objects differ by twice as many
    table: Tensor | None = None  # (3, N, N, N): what a colour adds, over red, green and blue


def render(pixels: np.ndarray, plan: RestorePlan, region: str | None = None) -> np.ndarray:
    """The edited colours of pixels (H, W, 3 or 4) uint8, as (H, W, 3) uint8.

    region: a region of `region_masks.EXACT` whose exact mask takes the place of the plan's blend.
    """
    height, width = pixels.shape[:2]
    edited: np.ndarray = pixels[..., :3].copy()
    used = [number for number, added in enumerate(plan.affine) if bool(added.any())]
    layers = [_ObjectLayer.of(pixels, moved, plan.same) for moved in plan.moved]

    def work(rows: slice) -> None:
        lines = _Rows(rows.start, rows.stop - rows.start, height, width)
        blend = region_rows(region, pixels, rows)[None] if region else lines.of(plan.blend[None])
        if bool(blend.any()):
            part = edited[rows]
            part[...] = _edit(torch.from_numpy(part), plan, used, lines, layers, blend).numpy()

    in_strips(pixels.shape, work)
    return edited


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows `top` to `top + rows` of a picture of height x width."""

    top: int
    rows: int
    height: int
    width: int

    def of(self, maps: Tensor) -> Tensor:
        """These rows of (C, S, S) maps enlarged bilinearly, (C, rows, width)."""
        lines = enlarged_rows(maps, slice(self.top, self.top + self.rows), self.height)
        return F.interpolate(lines[None], (self.rows, self.width), mode="bilinear", align_corners=False)[0]

    def crisp(self, painted: Tensor) -> Tensor:
        """These rows of the colours (3, S, S) enlarged with edges as steep as the picture's size allows.

        Between the darkest and the lightest neighbour, each channel is pushed to the nearer one.
        """
        size = painted.shape[1]
        light, dark = local_max(painted, 1), -local_max(-painted, 1)
        bounds = F.avg_pool2d(torch.cat([dark, light]), 3, 1, 1, count_include_pad=False)
        soft, dark, light = self.of(torch.cat([painted, bounds])).chunk(3)
        steep = min(max(min(self.height, self.width) / size, 1.0), STEEPEST)
        gap = light - dark
        place = ((soft - dark) / gap.clamp(min=1.0) - 0.5) * steep + 0.5
        return torch.lerp(soft, dark + gap * place.clamp(0, 1), ((gap - FLAT) / FLAT).clamp(0, 1))


@dataclass(frozen=True, slots=True)
class _Span:
    """Pixels of one axis, and where in the original they come from, all inside of it."""

    begin: int
    end: int
    source: tuple[float, float]


def _span(begin: float, end: float, source: float, scale: float, length: int) -> _Span:
    """begin, end, source: in shares of `length`; cut to what the original has."""
    offset = source * length - begin * length / scale  # a pixel x comes from offset + x / scale
    first = max(int(begin * length), ceil(-offset * scale), 0)
    last = min(ceil(end * length), int((length - offset) * scale), length)
    last = max(last, first + 1)
    return _Span(first, last, (offset + first / scale, min(offset + last / scale, length)))


@dataclass(frozen=True, slots=True)
class _ObjectLayer:
    """A moved object at the original's size: its box in the picture, its pixels, and their weight."""

    top: int
    left: int
    shown: Tensor  # (h, w, 3) uint8
    moved: MovedObject
    same: float  # as in the plan

    @classmethod
    def of(cls, pixels: np.ndarray, moved: MovedObject, same: float) -> "_ObjectLayer":
        rows = _span(moved.top, moved.bottom, moved.from_top, moved.scale, pixels.shape[0])
        columns = _span(moved.left, moved.right, moved.from_left, moved.scale, pixels.shape[1])
        box = columns.source[0], rows.source[0], columns.source[1], rows.source[1]
        first = int(box[0]), int(box[1])
        crop = Image.fromarray(pixels[first[1] : ceil(box[3]), first[0] : ceil(box[2]), :3])
        local = box[0] - first[0], box[1] - first[1], box[2] - first[0], box[3] - first[1]
        size = columns.end - columns.begin, rows.end - rows.begin
        shown = crop.resize(size, Image.Resampling.BICUBIC, box=local)
        return cls(rows.begin, columns.begin, torch.from_numpy(np.array(shown)), moved, same)

    def onto(self, painted: Tensor, before: Tensor, blend: Tensor, lines: _Rows) -> None:
        """Put these rows of it over the painted ones (3, rows, width), and show less where it is hardly new.

        The ground that comes along at the rim takes the lightness of the ground the object lies on now.
        """
        first, last = max(self.top, lines.top), min(self.top + len(self.shown), lines.top + lines.rows)
        if first >= last:
            return
        here = slice(first - lines.top, last - lines.top), slice(self.left, self.left + self.shown.shape[1])
        shown = self.shown[first - self.top : last - self.top].permute(2, 0, 1).float()
        one = self.moved
        maps = torch.cat([one.trust[None], one.rim[None], one.still[None], one.ground, one.lighter])
        trust, rim, still, ground, lighter = lines.of(maps)[:, *here].split_with_sizes((1, 1, 1, 3, 3))
        shown += rim * (1 - _difference_share(shown, ground, self.same)) * lighter
        painted[:, *here] = torch.lerp(painted[:, *here], shown, trust)
        unchanged = 1 - _difference_share(shown, before[:, *here], self.same)
        blend[:, *here] *= 1 - trust * rim * still * unchanged


def _difference_share(one: Tensor, other: Tensor, same: float) -> Tensor:
    """How surely two pictures show different things, 0 to 1."""
    return ((one - other).abs().amax(0, keepdim=True) / same - 1).clamp(0, 1)


def _edit(
    part: Tensor,
    plan: RestorePlan,
    used: list[int],
    lines: _Rows,
    layers: Sequence[_ObjectLayer],
    blend: Tensor,
) -> Tensor:
    """part: (rows, width, 3) uint8, and so is the answer. used: the maps of the plan's affine that add."""
    levels = part.permute(2, 0, 1).contiguous()
    before = levels.float()
    wanted = before.clone()
    for number, added in zip(used, lines.of(plan.affine[used]) if used else (), strict=True):
        of, to = divmod(number, 3)
        if of == 3:
            wanted[to] += added
        else:
            wanted[to].addcmul_(added, before[of])
    for channel, curve in enumerate(plan.curves.mT):  # each (3 out, 256)
        wanted += curve.index_select(1, levels[channel].int().flatten()).view_as(before)
    if plan.table is not None:
        wanted += apply_table(plan.table, before)
    wanted.clamp_(0, 255)
    painting = lines.of(plan.painting[None])
    if bool(painting.any()):
        painted = lines.crisp(plan.painted)
        for layer in layers:
            layer.onto(painted, before, blend, lines)
        wanted = torch.lerp(wanted, painted, painting)
    mixed = torch.lerp(before, wanted, blend)
    return mixed.round_().clamp_(0, 255).to(torch.uint8).permute(1, 2, 0)
