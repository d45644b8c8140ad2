"""The plan of an edit, from the small pictures alone."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mgie_engine.restore.change import (
    allowed_mask,
    around,
    blend_weights,
    change_mask,
    enlarge_relevance,
    mask_with_tone,
    measure_relevance,
)
from mgie_engine.restore.compose import RestorePlan
from mgie_engine.restore.image_ops import energy, feather, local_max, px, smooth
from mgie_engine.restore.local_affine import apply_windows, fit_windows
from mgie_engine.restore.moved_objects import MovedObject, find_moved_objects
from mgie_engine.restore.new_content import new_content_mask
from mgie_engine.restore.tone_fit import ProbeOutcome, fit_tone, no_tone

TINT = 8.0  # most that the colour guard takes back, in levels
LOST = 2.0  # times the energy that the autoencoder or a blur took: the painting has lost as much elsewhere
FAINT = 4.0  # a local change of so many levels is a halo of the edit and not shown; of twice as many it is


def plan_restore(
    source: Tensor,
    output: Tensor,
    sharp: Tensor,
    probed: ProbeOutcome | None,
    relevance: Tensor | np.ndarray | None,
    strict: bool,
) -> RestorePlan:
    """What to do where.

    source: what the model's autoencoder makes of its input `sharp`; probed: of what was tried on that; all
    (3, S, S).
    """
    size = source.shape[-1]
    spoken = None if relevance is None else enlarge_relevance(relevance, size)
    heard = measure_relevance(spoken)
    mask = change_mask(source, output, heard)
    tone, compared, start = fit_tone(source, output, sharp, probed)
    mask, tonal = mask_with_tone(
        start, compared, output, mask, heard, keeps_detail=tone.detail == "as it was"
    )
    lost = torch.zeros(())
    if tonal:
        source = compared
        crisp = sharp if tone.detail == "softer" else tone(sharp)
        lost = LOST * energy(crisp - start, px(source, 128))
    else:
        tone, start = no_tone(size), source
        output = output - around(output - source, ~mask).clamp(-TINT, TINT)
    windows, painting, painted = _transfer(source, output, start, mask, lost)
    if tonal:
        windows = windows * _window_trust(output - start, windows, source)
    show = blend_weights(mask, allowed_mask(spoken, strict))
    things: tuple[MovedObject, ...] = ()
    if not tonal:
        shown = torch.lerp(apply_windows(windows, source), painted - source, painting)
        things = tuple(find_moved_objects(source, output, mask & (painting > 0.5)))
        painting, show = _with_moved_objects(things, painting, show * _visible_change(shown))
    return RestorePlan(tone.curves, windows + tone.as_windows(), painted, painting, show, things)


def _transfer(
    source: Tensor, output: Tensor, start: Tensor, mask: Tensor, lost: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The windows' maps, where to paint (S, S) and the colours to paint with (3, S, S).

    Fitted, judged, and fitted again without what is to be painted. lost: as `new_content_mask` takes it.
    """
    everywhere = torch.ones(source.shape[1:])
    windows = fit_windows(source, output - start, everywhere)
    guess = start + apply_windows(windows, source)
    missed = energy(output - guess, px(source, 128))
    place = new_content_mask(start, guess, output, mask, missed, lost)
    signal = (1 - missed.median() / missed.clamp(min=1e-6)).clamp(0, 1)
    painted = guess + signal * (output - guess)
    if bool(place.any()):
        windows = fit_windows(source, output - start, (~place).float())
    return windows, feather(place, px(source, 128)), painted


def _window_trust(left: Tensor, windows: Tensor, source: Tensor) -> Tensor:
    """How far to believe the windows in what a tone has left over, (S, S), 0 to 1.

    The tone has told the edit; windows that explain less than half of the rest only follow the model's noise.
    """
    radius = px(left, 32)
    still_left = energy(left - apply_windows(windows, source), radius)
    share = still_left / energy(left, radius).clamp(min=1)
    return smooth((1 - 2 * share).clamp(0, 1)[None], radius)[0]


def _visible_change(change: Tensor) -> Tensor:
    """How much of a local change (3, S, S) is more than a halo, 0 to 1."""
    strength = smooth(change, px(change, 256)).abs().amax(0, keepdim=True)
    return (local_max(strength, px(change, 256))[0] / FAINT - 1).clamp(0, 1)


def _with_moved_objects(
    things: Sequence[MovedObject], painting: Tensor, show: Tensor
) -> tuple[Tensor, Tensor]:
    """Where to paint and what to show, with the things that moved whole."""
    for thing in things:
        painting, show = (torch.maximum(maps, thing.trust) for maps in (painting, show))
    return painting, show
