"""Objects that were moved, enlarged or made smaller: the original has them sharp, elsewhere.

For each patch of painted pixels, one scale and place is searched at which the small original shows the same:
least squares by FFT (Lewis 1995) over scales, then refined below a pixel. Pixels that agree are taken from
the original. Rotation and change of view are left to the painted pixels: a wrong match shows, a missed one
does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mgie_engine.restore.calibration import MovedThresholds
from mgie_engine.restore.image_ops import (
    close_mask,
    connected_to,
    dilate,
    energy,
    feather,
    outside_range,
    px,
    smooth,
)

SIDE = 128  # pixels per side at which the search runs
SCALES = tuple(1.1**step for step in range(-7, 8))  # half to twice the size
STEPS = ((0.05, 1.0), (0.025, 0.5), (0.012, 0.25))  # of scale, and of place in pixels of the small pictures
ROUNDS = 3  # of each step, at most
OUTSIDE = 0.25  # share of the picture's width by which a view may reach beyond the picture
PARTS = 32  # of what is painted, at most; more are noise
PATCHES = 4  # the largest of them are searched

Box = tuple[int, int, int, int]  # top, left, bottom, right


@dataclass(frozen=True, slots=True)
class View:
    """The part of a picture that a box shows: its corner there, in pixels, and the magnification."""

    scale: float
    top: float
    left: float


@dataclass(frozen=True, slots=True)
class MovedObject:
    """An object of the original that the edit shows elsewhere; places in shares of height and width."""

    top: float
    left: float
    bottom: float
    right: float
    scale: float  # how much larger than in the original
    from_top: float  # where in the original lies what is shown at `top`
    from_left: float
    trust: Tensor  # (S, S): 1 where the original's pixels are right, 0 where the painted ones are
    rim: Tensor  # (S, S): 1 where some of these pixels may be ground that came along
    still: Tensor  # (S, S): 1 where the original, unmoved, is as similar to what was painted
    ground: Tensor  # (3, S, S): colours of the ground it lay on; below 0 where they are unknown
    lighter: Tensor  # (3, S, S): how much lighter the ground is that it lies on now


def find_moved_objects(
    source: Tensor, output: Tensor, place: Tensor, thresholds: MovedThresholds
) -> Iterator[MovedObject]:
    """The objects in `place` (S, S) that output (3, S, S) shows and source has elsewhere, largest first.

    Uncovered ground is skipped although it is found elsewhere, too: taken from there, a little lighter or
    larger, it would let traces of the removed object through.
    """
    for patch in _patches(place, thresholds.least_area):
        near = dilate(patch, px(patch, 100))
        box = _bounds(near)
        mask = near[_inside(box)].float()
        window = output[:, *_inside(box)]
        rim = near & dilate(~near, 1)
        if not _stands_out(window, patch[_inside(box)], rim[_inside(box)], thresholds.stands_out):
            continue
        error = _Error(source, window, mask / mask.sum())
        view, unmoved = _refined(_search(source, window, mask), error), View(1.0, box[0], box[1])
        if error.of(view) >= thresholds.left * error.of(unmoved):
            continue
        if found := _moved_object(source, output, patch, near, view, thresholds):
            yield found


def _patches(place: Tensor, least_area: float) -> list[Tensor]:
    """The connected parts of a place, without holes and bays, the largest first."""
    left, found = place.clone(), list[Tensor]()
    while bool(left.any()) and len(found) < PARTS:
        seed = torch.zeros_like(left)
        seed[divmod(int(left.flatten().float().argmax()), left.shape[1])] = True
        patch = connected_to(seed, left)
        left &= ~patch
        found.append(patch)
    found.sort(key=lambda patch: -int(patch.sum()))
    large = [patch for patch in found[:PATCHES] if float(patch.float().mean()) > least_area]
    return [close_mask(patch, px(patch, 16)) for patch in large]


def _bounds(where: Tensor) -> Box:
    rows, columns = where.any(1).nonzero()[:, 0], where.any(0).nonzero()[:, 0]
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _inside(box: Box) -> tuple[slice, slice]:
    return slice(box[0], box[2]), slice(box[1], box[3])


def _stands_out(window: Tensor, patch: Tensor, rim: Tensor, levels: float) -> bool:
    """Whether the window (3, h, w) shows levels in the patch that its rim, both (h, w), lacks on all sides.

    Looked for straight to the left, right, above and below. Ground does not stand out in any light, not even
    where the horizon runs through it.
    """
    sides = torch.stack([_nearest_known(window, rim, turns) for turns in range(4)])
    above = window - sides.nan_to_num(-torch.inf).amax(0)
    below = sides.nan_to_num(torch.inf).amin(0) - window
    return float(torch.maximum(above, below).clamp(min=0).amax(0)[patch].square().mean()) > levels**2


def _nearest_known(maps: Tensor, known: Tensor, turns: int) -> Tensor:
    """For each pixel of the maps (C, h, w) the nearest known level on its left, after some quarter turns.

    nan where there is none.
    """
    maps, known = maps.rot90(turns, (1, 2)), known.rot90(turns)
    at = torch.where(known, torch.arange(known.shape[1]), -1).cummax(1).values
    found = maps.gather(2, at.clamp(min=0).expand_as(maps)).where(at >= 0, torch.nan)
    return found.rot90(-turns, (1, 2))


def _search(source: Tensor, window: Tensor, mask: Tensor) -> View:
    """Roughly where source (3, S, S) looks like the window (3, h, w) within its mask (h, w)."""
    size = source.shape[-1]
    shrink = min(1.0, SIDE / size)
    height, width = (max(2, round(side * shrink)) for side in mask.shape)
    small = F.interpolate(torch.cat([window * mask, mask[None]])[None], (height, width), mode="area")[0]
    kernel = torch.cat([-2 * small[:3], small[3:]])
    best, view = float("inf"), View(1.0, 0.0, 0.0)
    for scale in SCALES:
        side = round(size * shrink * scale)
        over = round(side * OUTSIDE)
        if side + 2 * over < max(height, width):
            continue
        scaled = F.interpolate(source[None], (side, side), mode="bilinear", antialias=True)
        scaled = F.pad(scaled, (over,) * 4, mode="replicate")[0]
        planes = torch.cat([scaled, scaled.square().sum(0, keepdim=True)])
        wide = planes.shape[-2:]
        product = torch.fft.rfft2(planes) * torch.fft.rfft2(kernel, s=wide).conj()
        cost = torch.fft.irfft2(product.sum(0), s=wide)[: wide[0] - height + 1, : wide[1] - width + 1]
        row, column = divmod(int(cost.flatten().argmin()), cost.shape[1])
        if float(cost[row, column]) < best:
            best = float(cost[row, column])
            view = View(side / (size * shrink), (row - over) * size / side, (column - over) * size / side)
    return view


@dataclass(frozen=True, slots=True)
class _Error:
    """How far a window is from the view of source."""

    source: Tensor
    window: Tensor
    weight: Tensor  # (h, w), sums to 1

    def of(self, view: View) -> float:
        """Mean square, in levels."""
        seen = _view_of(self.source, view, self.window.shape[1:])
        return float(((seen - self.window).square().mean(0) * self.weight).sum())


def _refined(view: View, error: _Error) -> View:
    best = error.of(view)
    for grow, shift in STEPS:
        for _ in range(ROUNDS):
            tries = list(_nearby_views(view, grow, shift, error))
            errors = [error.of(one) for one in tries]
            if min(errors, default=best) >= best:
                break
            best = min(errors)
            view = tries[errors.index(best)]
    return view


def _nearby_views(view: View, grow: float, shift: float, error: _Error) -> Iterator[View]:
    """Views a little larger, smaller or beside that one, around the window's middle."""
    height, width = error.window.shape[1:]
    for scale in (view.scale * factor for factor in (1 - grow, 1.0, 1 + grow)):
        centred = (1 / view.scale - 1 / scale) / 2
        for down in (-shift, 0.0, shift):
            for along in (-shift, 0.0, shift):
                top, left = view.top + centred * height + down, view.left + centred * width + along
                yield View(scale, top, left)


