"""One change of tone for the whole picture, fitted on the small pair and exact at any size.

An output channel is the input plus three free curves (one per input channel), plus a gain and an offset that
vary smoothly over the picture (a vignette), plus a share of detail (sharpen, blur): of two bands, or of what
a sharpening probe shows. Fitted by iteratively reweighted least squares, so that new objects do not bias the
fit.
"""

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from mgie_engine.restore.calibration import ToneThresholds
from mgie_engine.restore.colour_table import apply_table
from mgie_engine.restore.image_ops import energy, gaussian, outside_range, px, shared_detail, smooth
from mgie_engine.restore.sharpening import soft

KNOTS = 17  # of each curve, closer together in the shadows, where gamma bends most
STIFFNESS = 1e-2  # weight of the curves' second differences
TIE = 1e-6  # weight of the size of all coefficients: levels that the picture lacks stay unchanged
ROUNDS = 5  # of reweighting; later ones move nothing
FIT_SIZE = 128  # the fit looks at about this many pixels per side
DETAIL_WIDTHS = (256, 100)  # box radii of the blurs that separate the bands of detail, per picture width
# The fine band alone decides nothing: models are soft, lose up to 0.15 of both bands, and some of the fine
# one where they sharpen. So the thresholds in `calibration.py` are for the coarse band.
LEAST_BLUR = 1 / 512  # sigma of a blur, in picture widths
BLUR_STEPS = 32  # of 8 % each, from the least blur to 1/47
MIXED = 0.02  # weight of pixels that may stand for clipped and unclipped ones of the original
MIDDLE = 128.0  # a level, to bring gains and offsets to one scale
EVEN_GAP = 255 / (KNOTS - 1)


@dataclass(frozen=True, slots=True)
class Tone:
    """output = clip(input + curves(input) + gain · input + offset), the last two as maps."""

    curves: Tensor  # (3 in, 256, 3 out): what an input level adds to each output channel
    gain: Tensor  # (3, S, S), per channel
    offset: Tensor  # (3, S, S)
    detail: Literal["as it was", "sharper", "softer"] = "as it was"
    where: Tensor | None = None  # (S, S) bool, outside of which it does nothing
    table: Tensor | None = None  # what it adds by colour, see `colour_table.py`

    def __call__(self, source: Tensor) -> Tensor:
        """The tone of (3, S, S) levels, clipped."""
        added = self.gain * source + self.offset
        for levels, curve in zip(source.round().long().clamp(0, 255), self.curves, strict=True):
            added = added + curve[levels].permute(2, 0, 1)
        if self.table is not None:
            added = added + apply_table(self.table, source)
        return (source + added).clamp(0, 255)

    @property
    def keeps_detail(self) -> bool:
        """Whether it neither sharpens nor blurs."""
        return self.detail == "as it was"

    def possible(self, degree: float) -> float:
        """The factor by which the tone can be made stronger: a blur is no stronger than whole."""
        return min(degree, 1.0) if self.detail == "softer" else degree

    def scaled(self, degree: float) -> "Tone":
        """The tone to a degree: 0 changes nothing, 1 is the tone itself, 2 twice its change."""
        factor = self.possible(degree)
        return replace(
            self,
            curves=self.curves * factor,
            gain=self.gain * factor,
            offset=self.offset * factor,
            table=None if self.table is None else self.table * factor,
        )

    def as_windows(self) -> Tensor:
        """Gain and offset as maps (12, S, S): the added red, green and blue per input channel, the offset."""
        slopes = torch.zeros(3, *self.gain.shape)
        slopes[range(3), range(3)] = self.gain
        return torch.cat([slopes.flatten(0, 1), self.offset])


ProbeKind = Literal["sharper", "more contrast"]


class ProbeOutcome(NamedTuple):
    """The supposed edit, and the picture (3, S, S) under it as the autoencoder returns it."""

    kind: ProbeKind
    through: Tensor


class ToneFit(NamedTuple):
    """A tone, and the small pictures to judge it by."""

    tone: Tone
    compared: Tensor  # (3, S, S), what the output is compared with
    start: Tensor  # (3, S, S), what the tone makes of that


