"""Where the edit is: what differs in the small pair, and how strongly the instruction spoke there."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mgie_engine.restore.planes import dilate, feather, joined, px, smooth
from mgie_engine.restore.tones import Tone

SURE = 12.0  # smoothed difference, levels, that is an edit for certain
MAYBE = 5.0  # … that belongs to an edit when it touches one that is certain
BROAD = 1.5  # … that is an edit when a whole neighbourhood agrees on it
SURE_DETAIL, MAYBE_DETAIL = 24.0, 14.0  # root mean square difference: detail added or lost, mean unchanged
DETAIL_COUNTS = 0.1  # of detail, when a tone is compared with no tone; the model's noise is detail too
SPEAKS = 0.05  # relevance, in units of the model's prediction, of a place the instruction is about
SILENT = 1e-4  # … below which the instruction had no say at all
STRICT_SHARE = 0.3  # of the strongest relevance: the edge of the mask under keep = strict


def changed(difference: Tensor, relevance: Tensor | None) -> Tensor:
    """Where output and source differ by more than the model's noise, (S, S) bool; difference (3, S, S)."""
    doubt = torch.ones(()) if relevance is None else (1.6 - 0.8 * relevance / SPEAKS).clamp(0.6, 1.6)
    near = _strength(smooth(difference, px(difference, 128)))
    detail = _strength(smooth(difference.square(), px(difference, 64)).sqrt())
    sure = (near > SURE * doubt) | (detail > SURE_DETAIL * doubt)
    maybe = (near > MAYBE * doubt) | (detail > MAYBE_DETAIL * doubt)
    mask = joined(sure, maybe)
    return mask | (_strength(around(difference, ~mask)) > BROAD * doubt)


def around(maps: Tensor, where: Tensor) -> Tensor:
    """Mean of the maps (C, S, S) over what lies in `where` of a wide neighbourhood; 0 if nothing does."""
    weight = where.float()[None]
    radius = px(maps, 11)
    return smooth(maps * weight, radius) / smooth(weight, radius).clamp(min=0.02)


def toned(tone: Tone, source: Tensor, output: Tensor, mask: Tensor) -> tuple[Tensor, bool]:
    """The mask with what the tone explains, and whether the tone is of use at all."""
    shift = tone(source)
    left, before = _energy(output - shift), _energy(output - source)
    if float(left.clamp(max=SURE**2).mean()) > 0.5 * float(before.clamp(max=SURE**2).mean()):
        return mask, False
    moved = _strength(smooth(shift - source, px(source, 64)))
    if tone.changes_detail or float((moved > 1).float().mean()) > 0.7:
        return ~((before < 0.5 * left) & (moved > 3)), True
    return mask | ((moved > BROAD) & (left < 0.5 * before)), True


def allowed(relevance: Tensor | None, strict: bool) -> Tensor | None:
    """Where a change may be shown, (S, S) bool; None where nothing forbids it."""
    if relevance is None:
        return None
    bound = max(SILENT, STRICT_SHARE * float(torch.quantile(relevance.flatten(), 0.99))) if strict else SILENT
    return relevance >= bound


def blend(mask: Tensor, allow: Tensor | None) -> Tensor:
    """How much of the edit to show, (S, S) in 0 to 1; exactly 0 away from the mask and where not allowed."""
    radius = px(mask, 100)
    if allow is None:
        return feather(mask, radius)
    inside = 1 - feather(dilate(~allow, 1), radius)
    return torch.minimum(feather(mask & allow, radius), inside)


def enlarged(relevance: Tensor | np.ndarray, size: int) -> Tensor:
    """The relevance map at the model's pixels, (S, S): each latent a square block."""
    return F.interpolate(torch.as_tensor(relevance).float()[None, None], size=(size, size), mode="nearest")[
        0, 0
    ]


def _strength(maps: Tensor) -> Tensor:
    return maps.square().mean(0).sqrt()


def _energy(maps: Tensor) -> Tensor:
    """Square of what the surroundings agree on, and a share of all the rest, (S, S)."""
    radius = px(maps, 64)
    return (smooth(maps, radius).square() + DETAIL_COUNTS * smooth(maps.square(), radius)).mean(0)