def _view_grid(view: View, shape: torch.Size, size: int) -> Tensor:
    """Where the pixels of a box (h, w) come from, (h, w, 2): x and y, from -1 to 1 inside of the picture."""
    y = (view.top + (torch.arange(shape[0]) + 0.5) / view.scale) * 2 / size - 1
    x = (view.left + (torch.arange(shape[1]) + 0.5) / view.scale) * 2 / size - 1
    return torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1)


def _view_of(source: Tensor, view: View, shape: torch.Size) -> Tensor:
    """The view of source in a box (h, w), as (3, h, w); beyond its edges, the edges."""
    grid = _view_grid(view, shape, source.shape[-1])[None]
    return F.grid_sample(source[None], grid, mode="bilinear", padding_mode="border", align_corners=False)[0]


def _moved_object(
    source: Tensor, output: Tensor, patch: Tensor, near: Tensor, view: View, thresholds: MovedThresholds
) -> MovedObject | None:
    """The part of the patch that the view explains better than the unmoved original; None if too little.

    near: the patch with a rim, whose bounds are the view's box.
    """
    box = _bounds(near)
    size, reach, here = patch.shape[-1], px(patch, 128), _inside(box)
    window = output[:, *here]
    seen = _view_of(source, view, window.shape[1:])
    off = energy(outside_range(window, seen, reach), 1)
    stayed, came = (energy(window - shown, reach) for shown in (source[:, *here], seen))
    agrees = torch.zeros_like(patch)
    known = (_view_grid(view, window.shape[1:], size).abs() < 1).all(-1)
    agrees[here] = known & (off < thresholds.differs**2) & (stayed > thresholds.unmoved * came)
    if int((agrees & patch).sum()) < thresholds.agreed * int(patch.sum()):
        return None
    trust, rim = feather(agrees & near, 1) * near, feather(dilate(~patch, px(patch, 32)), 2)
    ring = (near & ~patch)[here].float()[None]
    around = smooth(ring, px(patch, 32))
    was, becomes = (smooth(maps * ring, px(patch, 32)) / around.clamp(min=1e-6) for maps in (seen, window))
    ground, lighter = torch.full_like(source, -255), torch.zeros_like(source)
    ground[:, *here] = torch.where(around > thresholds.known_ground, was, -255)
    lighter[:, *here] = torch.where(around > thresholds.known_ground, becomes - was, 0)
    both = source[:, *here], seen + lighter[:, *here]
    off_unmoved, off_moved = (energy(window - shown, px(patch, 256)).sqrt() for shown in both)
    still = torch.zeros_like(trust)
    still[here] = (2 - off_unmoved / off_moved.clamp(min=thresholds.as_good)).clamp(0, 1)
    top, left, bottom, right = (side / size for side in box)
    at = view.scale, view.top / size, view.left / size
    return MovedObject(top, left, bottom, right, *at, trust, rim, still, ground, lighter)
