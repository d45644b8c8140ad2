"""A change of tone of a part that the expressive instruction names, exact inside and nothing outside.

The language model says which part ("The left half gets darker. The rest stays."), the painting shows the
tone. Where the part follows from the picture alone, its mask is known exactly, so the tone is fitted on what
lies inside and carried out under the mask at full size.
"""

import torch
from torch import Tensor

from mgie_engine.restore.calibration import ToneThresholds
from mgie_engine.restore.compose import RestorePlan
from mgie_engine.restore.region_masks import region_weights
from mgie_engine.restore.tone_fit import fit_tone_of_part

INSIDE = 0.5  # weight from which the painting tells the tone: below, noise would be divided by little
LEAST_INSIDE = 0.005  # share of the picture that must lie inside
NOISE = 36.0  # squared levels that a fit may leave of any painting


def plan_part_tone(
    source: Tensor, output: Tensor, sharp: Tensor, name: str, thresholds: ToneThresholds, degree: float = 1.0
) -> RestorePlan | None:
    """The tone that takes source to output inside the region of that name; all (3, S, S).

    Its `blend` says where the region is. None where no tone explains the painting, or hardly anything lies
    inside.
    """
    pixels = sharp.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    weights = region_weights(name, pixels)
    inside = (weights > INSIDE).float()
    if float(inside.mean()) < LEAST_INSIDE:
        return None
    whole = source + (output - source) / weights.clamp(min=INSIDE)
    tone = fit_tone_of_part(source, whole, sharp, inside)
    left, before = (_error(whole, guess, inside) for guess in (tone(source), source))
    if left > max(thresholds.left_over * before, NOISE):
        return None
    tone, nothing = tone.scaled(degree), torch.zeros_like(weights)
    return RestorePlan(tone.curves, tone.as_windows(), source, nothing, weights)


def _error(painted: Tensor, guess: Tensor, inside: Tensor) -> float:
    """The mean squared difference of (3, S, S) levels inside (S, S)."""
    return float(((painted - guess).square().mean(0) * inside).sum() / inside.sum())