def no_tone(size: int) -> Tone:
    """The tone that changes nothing."""
    flat = torch.zeros(3, size, size)
    return Tone(torch.zeros(3, 256, 3), flat, flat)


def fit_tone(
    source: Tensor,
    output: Tensor,
    sharp: Tensor,
    thresholds: ToneThresholds,
    probed: ProbeOutcome | None = None,
) -> ToneFit:
    """The tone that takes source to output, both (3, S, S).

    sharp: (3, S, S), what the full-size original looks like when shrunk; its blur stands in for the
    original's where detail is added or taken away. A softer picture is compared with `sharp` altogether: an
    autoencoder loses nothing of what is soft, so its errors are not in both pictures. probed: `sharp` under
    the tone that was fitted without a probe, or sharpened by 1, through the autoencoder.
    """
    if probed and probed.kind == "sharper":
        sharper = _sharper(source, output, sharp, probed.through, thresholds)
        if sharper is not None:
            return sharper
    fitted = _by_bands(source, output, sharp, thresholds)
    if probed and probed.kind == "more contrast" and fitted.tone.detail == "as it was":
        return _refit_after_probe(fitted.tone, source, output, sharp, probed.through)
    return fitted


def explains_painting(fit: ToneFit, source: Tensor, output: Tensor, thresholds: ToneThresholds) -> bool:
    """Whether a tone takes source to output, both (3, S, S), and not something that came or went.

    A tone keeps detail, and a painting without rain has lost it over sky and ground. A blur spreads raindrops
    and snowflakes but does not remove them: a painting that shows none leaves the range of the levels nearby,
    which a blur never does. The autoencoder loses nearly all of a sharpening, so its amount (`_sharper`) says
    more than the error that is left.
    """
    if fit.tone.detail == "sharper":
        return True
    is_blur = fit.tone.detail == "softer"
    left, before = (float((output - guess).square().mean()) for guess in (fit.start, source))
    if left > (thresholds.left_over_blur if is_blur else thresholds.left_over) * before:
        return False
    if not is_blur:
        return _kept_detail(fit.start, output) > thresholds.kept_detail
    left, before = (_share_outside(output, guess, thresholds.outside) for guess in (fit.start, source))
    return left <= thresholds.left_outside * before


def _kept_detail(start: Tensor, output: Tensor) -> float:
    """Share of the detail of start that output shows, both (3, S, S): the lower quartile of soft windows."""
    strength, shared = shared_detail(start, output)
    shown = strength > 1  # a square of levels: below, there is hardly any detail
    return float((shared / strength)[shown].quantile(0.25)) if bool(shown.any()) else 1.0


def _share_outside(output: Tensor, guess: Tensor, level: float) -> float:
    """Share of the pixels where either picture leaves the range of the other nearby by more than `level`."""
    off = energy(outside_range(output, guess, px(output, 128)), px(output, 256))
    return float((off > level**2).float().mean())


def _sharper(
    source: Tensor, output: Tensor, sharp: Tensor, through: Tensor, thresholds: ToneThresholds
) -> ToneFit | None:
    """Sharpening by the share of the probe's change that was painted; None where that is hardly any."""
    tone, shares = _fit(source, output, sharp, [through - source])
    amount = float(shares.mean())
    if amount <= thresholds.sharpened or not _is_still(tone, source, thresholds.still):
        return None
    start = (tone(source) + amount * (through - source)).clamp(0, 255)
    gain, offset = tone.gain + amount, tone.offset - amount * soft(sharp)
    return ToneFit(Tone(tone.curves, gain, offset, "sharper"), source, start)


def _refit_after_probe(
    first: Tone, source: Tensor, output: Tensor, sharp: Tensor, through: Tensor
) -> ToneFit:
    """The tone fitted again, without what the autoencoder loses of the first one."""
    lost = through - first(source)
    tone, _ = _fit(source, output - lost, sharp, _bands(source))
    return ToneFit(tone, source, (tone(source) + lost).clamp(0, 255))


