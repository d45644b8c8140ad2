"""Plans an edit from the small pictures alone: what to keep, what to recolour, what to paint."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mgie_engine.restore.calibration import Calibration, NewContentThresholds, ToneThresholds
from mgie_engine.restore.change import (
    Relevance,
    allowed_mask,
    blend_weights,
    change_mask,
    detail_mask,
    enlarge_relevance,
    mask_with_tone,
    mean_around,
    measure_relevance,
)
from mgie_engine.restore.compose import RestorePlan
from mgie_engine.restore.grading import grade_by_colour
from mgie_engine.restore.image_ops import dilate, energy, feather, local_max, px, smooth
from mgie_engine.restore.local_affine import apply_windows, fit_windows
from mgie_engine.restore.local_blur import blur_of_places
from mgie_engine.restore.moved_objects import MovedObject, find_moved_objects
from mgie_engine.restore.new_content import new_content_mask
from mgie_engine.restore.tone_fit import ProbeOutcome, Tone, ToneFit, explains_painting, fit_tone, no_tone

FLOOR = 0.1  # quantile of the change of levels that stands for places that stay
TIMES_FLOOR = 1.5


def plan_restore(
    source: Tensor,
    output: Tensor,
    sharp: Tensor,
    probed: ProbeOutcome | None,
    relevance: Tensor | np.ndarray | None,
    strict: bool,
    calibration: Calibration,
    degree: float = 1.0,
) -> RestorePlan:
    """What to do where.

    source: the model's input `sharp` through its autoencoder; probed: the probe through it; all (3, S, S).
    A change of tone is preferred to local changes of colour, and these to painted pixels: in this order the
    result keeps most of the original. degree: factor on the change of tone, if one tells the edit.
    """
    size, change = source.shape[-1], calibration.change
    relevance_map = None if relevance is None else enlarge_relevance(relevance, size)
    judged = measure_relevance(relevance_map, change)
    mask = change_mask(source, output, judged, change)
    tone, compared, start = fit = _tone_or_blur(source, output, sharp, probed, calibration)
    detail = detail_mask(sharp, output, judged, change)
    tonal = not bool(detail.any()) or explains_painting(fit, source, output, calibration.tone)
    mask, tonal = _tone_mask(fit, output, mask, judged, calibration) if tonal else (mask, False)
    lost, seen = torch.zeros(()), source
    if tonal:
        source = compared
        crisp = sharp if tone.detail == "softer" else tone(sharp)
        lost = calibration.new.lost * energy(crisp - start, px(source, 128))
    else:
        tone, start, mask = no_tone(size), source, mask | detail
        output = output - mean_around(output - source, ~mask).clamp(-change.tint, change.tint)
    windows, painting, painted = _transfer(source, output, start, mask, lost, calibration.new)
    if tonal:
        trust = _window_trust(output - start, windows, source, calibration.tone)
        windows, tone = windows * trust * tone.possible(degree), tone.scaled(degree)
    else:
        painted, painting = torch.where(detail, output, painted), torch.maximum(painting, feather(detail, 1))
    show = blend_weights(mask, allowed_mask(relevance_map, strict, change))
    show = show * _active(tone, output - seen, painting, change.unmoved)
    objects: tuple[MovedObject, ...] = ()
    if not tonal:
        shown = torch.lerp(apply_windows(windows, source), painted - source, painting)
        where = mask & (painting > 0.5) & ~detail
        objects = tuple(find_moved_objects(source, output, where, calibration.moved))
        show = show * torch.maximum(_visible_change(shown, change.halo), detail.float())
        painting, show = _with_moved_objects(objects, painting, show)
    windows = windows + tone.as_windows()
    same = calibration.moved.same
    return RestorePlan(tone.curves, windows, painted, painting, show, objects, same, tone.table)


def _tone_or_blur(
    source: Tensor, output: Tensor, sharp: Tensor, probed: ProbeOutcome | None, calibration: Calibration
) -> ToneFit:
    """The one change that takes source to output: of tone, or a blur of some places."""
    fit = fit_tone(source, output, sharp, calibration.tone, probed)
    if fit.tone.detail == "sharper":
        return fit
    blur = blur_of_places(source, output, sharp, calibration.blur)
    if blur and explains_painting(blur, source, output, calibration.tone):
        left, left_by_tone = (float((output - one.start).square().mean()) for one in (blur, fit))
        return blur if left < calibration.blur.better * left_by_tone else fit
    grade = grade_by_colour(source, output, sharp, fit, calibration.grade) if fit.tone.keeps_detail else None
    return grade or fit


def _tone_mask(
    fit: ToneFit, output: Tensor, mask: Tensor, judged: Relevance, calibration: Calibration
) -> tuple[Tensor, bool]:
    """As `mask_with_tone`; a change by colour is where its colours are, be they few."""
    tone, compared, start = fit
    if tone.table is not None:
        changed = dilate((start - compared).abs().amax(0) > calibration.grade.visible, px(output, 128))
        return mask | (changed & judged.relevant), True
    return mask_with_tone(start, compared, output, mask, judged, calibration, tone.keeps_detail)


def _transfer(
    source: Tensor,
    output: Tensor,
    start: Tensor,
    mask: Tensor,
    lost: Tensor,
    thresholds: NewContentThresholds,
) -> tuple[Tensor, Tensor, Tensor]:
    """The windows' maps, where to paint (S, S) and the colours to paint with (3, S, S).

    Fitted twice: the second fit leaves out what is to be painted, which would pull at the colours beside it.
    lost: as `new_content_mask` takes it.
    """
    everywhere = torch.ones(source.shape[1:])
    windows = fit_windows(source, output - start, everywhere)
    guess = start + apply_windows(windows, source)
    missed = energy(output - guess, px(source, 128))
    place = new_content_mask(start, guess, output, mask, missed, lost, thresholds)
    signal = (1 - missed.median() / missed.clamp(min=1e-6)).clamp(0, 1)
    painted = guess + signal * (output - guess)
    if bool(place.any()):
        windows = fit_windows(source, output - start, (~place).float())
    return windows, feather(place, px(source, 128)), painted


def _window_trust(left: Tensor, windows: Tensor, source: Tensor, thresholds: ToneThresholds) -> Tensor:
    """Weight of the windows in what a tone has left over, (S, S), 0 to 1.

    The tone has explained the edit; windows that explain little of the rest only follow the model's noise.
    """
    radius = px(left, 32)
    still_left = energy(left - apply_windows(windows, source), radius)
    share = still_left / energy(left, radius).clamp(min=1)
    return smooth((1 - share / thresholds.window_share).clamp(0, 1)[None], radius)[0]


def _active(tone: Tone, difference: Tensor, painting: Tensor, unmoved: tuple[float, float]) -> Tensor:
    """Where the edit does anything, (S, S) in 0 to 1: exactly 0 in places that stay, with all that is nearby.

    difference: (3, S, S), what was painted against the picture. A sharper or softer picture keeps its levels.
    """
    reach = px(difference, 64)
    if tone.where is not None:
        return feather(tone.where, px(difference, 160))
    if not tone.keeps_detail:
        return torch.ones(())
    strength = smooth(difference, px(difference, 40)).abs().amax(0)
    noise = TIMES_FLOOR * float(torch.quantile(strength.flatten(), FLOOR))
    moved = strength > min(max(noise, unmoved[0]), unmoved[1])
    return torch.maximum(feather(dilate(moved, reach), reach), painting)


def _visible_change(change: Tensor, halo: float) -> Tensor:
    """How much of a local change (3, S, S) is more than a halo, 0 to 1."""
    strength = smooth(change, px(change, 256)).abs().amax(0, keepdim=True)
    return (local_max(strength, px(change, 256))[0] / halo - 1).clamp(0, 1)


def _with_moved_objects(
    objects: Sequence[MovedObject], painting: Tensor, show: Tensor
) -> tuple[Tensor, Tensor]:
    """Where to paint and what to show, with the whole of every object that moved."""
    for one in objects:
        painting, show = (torch.maximum(maps, one.trust) for maps in (painting, show))
    return painting, show
