"""A blur of some places and not of others, such as of the background: one Gaussian, and a weight per pixel.

Windows of colour cannot blur, and one tone blurs everywhere. So where a painting has lost detail at levels
that stay, the weight of a blurred picture is fitted at every place, for several Gaussians.
"""

import torch
from torch import Tensor

from mgie_engine.restore.calibration import LocalBlurThresholds
from mgie_engine.restore.image_ops import gaussian, px, shared_detail, smooth
from mgie_engine.restore.tone_fit import BLUR_STEPS, LEAST_BLUR, Tone, ToneFit

WIDER = 0.02  # weight of what a wide window says, where a narrow one holds too little detail to tell
NARROW, WIDE = 64, 12  # widths of the two, per picture width


def blur_of_places(
    source: Tensor, output: Tensor, sharp: Tensor, thresholds: LocalBlurThresholds
) -> ToneFit | None:
    """The blur that takes source to output in some places, all (3, S, S); None where there is none.

    sharp: what went into the autoencoder. What is soft passes it unchanged, so the blur is made of that.
    """
    if not _loses_detail(source, output, thresholds):
        return None
    near = min(range(0, BLUR_STEPS, 4), key=lambda step: _weights(source, output, sharp, step)[0])
    fits = [_weights(source, output, sharp, step) for step in range(near - 2, near + 3)]
    _, weight, blur = min(fits, key=lambda fit: fit[0])
    weight = weight * ((weight - thresholds.least) / thresholds.least).clamp(0, 1)
    detail = (blur - source).square().sum(0)  # where there is none, no weight can be told
    shares = [float((detail * where).sum() / detail.sum()) for where in (weight > 0.5, weight == 0)]
    if min(shares) < thresholds.area:
        return None
    tone = Tone(torch.zeros(3, 256, 3), -weight.expand_as(blur), weight * blur, "softer", weight > 0)
    compared = torch.lerp(source, sharp, weight)
    return ToneFit(tone, compared, torch.lerp(source, blur, weight))


def _loses_detail(source: Tensor, output: Tensor, thresholds: LocalBlurThresholds) -> bool:
    """Whether detail went in a good part of the picture, at levels that stay."""
    strength, shared = shared_detail(source, output)
    lost = (shared < thresholds.kept * strength) & (strength > thresholds.contrast**2)
    still = smooth(output - source, px(source, 32)).abs().amax(0) < thresholds.still
    return float((lost & still).float().mean()) > thresholds.lost


def _weights(source: Tensor, output: Tensor, sharp: Tensor, step: int) -> tuple[float, Tensor, Tensor]:
    """The squared error that one Gaussian leaves, its weight (S, S), and the blurred picture (3, S, S)."""
    blur = gaussian(sharp, sharp.shape[-1] * LEAST_BLUR * 1.08**step)
    towards, difference = blur - source, output - source
    both = torch.stack([(difference * towards).sum(0), towards.square().sum(0)])
    found, possible = smooth(both, px(both, NARROW)) + WIDER * smooth(both, px(both, WIDE))
    weight = (found / possible.clamp(min=1e-3)).clamp(0, 1)
    return float((difference - weight * towards).square().mean()), weight, blur