def _by_bands(source: Tensor, output: Tensor, sharp: Tensor, thresholds: ToneThresholds) -> ToneFit:
    """The tone without a probe: two bands of detail decide whether it became sharper or softer."""
    tone, shares = _fit(source, output, sharp, _bands(source))
    fine, coarse = shares.mean(1).tolist()
    is_still = _is_still(tone, source, thresholds.still)
    if coarse > thresholds.moving or (coarse > thresholds.sharpens and is_still):
        tone = _with_detail(tone, torch.stack([shares[0].clamp(min=0), shares[1]]), sharp, "sharper")
        return ToneFit(tone, source, tone(source))
    softened = coarse + thresholds.mixed_up * max(fine, 0)
    if (softened < thresholds.blurs or fine + coarse < thresholds.blurs_both) and is_still:
        return _blurred(output, sharp)
    if softened < -thresholds.moving:
        tone, (fines, coarses) = _fit(sharp, output, sharp, _bands(sharp))
        coarses = coarses.clamp(-1, 0)
        fines = torch.maximum(fines.clamp(max=0), -1 - coarses)
        tone = _with_detail(tone, torch.stack([fines, coarses]), sharp, "softer")
        return ToneFit(tone, sharp, tone(sharp))
    return ToneFit(tone, source, tone(source))


def _blurred(output: Tensor, sharp: Tensor) -> ToneFit:
    """The Gaussian blur that takes sharp closest to output, both (3, S, S), without the model's tint."""

    def blurred(step: int) -> Tensor:
        return gaussian(sharp, sharp.shape[-1] * LEAST_BLUR * 1.08**step)

    def miss(step: int) -> float:
        return float((output - blurred(step)).square().mean())

    near = min(range(0, BLUR_STEPS, 4), key=miss)
    blur = blurred(min(range(near - 3, near + 4), key=miss))
    tinted, _ = _fit(blur, output, blur, _bands(blur))
    return ToneFit(Tone(torch.zeros(3, 256, 3), -torch.ones_like(blur), blur, "softer"), sharp, tinted(blur))


def _bands(source: Tensor) -> list[Tensor]:
    return [source - smooth(source, px(source, width)) for width in DETAIL_WIDTHS]


def _is_still(tone: Tone, source: Tensor, still: float) -> bool:
    """Whether a tone moves the levels of source (3, S, S) by less than `still`, root mean square."""
    return bool(smooth(tone(source) - source, px(source, 64)).square().mean().sqrt() < still)


def _with_detail(tone: Tone, shares: Tensor, sharp: Tensor, detail: Literal["sharper", "softer"]) -> Tone:
    """The tone with a share (2 bands, 3 channels) of the detail added."""
    gain, offset = tone.gain, tone.offset
    for width, share in zip(DETAIL_WIDTHS, shares[..., None, None], strict=True):
        gain = gain + share
        offset = offset - share * smooth(sharp, px(sharp, width))
    return Tone(tone.curves, gain, offset, detail)


def fit_tone_of_part(source: Tensor, output: Tensor, sharp: Tensor, weights: Tensor) -> Tone:
    """The tone, without its detail, of the places (S, S) that count by their weights, 0 to 1."""
    return _fit(source, output, sharp, _bands(source), weights)[0]


def _fit(
    source: Tensor, output: Tensor, sharp: Tensor, details: list[Tensor], weights: Tensor | None = None
) -> tuple[Tone, Tensor]:
    """A tone that leaves detail as it is, and beside it the shares (D, 3 channels) of the D `details`."""
    places = _position_basis(source.shape[-1])
    spread = (smooth(sharp.square(), 1) - smooth(sharp, 1).square()).clamp(min=0).sqrt()
    before, after, spread, *shown = [_subsample(maps) for maps in (source, output, spread, places, *details)]
    features = _features(before, shown[0], shown[1:])
    counts = None if weights is None else _subsample(weights[None]).flatten()
    solved = _solve(features, before.flatten(1), after.flatten(1), spread.flatten(1) / 2, counts)
    curves, lift, tilt, detail = torch.split(
        solved, [3 * KNOTS, len(places), len(places), len(details)], dim=1
    )
    gain = torch.einsum("cj,jyx->cyx", tilt, places) / MIDDLE
    offset = torch.einsum("cj,jyx->cyx", lift, places)
    added = torch.stack([_hat_basis() @ curve.T for curve in curves.chunk(3, dim=1)])
    return Tone(added, gain, offset), detail.T


