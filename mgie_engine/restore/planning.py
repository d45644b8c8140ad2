"""The plan of an edit, from the small pictures alone."""

import numpy as np
import torch
from torch import Tensor

from mgie_engine.restore.change import allowed, around, blend, changed, enlarged, toned
from mgie_engine.restore.planes import feather, joined, px, smooth, variance
from mgie_engine.restore.render import Plan
from mgie_engine.restore.tones import fit_tone, no_tone
from mgie_engine.restore.windows import apply_windows, fit_windows

UNEXPLAINED = 9.0  # what the fitted colours may miss, in levels, before painted pixels are better
MISSED = 4.5  # … next to such a place
# Shares of the local variance that a true change of colour misses at edges and in texture
MISSED_BY_TONES, MISSED_BY_WINDOWS = 0.1, 0.3
SOMETHING = 6.0  # contrast, in levels, that is more than noise
LEFT_OF_IT = 0.1  # share of the variance
TINT = 8.0  # most that the colour guard takes back, in levels


def make_plan(
    source: Tensor, output: Tensor, sharp: Tensor, relevance: Tensor | np.ndarray | None, strict: bool
) -> Plan:
    """What to do where. source: what the model's autoencoder makes of its input `sharp`; all (3, S, S)."""
    size = source.shape[-1]
    spoken = None if relevance is None else enlarged(relevance, size)
    mask = changed(source, output, spoken)
    tone = fit_tone(source, output, sharp)
    mask, tonal = toned(tone, source, output, mask, spoken)
    if not tonal:
        tone = no_tone(size)
        output = output - around(output - source, ~mask).clamp(-TINT, TINT)
    blurred = MISSED_BY_TONES if tonal else MISSED_BY_WINDOWS
    windows, painting, painted = _transfer(source, output, tone(source), mask, blurred)
    affine = windows + tone.as_windows()
    return Plan(tone.curves, affine, painted, painting, blend(mask, allowed(spoken, strict)))


def _transfer(
    source: Tensor, output: Tensor, start: Tensor, mask: Tensor, blurred: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The windows' maps, where to paint (S, S) and the colours to paint with (3, S, S).

    Fitted, judged, and fitted again without what is to be painted. blurred: the share of the local variance
    that even a true change of colour misses.
    """
    everywhere = torch.ones(source.shape[1:])
    windows = fit_windows(source, output - start, everywhere)
    guess = start + apply_windows(windows, source)
    energy = smooth((output - guess).square().mean(0, keepdim=True), px(source, 128))[0]
    noise = energy.median()
    expected = noise + blurred * variance(start, px(start, 128))
    place = mask & (_unexplained(energy, expected) | _erased(start, guess))
    painted = guess + (1 - noise / energy.clamp(min=1e-6)).clamp(0, 1) * (output - guess)
    if bool(place.any()):
        windows = fit_windows(source, output - start, (~place).float())
    return windows, feather(place, px(source, 128)), painted


def _unexplained(energy: Tensor, expected: Tensor) -> Tensor:
    sure = energy > (6 * expected).clamp(min=UNEXPLAINED**2)
    return joined(sure, energy > (2 * expected).clamp(min=MISSED**2))


def _erased(start: Tensor, guess: Tensor) -> Tensor:
    """Where there was something and next to nothing is left of it: its traces must not shine through."""
    reach = px(start, 40)
    before, after = (variance(maps, reach) for maps in (start, guess))
    return (before > SOMETHING**2) & (after < LEFT_OF_IT * before)
