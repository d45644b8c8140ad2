"""One change of tone for the whole picture, fitted on the small pair and exact at any size.

An output channel is the input plus three free curves (one per input channel), plus a gain and an offset that
vary smoothly over the picture (a vignette), plus a share of two bands of detail (sharpen, blur). Fitted by
iteratively reweighted least squares, so that things that were painted anew do not pull at it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mgie_engine.restore.planes import smooth

KNOTS = 17  # of each curve, closer together in the shadows, where gamma bends most
STIFFNESS = 1e-2  # weight of the curves' second differences
TIE = 1e-6  # weight of everything's size: what the picture does not show stays as it was
ROUNDS = 5  # of reweighting
FIT_SIZE = 128  # the fit looks at about this many pixels per side


@dataclass(frozen=True, slots=True)
class Tone:
    """output = clip(input + curves(input) + gain · input + offset), the last two as maps."""

    curves: Tensor  # (3 in, 256, 3 out): what an input level adds to each output channel
    gain: Tensor  # (3, S, S), per channel
    offset: Tensor  # (3, S, S)

    def __call__(self, source: Tensor) -> Tensor:
        """The tone of (3, S, S) levels, clipped."""
        added = self.gain * source + self.offset
        for levels, curve in zip(source.round().long().clamp(0, 255), self.curves, strict=True):
            added = added + curve[levels].permute(2, 0, 1)
        return (source + added).clamp(0, 255)


def no_tone(size: int) -> Tone:
    """The tone that changes nothing."""
    flat = torch.zeros(3, size, size)
    return Tone(torch.zeros(3, 256, 3), flat, flat)


def fit_tone(source: Tensor, output: Tensor, sharp: Tensor, weight: Tensor) -> Tone:
    """The tone that takes source to output, both (3, S, S); weight (S, S) says where to look.

    sharp: (3, S, S), the picture whose detail is added or taken away; its blur stands in for that of the
    full-size original.
    """
    size = source.shape[-1]
    blurs = [smooth(sharp, max(1, round(size * width))) for width in DETAIL_WIDTHS]
    places = _places(size)
    shrunk = [_thin(maps) for maps in (source, output, weight[None], places)]
    details = [_thin(source - smooth(source, max(1, round(size * width)))) for width in DETAIL_WIDTHS]
    solved = _solve(*shrunk, details)
    curves = torch.stack([_HATS @ solved[k * KNOTS : (k + 1) * KNOTS] for k in range(3)])
    rest = solved[3 * KNOTS :].T.float()  # (3, ...)
    count = len(places)
    offset = torch.einsum("cj,jyx->cyx", rest[:, :count], places)
    gain = torch.einsum("cj,jyx->cyx", rest[:, count : 2 * count], places) / 128
    for share, blurred in zip(rest[:, 2 * count :].T, blurs, strict=True):
        gain = gain + share[:, None, None]
        offset = offset - share[:, None, None] * blurred
    return Tone(curves.float(), gain, offset)


def _solve(source: Tensor, output: Tensor, weight: Tensor, places: Tensor, details: list[Tensor]) -> Tensor:
    """Coefficients (features, 3 out), float64."""
    before, after = source.flatten(1).double(), output.flatten(1).double()
    hats = torch.cat([_HATS[levels] for levels in before.round().long().clamp(0, 255)], 1)
    spots = places.flatten(1).T.double()
    features = [
        torch.cat(
            [
                hats,
                spots,
                spots * before[c, :, None] / 128,
                *(d[c].flatten()[:, None].double() for d in details),
            ],
            1,
        )
        for c in range(3)
    ]
    stiff = len(features[0].T), weight.sum().clamp(min=1).double()
    penalty = _penalty(*stiff)
    trust = weight.flatten().double().expand(3, -1)
    for _ in range(ROUNDS):
        solved = torch.stack(
            [_ridge(f, t, a - b, penalty) for f, t, a, b in zip(features, trust, after, before, strict=True)]
        )
        guess = before + torch.stack([f @ s for f, s in zip(features, solved, strict=True)])
        miss = (after - guess.clamp(0, 255)).square().mean(0).sqrt()
        scale = 3 * miss[weight.flatten() > 0].median().clamp(min=0.7)
        clipped = ((guess < 0) & (after < 2)) | ((guess > 255) & (after > 253))
        trust = weight.flatten() / (1 + (miss / scale) ** 2) * ~clipped
    return solved.T


def _ridge(features: Tensor, trust: Tensor, target: Tensor, penalty: Tensor) -> Tensor:
    weighted = features * trust[:, None]
    return torch.linalg.solve(weighted.T @ features + penalty, weighted.T @ target)


def _penalty(count: int, weight: Tensor) -> Tensor:
    bend = torch.zeros(KNOTS - 2, KNOTS, dtype=torch.float64)
    for i in range(KNOTS - 2):
        left, right = _KNOTS[i + 1] - _KNOTS[i], _KNOTS[i + 2] - _KNOTS[i + 1]
        near = (left + right) / 2 / 16
        bend[i, i : i + 3] = torch.tensor([1 / left, -1 / left - 1 / right, 1 / right]) * 16 * near**0.5
    whole = torch.eye(count, dtype=torch.float64) * TIE
    for k in range(3):
        part = slice(k * KNOTS, (k + 1) * KNOTS)
        whole[part, part] += STIFFNESS * bend.T @ bend
    return whole * weight


def _places(size: int) -> Tensor:
    """Smooth maps over the picture, (6, S, S): planes, quadrics, and the fourth power of the radius."""
    at = (torch.arange(size) + 0.5) / size * 2 - 1
    x, y = at.expand(size, size), at[:, None].expand(size, size)
    return torch.stack([x, y, x * x, x * y, y * y, (x * x + y * y) ** 2])


def _thin(maps: Tensor) -> Tensor:
    stride = max(1, maps.shape[-1] // FIT_SIZE)
    return maps[:, ::stride, ::stride]


DETAIL_WIDTHS = (1 / 256, 1 / 100)  # box radii of the bands of detail, in picture widths
_KNOTS = 255 * torch.linspace(0, 1, KNOTS, dtype=torch.float64) ** 1.5


def _hats() -> Tensor:
    """Linear interpolation between the knots, (256 levels, KNOTS)."""
    levels = torch.arange(256, dtype=torch.float64)
    right = torch.searchsorted(_KNOTS, levels).clamp(1, KNOTS - 1)
    share = (levels - _KNOTS[right - 1]) / (_KNOTS[right] - _KNOTS[right - 1])
    table = torch.zeros(256, KNOTS, dtype=torch.float64)
    table[torch.arange(256), right - 1] = 1 - share
    table[torch.arange(256), right] = share
    return table


_HATS = _hats()