def _features(source: Tensor, places: Tensor, details: list[Tensor]) -> Tensor:
    """The terms that the change of each channel is a sum of, (3, pixels, features)."""
    hats = torch.cat([_hat_basis()[levels.flatten()] for levels in source.round().long().clamp(0, 255)], 1)
    lift = places.flatten(1).T
    return torch.stack(
        [
            torch.cat([hats, lift, lift * level[:, None] / MIDDLE, torch.stack(bands, 1)], 1)
            for level, *bands in zip(source.flatten(1), *(band.flatten(1) for band in details), strict=True)
        ]
    )


def _solve(
    features: Tensor, before: Tensor, after: Tensor, spread: Tensor, counts: Tensor | None = None
) -> Tensor:
    """Coefficients (3, features) that take the levels before to those after, both (3, pixels).

    spread: (3, pixels), how far the levels of the original may lie from those of its pixel here. counts:
    (pixels), by how much each pixel counts, 0 to 1; all count in full without it.
    """
    counts = torch.ones(before.shape[1]) if counts is None else counts
    penalty = _penalty(features.shape[-1]) * before.shape[-1]
    trust = counts.expand_as(before)
    for _ in range(ROUNDS):
        weighted = (features * trust[..., None]).mT
        normal, target = (weighted @ features).double(), (weighted @ (after - before)[..., None]).double()
        solved: Tensor = torch.linalg.solve(normal + penalty, target).float()
        guess = before + (features @ solved)[..., 0]
        miss = (after - guess.clamp(0, 255)).square().mean(0).sqrt()
        scale = 3 * miss[counts > 0].median().clamp(min=0.7)
        clipped = ((guess < 0) & (after < scale)) | ((guess > 255) & (after > 255 - scale))
        mixed = (guess - spread < 0) | (guess + spread > 255)
        trust = counts * ~clipped / (1 + (miss / scale) ** 2) * (1 - (1 - MIXED) * mixed)
    return solved[..., 0]


def _penalty(count: int) -> Tensor:
    """(count, count) float64: the bends of the curves, and a little of every coefficient."""
    whole = torch.eye(count, dtype=torch.float64) * TIE
    gaps = _knots().double().diff()
    bends = torch.zeros(KNOTS - 2, KNOTS, dtype=torch.float64)
    for i, (left, right) in enumerate(pairwise(gaps)):
        bends[i, i : i + 3] = torch.stack([1 / left, -1 / left - 1 / right, 1 / right])
        bends[i] *= EVEN_GAP * ((left + right) / 2 / EVEN_GAP) ** 0.5
    for start in range(0, 3 * KNOTS, KNOTS):
        whole[start : start + KNOTS, start : start + KNOTS] += STIFFNESS * bends.T @ bends
    return whole


def _position_basis(size: int) -> Tensor:
    """Smooth maps over the picture, (6, S, S): planes, quadrics, and the fourth power of the radius."""
    at = (torch.arange(size) + 0.5) / size * 2 - 1
    x, y = at.expand(size, size), at[:, None].expand(size, size)
    return torch.stack([x, y, x * x, x * y, y * y, (x * x + y * y) ** 2])


def _subsample(maps: Tensor) -> Tensor:
    stride = max(1, maps.shape[-1] // FIT_SIZE)
    return maps[:, ::stride, ::stride]


def _knots() -> Tensor:
    return 255 * torch.linspace(0, 1, KNOTS) ** 1.5


@cache
def _hat_basis() -> Tensor:
    """Linear interpolation between the knots, (256 levels, KNOTS)."""
    levels, knots = torch.arange(256.0), _knots()
    right = torch.searchsorted(knots, levels).clamp(1, KNOTS - 1)
    share = (levels - knots[right - 1]) / (knots[right] - knots[right - 1])
    table = torch.zeros(256, KNOTS)
    table[torch.arange(256), right - 1] = 1 - share
    table[torch.arange(256), right] = share
    return table
