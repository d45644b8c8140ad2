"""Where the edit is: how the small pictures differ, weighed by the relevance of the instruction."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mgie_engine.restore.calibration import Calibration, ChangeThresholds
from mgie_engine.restore.image_ops import (
    connected_to,
    dilate,
    feather,
    local_max,
    outside,
    px,
    smooth,
    variance,
)


@dataclass(frozen=True, slots=True)
class Relevance:
    """What the instruction is about, as differences are judged by it."""

    relevant: Tensor  # (S, S) bool, or one for all: a difference here may be an edit
    strictness: Tensor  # (S, S), or one for all: factor on the thresholds of a difference
    shift_bound: float  # levels; a region that shifts by more is an edit, by less the model's tint
    detail: bool = False  # whether fine detail everywhere may be the edit, as rain is


def measure_relevance(relevance: Tensor | None, thresholds: ChangeThresholds) -> Relevance:
    """Judge relevance (S, S): how strongly the instruction moves the prediction at each place.

    Without relevance, or without thresholds for it, every place is equally relevant.
    """
    if relevance is None or thresholds.whole_picture is None:
        return Relevance(torch.tensor(True), torch.ones(()), thresholds.shift_unknown)
    quantiles = torch.tensor([thresholds.floor_quantile, 0.5, 0.99])
    floor, middle, peak = torch.quantile(relevance.flatten(), quantiles).tolist()
    # Relevance counts for the whole picture only if it is even: a loud object raises the median, too.
    loudness = middle * min(1.0, thresholds.even * middle / max(peak, thresholds.silent))
    quiet, loud = thresholds.whole_picture
    whole = min(max((loudness - quiet) / (loud - quiet), 0.0), 1.0)
    # 1 and more where the instruction is about the place, compared with places it has nothing to do with.
    about = (relevance / (thresholds.about * max(floor, thresholds.silent))).clamp(min=whole)
    detail = middle > thresholds.detail_middle and peak > thresholds.detail_peak
    shift_bound = thresholds.shift_local + (thresholds.shift_whole - thresholds.shift_local) * whole
    return Relevance(about > thresholds.about_share, (1.5 - 0.6 * about).clamp(0.8, 1.5), shift_bound, detail)


def change_mask(source: Tensor, output: Tensor, relevance: Relevance, thresholds: ChangeThresholds) -> Tensor:
    """Where output and source, both (3, S, S), differ by more than the model's errors, (S, S) bool.

    The model's tint is taken off first, so that it lifts no place over a threshold.
    """
    difference = output - source
    unchanged = ~_certain_change(difference, source, relevance, thresholds)
    tint = mean_around(difference, unchanged)
    difference = difference - tint * (_strength(tint) < relevance.shift_bound)
    certain = _certain_change(difference, source, relevance, thresholds)
    mask = _cut_at_outlines(certain, difference, thresholds.outline)
    broad = _strength(mean_around(difference, ~mask)) > relevance.shift_bound
    return mask | (broad & relevance.relevant)


def _certain_change(
    difference: Tensor, source: Tensor, relevance: Relevance, thresholds: ChangeThresholds
) -> Tensor:
    """Where something nearby differs for certain, and what is connected to that."""
    # At edges and in texture a model misses more; a soft window finds how much there is to miss.
    expected = thresholds.edge_error * variance(source, px(source, 128))
    near = smooth(difference, px(difference, 128)).square().mean(0) - expected
    detail = smooth(difference.square(), px(difference, 64)).mean(0) - expected

    def above(level: float, detail_level: float) -> Tensor:
        factor = relevance.strictness
        return (near > (level * factor) ** 2) | (detail > (detail_level * factor) ** 2)

    certain = above(thresholds.certain, thresholds.certain_detail)
    return connected_to(certain & relevance.relevant, above(thresholds.possible, thresholds.possible_detail))


def detail_mask(sharp: Tensor, output: Tensor, relevance: Relevance, thresholds: ChangeThresholds) -> Tensor:
    """Where an edit of the whole picture took fine detail away or added some, such as rain, (S, S) bool.

    sharp, output: (3, S, S). The model's input is compared as it was sent: its autoencoder loses most of such
    detail, so that its reconstruction shows hardly any difference. Empty where the whole painting is
    softer.
    """
    if not relevance.detail:
        return torch.zeros(sharp.shape[1:], dtype=torch.bool)
    reach = px(sharp, 128)
    gone, new = outside(sharp, output, reach), outside(output, sharp, reach)
    mask = dilate((gone.amax(0) > thresholds.detail_gone) | (new.amax(0) > thresholds.detail_new), 1)
    return mask & (mask.float().mean() < thresholds.detail_most)


def _cut_at_outlines(mask: Tensor, difference: Tensor, outline: float) -> Tensor:
    """The mask without the rim of pixels that only lie next to the edit."""
    reach, gap = px(mask, 64), px(mask, 128)
    fine = _strength(smooth(difference, px(mask, 256)))
    strongest = local_max(fine[None], reach)[0]
    inside = dilate(mask & (fine > outline * strongest), gap)
    return mask & ~dilate(~inside, gap)


def mean_around(maps: Tensor, where: Tensor) -> Tensor:
    """Mean of the maps (C, S, S) over the part of a wide neighbourhood in `where`; 0 if there is none."""
    weight = where.float()[None]
    radius = px(maps, 11)
    return smooth(maps * weight, radius) / smooth(weight, radius).clamp(min=0.02)


def mask_with_tone(
    start: Tensor,
    source: Tensor,
    output: Tensor,
    mask: Tensor,
    relevance: Relevance,
    calibration: Calibration,
    keeps_detail: bool,
) -> tuple[Tensor, bool]:
    """The mask with everything that a tone explains, and whether the tone is of use at all.

    start: source under the tone; it, source and output: (3, S, S).
    """
    change, tone = calibration.change, calibration.tone
    meant = mask | relevance.relevant
    left, before = (_energy(output - one, change.detail_weight) for one in (start, source))
    moved = _strength(smooth(start - source, px(source, 64)))
    # Clamped, so that one new object does not outweigh the whole picture.
    most = change.certain**2
    if float(left.clamp(max=most).mean()) > tone.unexplained * float(before.clamp(max=most).mean()):
        return mask, False
    if keeps_detail and float((moved > relevance.shift_bound).float().mean()) < tone.least_area:
        return mask, False
    if not keeps_detail or float((moved > tone.moved).float().mean()) > tone.most_area:
        missed = (before < tone.unexplained * left) & (moved > tone.overshoot)
        return meant & ~missed, True
    explained = (moved > relevance.shift_bound) & (left < tone.unexplained * before)
    return mask | (meant & explained), True


def allowed_mask(relevance: Tensor | None, strict: bool, thresholds: ChangeThresholds) -> Tensor | None:
    """Where a change may be shown, (S, S) bool; None where nothing forbids it."""
    if relevance is None:
        return None
    bound = thresholds.silent
    if strict:
        bound = max(bound, thresholds.strict_share * float(torch.quantile(relevance.flatten(), 0.99)))
    return relevance >= bound


def blend_weights(mask: Tensor, allow: Tensor | None) -> Tensor:
    """How much of the edit to show, (S, S) in 0 to 1; exactly 0 away from the mask and where not allowed.

    Exactly 0 matters: there the original's bytes stay.
    """
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


def _energy(maps: Tensor, detail_weight: float) -> Tensor:
    """Square of the local mean, and a share of the energy of detail, (S, S)."""
    radius = px(maps, 64)
    return (smooth(maps, radius).square() + detail_weight * smooth(maps.square(), radius)).mean(0)
