"""Where the edit is: what differs in the small pair, and how strongly the instruction spoke there."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mgie_engine.restore.image_ops import connected_to, dilate, feather, local_max, px, smooth, variance

SURE = 16.0  # smoothed difference, levels, that is an edit for certain
MAYBE = 5.0  # … that belongs to an edit when it touches one that is certain
SURE_DETAIL, MAYBE_DETAIL = 24.0, 14.0  # root mean square difference: detail added or lost, mean unchanged
DETAIL_COUNTS = 0.1  # of detail, when a tone is compared with no tone; the model's noise is detail too
OUTLINE = 0.15  # of the strongest difference near by: where a thing ends and the rim of its blur begins
AT_EDGES = 0.05  # share of the local variance by which a model misses an edge that it was to keep
# A shift of whole regions, in levels, that is an edit; models tint what they keep by a few levels.
BROAD = 1.5  # when the instruction speaks of the whole picture
BROAD_UNHEARD = 3.0  # when nobody measured whether it does
BROAD_QUIET = 10.0  # when it hardly speaks
# Loudness at large, in units of the model's prediction. mgie-mini: up to 0.035 when it is told to change
# nothing or one thing, from 0.05 on when it changes the tone of the whole picture.
QUIET, LOUD = 0.036, 0.05
EVEN = 3.0  # times the median: the strongest relevance of an instruction that speaks of the whole picture
FLOOR = 0.1  # of the picture hears the least: the relevance of places that have nothing to do with an edit
ABOUT = 4.5  # times the floor: relevance of a place the instruction is about
HEARD = 2 / 3  # … share of that below which a difference is the model's slip and no edit
SILENT = 1e-4  # … below which the instruction had no say at all
STRICT_SHARE = 0.3  # of the strongest relevance: the edge of the mask under keep = strict


@dataclass(frozen=True, slots=True)
class Relevance:
    """What the instruction has a say in, for differences to be judged by."""

    relevant: Tensor  # (S, S) bool, or one for all: enough of a say for a difference to be an edit
    strictness: Tensor  # (S, S), or one for all: how many times as strong a difference has to be
    shift_bound: float  # the shift of a whole region, in levels, that is an edit and not the model's tint


def measure_relevance(relevance: Tensor | None) -> Relevance:
    """relevance: (S, S), how strongly the instruction speaks at each place; None when nobody listened."""
    if relevance is None:
        return Relevance(torch.tensor(True), torch.ones(()), BROAD_UNHEARD)
    floor, middle, peak = torch.quantile(relevance.flatten(), torch.tensor([FLOOR, 0.5, 0.99])).tolist()
    loudness = middle * min(1.0, EVEN * middle / max(peak, SILENT))
    at_large = min(max((loudness - QUIET) / (LOUD - QUIET), 0.0), 1.0)  # loud everywhere, not only in places
    # How surely the instruction is about each place: 1 and more where it is.
    about = (relevance / (ABOUT * max(floor, SILENT))).clamp(min=at_large)
    bound = BROAD_QUIET + (BROAD - BROAD_QUIET) * at_large
    return Relevance(about > HEARD, (1.5 - 0.6 * about).clamp(0.8, 1.5), bound)


def change_mask(source: Tensor, output: Tensor, relevance: Relevance) -> Tensor:
    """Where output and source, both (3, S, S), differ by more than the model's noise, (S, S) bool."""
    difference = output - source
    tint = around(difference, ~_certain_change(difference, source, relevance))
    difference = difference - tint * (_strength(tint) < relevance.shift_bound)
    mask = _cut_at_outlines(_certain_change(difference, source, relevance), difference)
    broad = _strength(around(difference, ~mask)) > relevance.shift_bound
    return mask | (broad & relevance.relevant)


def _certain_change(difference: Tensor, source: Tensor, relevance: Relevance) -> Tensor:
    """Where something near differs for certain, and what is joined to it."""
    expected = AT_EDGES * variance(source, px(source, 128))
    near = smooth(difference, px(difference, 128)).square().mean(0) - expected
    detail = smooth(difference.square(), px(difference, 64)).mean(0) - expected
    sure = (near > (SURE * relevance.strictness) ** 2) | (detail > (SURE_DETAIL * relevance.strictness) ** 2)
    maybe = (near > (MAYBE * relevance.strictness) ** 2) | (
        detail > (MAYBE_DETAIL * relevance.strictness) ** 2
    )
    return connected_to(sure & relevance.relevant, maybe)


def _cut_at_outlines(mask: Tensor, difference: Tensor) -> Tensor:
    """The mask without the rim of pixels that only lie next to the edit."""
    reach, gap = px(mask, 64), px(mask, 128)
    fine = _strength(smooth(difference, px(mask, 256)))
    strongest = local_max(fine[None], reach)[0]
    inside = dilate(mask & (fine > OUTLINE * strongest), gap)
    return mask & ~dilate(~inside, gap)


def around(maps: Tensor, where: Tensor) -> Tensor:
    """Mean of the maps (C, S, S) over what lies in `where` of a wide neighbourhood; 0 if nothing does."""
    weight = where.float()[None]
    radius = px(maps, 11)
    return smooth(maps * weight, radius) / smooth(weight, radius).clamp(min=0.02)


def mask_with_tone(
    start: Tensor, source: Tensor, output: Tensor, mask: Tensor, relevance: Relevance, keeps_detail: bool
) -> tuple[Tensor, bool]:
    """The mask with what a tone explains, and whether the tone is of use at all.

    start: source under the tone; it, source and output: (3, S, S).
    """
    meant = mask | relevance.relevant
    left, before = _energy(output - start), _energy(output - source)
    moved = _strength(smooth(start - source, px(source, 64)))
    if float(left.clamp(max=SURE**2).mean()) > 0.5 * float(before.clamp(max=SURE**2).mean()):
        return mask, False
    if keeps_detail and float((moved > relevance.shift_bound).float().mean()) < 0.1:
        return mask, False
    if not keeps_detail or float((moved > 1).float().mean()) > 0.7:
        return meant & ~((before < 0.5 * left) & (moved > 3)), True
    return mask | (meant & (moved > relevance.shift_bound) & (left < 0.5 * before)), True


def allowed_mask(relevance: Tensor | None, strict: bool) -> Tensor | None:
    """Where a change may be shown, (S, S) bool; None where nothing forbids it."""
    if relevance is None:
        return None
    bound = max(SILENT, STRICT_SHARE * float(torch.quantile(relevance.flatten(), 0.99))) if strict else SILENT
    return relevance >= bound


def blend_weights(mask: Tensor, allow: Tensor | None) -> Tensor:
    """How much of the edit to show, (S, S) in 0 to 1; exactly 0 away from the mask and where not allowed."""
    radius = px(mask, 160)
    if allow is None:
        return feather(mask, radius)
    inside = 1 - feather(dilate(~allow, 1), radius)
    return torch.minimum(feather(mask & allow, radius), inside)


def enlarge_relevance(relevance: Tensor | np.ndarray, size: int) -> Tensor:
    """The relevance map at the model's pixels, (S, S): each latent a square block."""
    maps = torch.as_tensor(relevance).float()[None, None]
    return F.interpolate(maps, size=(size, size), mode="nearest")[0, 0]


def _strength(maps: Tensor) -> Tensor:
    return maps.square().mean(0).sqrt()


def _energy(maps: Tensor) -> Tensor:
    """Square of what the surroundings agree on, and a share of all the rest, (S, S)."""
    radius = px(maps, 64)
    return (smooth(maps, radius).square() + DETAIL_COUNTS * smooth(maps.square(), radius)).mean(0)
