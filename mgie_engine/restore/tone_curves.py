"""The parts that tones are made of: curves with fixed ends, shifts of colour that keep brightness, blurs.

All take pictures (B, 3, H, W), sRGB in [0, 1], and a strength per picture (B, 1, 1, 1). docs/photos.md has
the formulas.
"""

import colorsys

import torch
import torch.nn.functional as F
from torch import Tensor

from mgie_engine.restore.region_masks import luma

TOE = 3.0  # how far up the shadows an exposure is gentle: it adds at black and multiplies at white
COARSE = 64  # width, in pixels, at which a picture's statistics are taken
MOST_BLUR = 3.0  # the strongest blur, in units of the plain one


def expose(x: Tensor, amount: Tensor | float) -> Tensor:
    """Lighter by `amount` > 0, darker by < 0; black and white are fixed, and amounts add up exactly.

    0.52 is two thirds of a stop at mid-grey. The slope is 1 at black and exp(-amount) at white.
    """
    return _from_scale(_to_scale(x) - amount)


def _to_scale(x: Tensor) -> Tensor:
    """Brightness on the scale on which an exposure is an addition; infinite at the ends."""
    z = (1 / x.clamp(min=1e-4) - 1).clamp(min=1e-9) / TOE
    return z + torch.log(-torch.expm1(-z))


def _from_scale(place: Tensor) -> Tensor:
    return 1 / (1 + TOE * F.softplus(place))


def amount_between(start: Tensor, end: Tensor) -> Tensor:
    """The exposure that takes brightness `start` to `end`."""
    return _to_scale(start) - _to_scale(end)


def stretch(x: Tensor, amount: Tensor | float) -> Tensor:
    """More contrast by `amount` > 0, less by < 0: slope exp(amount) at mid-grey, 1 at black and at white."""
    centred = 2 * x - 1
    spread = 1 - expose(1 - centred.abs().clamp(max=1), -amount)
    return 0.5 + 0.5 * torch.sign(centred) * spread


def middle(brightness: Tensor) -> Tensor:
    """How far a brightness is from black and from white: 0 at both, 1 between."""
    return 4 * brightness * (1 - brightness)


def shift(x: Tensor, amount: Tensor | float, red: float, blue: float) -> Tensor:
    """Mid-grey gets `amount` times so much red and blue, and the green that keeps its brightness.

    Each colour moves on the line of equal brightness through it, on a logistic scale between the two ends of
    the gamut, so nothing clips, black and white stay, and the opposite amount undoes it exactly.
    """
    step = (red, -(0.299 * red + 0.114 * blue) / 0.587, blue)
    line = x.new_tensor(step).view(1, 3, 1, 1)
    up, down = torch.where(line > 0, 1 - x, x), torch.where(line > 0, x, 1 - x)
    ahead, behind = ((room / line.abs()).amin(1, keepdim=True) for room in (up, down))
    span = (ahead + behind).clamp(min=1e-6)
    place = (behind / span).clamp(1e-4, 1 - 1e-4)
    moved = torch.sigmoid(torch.logit(place) + 4 * max(map(abs, step)) * amount)
    return x + (moved - place) * span * line


def saturate(x: Tensor, factor: Tensor | float) -> Tensor:
    """Distance from grey times `factor`; brightness and hue stay, also where the gamut ends."""
    brightness = luma(x)
    colour = x - brightness
    room = torch.where(colour > 0, 1 - brightness, brightness) / colour.abs().clamp(min=1e-4)
    limit = room.amin(1, keepdim=True).clamp(min=1)
    return brightness + colour * torch.minimum(torch.as_tensor(factor, device=x.device), limit)


