"""A change of colour by colour, told from a change of tone and from things that came or went."""

import torch
from torch import Tensor

from mgie_engine.restore.calibration import GradeThresholds
from mgie_engine.restore.colour_table import apply_table, fit_table
from mgie_engine.restore.image_ops import px, shared_detail, smooth
from mgie_engine.restore.local_affine import apply_windows, fit_windows
from mgie_engine.restore.region_masks import luma
from mgie_engine.restore.tone_fit import Tone, ToneFit


def grade_by_colour(
    source: Tensor, output: Tensor, sharp: Tensor, tone: ToneFit, thresholds: GradeThresholds
) -> ToneFit | None:
    """The change by colour that takes source to output, all (3, S, S); None where another change is likelier.

    sharp: the colours before the autoencoder, which the table is asked for; its errors are in source and
    output, and cancel. tone: the change of tone, which is preferred.
    """
    difference = output - source
    before, left_by_tone = broad_error(difference), broad_error(output - tone.start)
    if left_by_tone < max(thresholds.least**2, thresholds.left_by_tone * before):
        return None
    table = fit_table(sharp, difference)
    added = apply_table(table, sharp)
    left = broad_error(difference - added)
    if left > min(thresholds.left_over * before, thresholds.better * left_by_tone):
        return None
    if _kept_detail(source, output, added, thresholds) < thresholds.kept_detail:
        return None
    windows = fit_windows(source, difference, torch.ones(source.shape[1:]))
    is_small = float((added.abs().amax(0) > thresholds.strong).float().mean()) < thresholds.small
    most = thresholds.by_windows_small if is_small else thresholds.by_windows
    if left > most * broad_error(difference - apply_windows(windows, source)):
        return None
    flat = torch.zeros_like(source)
    grade = Tone(torch.zeros(3, 256, 3), flat, flat, table=table)
    return ToneFit(grade, source, (source + added).clamp(0, 255))


def broad_error(difference: Tensor) -> float:
    """Mean square of a difference (3, S, S) without the finest detail, where painting is mostly noise."""
    return float(smooth(difference, px(difference, 256)).square().mean())


def _kept_detail(source: Tensor, output: Tensor, added: Tensor, thresholds: GradeThresholds) -> float:
    """Share of the detail of lightness that stays where something changes: the lower quartile of windows."""
    strength, shared = shared_detail(luma(source[None])[0], luma(output[None])[0])
    there = (strength > 1) & (added.abs().amax(0) > thresholds.strong)
    return float((shared / strength)[there].quantile(0.25)) if bool(there.any()) else 1.0
