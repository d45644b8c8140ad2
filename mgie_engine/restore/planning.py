"""The plan of an edit, from the small pictures alone."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mgie_engine.restore.change import allowed, around, blend, changed, enlarged, hear, toned
from mgie_engine.restore.compose import Plan
from mgie_engine.restore.image_ops import energy, feather, highest, px, smooth
from mgie_engine.restore.local_affine import apply_windows, fit_windows
from mgie_engine.restore.moved_objects import Moved, moved
from mgie_engine.restore.new_content import to_paint
from mgie_engine.restore.tone_fit import Tried, fit_tone, no_tone

TINT = 8.0  # most that the colour guard takes back, in levels
LOST = 2.0  # times the energy that the autoencoder or a blur took: the painting has lost as much elsewhere
FAINT = 4.0  # a local change of so many levels is a halo of the edit and not shown; of twice as many it is


def make_plan(
    source: Tensor,
    output: Tensor,
    sharp: Tensor,
    tried: Tried | None,
    relevance: Tensor | np.ndarray | None,
    strict: bool,
) -> Plan:
    """What to do where.

    source: what the model's autoencoder makes of its input `sharp`; tried: of what was tried on that; all
    (3, S, S).
    """
    size = source.shape[-1]
    spoken = None if relevance is None else enlarged(relevance, size)
    heard = hear(spoken)
    mask = changed(source, output, heard)
    tone, compared, start = fit_tone(source, output, sharp, tried)
    mask, tonal = toned(start, compared, output, mask, heard, keeps_detail=tone.detail == "as it was")
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
        windows = windows * _worth(output - start, windows, source)
    show = blend(mask, allowed(spoken, strict))
    things: tuple[Moved, ...] = ()
    if not tonal:
        shown = torch.lerp(apply_windows(windows, source), painted - source, painting)
        things = tuple(moved(source, output, mask & (painting > 0.5)))
        painting, show = _with_things(things, painting, show * _counts(shown))
    return Plan(tone.curves, windows + tone.as_windows(), painted, painting, show, things)


def _transfer(
    source: Tensor, output: Tensor, start: Tensor, mask: Tensor, lost: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The windows' maps, where to paint (S, S) and the colours to paint with (3, S, S).

    Fitted, judged, and fitted again without what is to be painted. lost: as `to_paint` takes it.
    """
    everywhere = torch.ones(source.shape[1:])
    windows = fit_windows(source, output - start, everywhere)
    guess = start + apply_windows(windows, source)
    missed = energy(output - guess, px(source, 128))
    place = to_paint(start, guess, output, mask, missed, lost)
    signal = (1 - missed.median() / missed.clamp(min=1e-6)).clamp(0, 1)
    painted = guess + signal * (output - guess)
    if bool(place.any()):
        windows = fit_windows(source, output - start, (~place).float())
    return windows, feather(place, px(source, 128)), painted


def _worth(left: Tensor, windows: Tensor, source: Tensor) -> Tensor:
    """How far to believe the windows in what a tone has left over, (S, S), 0 to 1.

    The tone has told the edit; windows that explain less than half of the rest only follow the model's noise.
    """
    radius = px(left, 32)
    still_left = energy(left - apply_windows(windows, source), radius)
    share = still_left / energy(left, radius).clamp(min=1)
    return smooth((1 - 2 * share).clamp(0, 1)[None], radius)[0]


def _counts(change: Tensor) -> Tensor:
    """How much of a local change (3, S, S) is more than a halo, 0 to 1."""
    strength = smooth(change, px(change, 256)).abs().amax(0, keepdim=True)
    return (highest(strength, px(change, 256))[0] / FAINT - 1).clamp(0, 1)


def _with_things(things: Sequence[Moved], painting: Tensor, show: Tensor) -> tuple[Tensor, Tensor]:
    """Where to paint and what to show, with the things that moved whole."""
    for thing in things:
        painting, show = (torch.maximum(maps, thing.trust) for maps in (painting, show))
    return painting, show
