"""The plan of an edit, from the small pictures alone."""

import numpy as np
import torch
from torch import Tensor

from mgie_engine.restore.change import allowed, around, blend, changed, enlarged, toned
from mgie_engine.restore.planes import joined, smooth
from mgie_engine.restore.render import Plan
from mgie_engine.restore.tones import fit_tone, no_tone
from mgie_engine.restore.windows import apply_windows, fit_windows

UNEXPLAINED = 9.0  # what the fitted colours may miss, in levels, before painted pixels are better
MISSED = 4.5  # … next to such a place
TINT = 8.0  # most that the colour guard takes back, in levels


def make_plan(
    source: Tensor, output: Tensor, sharp: Tensor, relevance: Tensor | np.ndarray | None, strict: bool
) -> Plan:
    """What to do where. source: what the model's autoencoder makes of its input `sharp`; all (3, S, S)."""
    size = source.shape[-1]
    spoken = None if relevance is None else enlarged(relevance, size)
    mask = changed(output - source, spoken)
    everywhere = torch.ones(size, size)
    tone = fit_tone(source, output, sharp, everywhere)
    mask, tonal = toned(tone, source, output, mask)
    tone = tone if tonal else no_tone(size)
    output = output - around(output - source, ~mask).clamp(-TINT, TINT) * bool((~mask).float().mean() > 0.05)
    windows, painting = _transfer(source, output, tone(source), mask)
    affine = windows + torch.cat(
        [torch.diag_embed(tone.gain.permute(1, 2, 0)).permute(2, 3, 0, 1).flatten(0, 1), tone.offset]
    )
    return Plan(tone.curves, affine, output, painting, blend(mask, allowed(spoken, strict)))


def _transfer(source: Tensor, output: Tensor, start: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The windows' maps, and how much to paint (S, S): fitted, judged, fitted again without what is painted."""
    weight = torch.ones(source.shape[1:])
    for _ in range(2):
        windows = fit_windows(source, output - start, weight)
        painting = _painting(output - start - apply_windows(windows, source), mask)
        weight = 1 - painting
    return windows, painting


def _painting(left: Tensor, mask: Tensor) -> Tensor:
    """0 where the fitted colours say it all, 1 where they miss what was painted (S, S)."""
    size = left.shape[-1]
    energy = smooth(left.square().mean(0, keepdim=True), max(1, round(size / 128)))[0]
    noise = float(energy.median())
    sure = energy > max(UNEXPLAINED**2, 6 * noise)
    maybe = energy > max(MISSED**2, 2 * noise)
    place = joined(sure & mask, maybe & mask)
    return place * (1 - noise / energy.clamp(min=1e-6)).clamp(0, 1)