def turn(x: Tensor, amount: Tensor, hue: float) -> Tensor:
    """Every colour `amount` of the way to a hue in degrees, beyond 1 more colourful there.

    Brightness stays; greys take a little colour.
    """
    brightness, spread = luma(x), x.amax(1, keepdim=True) - x.amin(1, keepdim=True)
    full = x.new_tensor(colorsys.hsv_to_rgb(hue / 360, 1, 1)).view(1, 3, 1, 1)
    colour = (full - luma(full)) * torch.maximum(spread, 0.18 * middle(brightness)) * amount.clamp(min=1)
    room = torch.where(colour > 0, 1 - brightness, brightness) / colour.abs().clamp(min=1e-4)
    colour = colour * room.amin(1, keepdim=True).clamp(max=1)
    return torch.lerp(x, brightness + colour, amount.clamp(max=1).expand_as(x))


def blur(x: Tensor, s: Tensor) -> Tensor:
    """Gaussian blur, sigma = strength / 128 of the width; separable, reflected at the border."""
    width = x.shape[-1]
    reach = max(1, round(MOST_BLUR * 3 * width / 128))
    offset = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
    sigma = (s.clamp(max=MOST_BLUR).view(-1, 1) * width / 128).clamp(min=0.05)
    kernel = torch.exp(-0.5 * (offset / sigma) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(x.shape[1], 0)  # (B channels, K)
    flat = x.reshape(1, -1, *x.shape[-2:])
    mode = "reflect" if reach < min(x.shape[-2:]) else "replicate"
    flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), mode), kernel[:, None, None, :], groups=len(kernel))
    flat = F.conv2d(F.pad(flat, (0, 0, reach, reach), mode), kernel[:, None, :, None], groups=len(kernel))
    return flat.view_as(x)


def blur_inside(x: Tensor, s: Tensor, mask: Tensor) -> Tensor:
    """The blur of what lies in a mask (B, 1, H, W) alone: nothing from outside bleeds into it."""
    weight = mask.clamp(min=1e-3)
    return blur(x * weight, s) / blur(weight, s)


def coarse(x: Tensor) -> Tensor:
    """The picture averaged to a width of `COARSE` pixels, (B, C, h, COARSE)."""
    height, width = x.shape[-2:]
    return F.adaptive_avg_pool2d(x, (max(1, round(COARSE * height / width)), COARSE))


def spread_out(x: Tensor, like: Tensor) -> Tensor:
    """A coarse map at the size of `like`."""
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)


def surroundings(x: Tensor) -> Tensor:
    """A map (B, C, H, W) averaged over about a sixteenth of its width."""
    small = coarse(x)
    return spread_out(blur(small, small.new_full((len(x), 1, 1, 1), MOST_BLUR)), x)


def quantiles(brightness: Tensor, *shares: float) -> list[Tensor]:
    """Brightnesses (B, 1, 1, 1) below which these shares of the picture lie."""
    flat = coarse(brightness).flatten(1).sort(1).values
    places = [min(int(share * flat.shape[1]), flat.shape[1] - 1) for share in shares]
    return [flat[:, place].view(-1, 1, 1, 1) for place in places]


def spread_levels(x: Tensor, of: Tensor, most: float) -> Tensor:
    """Stretch linearly, at most `most` times, until half a percent of `of` is nearly black and white each."""
    low, high = quantiles(luma(of), 0.005, 0.995)
    wanted_low, wanted_high = low.clamp(max=0.03), high.clamp(min=0.95)
    gain = ((wanted_high - wanted_low) / (high - low).clamp(min=0.05)).clamp(1, most)
    middle_now, middle_then = (low + high) / 2, (wanted_low + wanted_high) / 2
    reach = (high - low) * gain / 2
    middle_then = torch.maximum(torch.minimum(middle_then, 1 - reach), reach)
    return ((x - middle_now) * gain + middle_then).clamp(0, 1)


def centred(x: Tensor, of: Tensor, low: float, high: float, most: float) -> Tensor:
    """Expose so that the median brightness of `of` comes between `low` and `high`, by at most `most`."""
    (median,) = quantiles(luma(of), 0.5)
    return expose(x, amount_between(median, median.clamp(low, high)).clamp(-most, most))
