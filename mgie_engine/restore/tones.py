"""Tonal edits as exact operations on pixels: light and colour change, content does not.

Each operation maps pictures (B, 3, H, W), sRGB in [0, 1], and a strength per picture (B, 1, 1, 1), where 1 is
the plain edit, 0.5 "a little" and 1.8 "much". Lengths scale with the picture, so the same operation at
another resolution is the same edit. docs/photos.md has the formulas.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from mgie_engine.restore import tone_curves as curves
from mgie_engine.restore.region_masks import REGIONS, WHOLE, hue_and_chroma, luma, no_layers

Tone = Callable[[Tensor, Tensor], Tensor]


class ToneSpec(NamedTuple):
    """An operation, how strong, and where."""

    name: str
    strength: float
    region: str = WHOLE


STRENGTHS: Mapping[str, float] = MappingProxyType({"little": 0.5, "plain": 1.0, "much": 1.8})
UNGRADED = frozenset(
    {"grey", "sepia", "invert", "night", "winter", "white_balance", "auto"}
)  # all or nothing
INVERSE: Mapping[str, str] = MappingProxyType(
    {
        one: other
        for pair in (
            ("brighter", "darker"),
            ("contrast", "flat"),
            ("vivid", "muted"),
            ("warm", "cool"),
            ("magenta", "green"),
            ("dehaze", "haze"),
            ("sharpen", "blur"),
        )
        for one, other in (pair, pair[::-1])
    }
)  # exact for the first five, but for what is clipped
EXPOSURE = 0.52  # of the plain edit: two thirds of a stop at mid-grey
HUES: Mapping[str, float] = MappingProxyType(
    {
        "red": 0, "orange": 28, "yellow": 52, "green": 120,
        "teal": 175, "blue": 215, "purple": 275, "pink": 330,
    }
)  # fmt: skip
_WARM, _MAGENTA = (0.055, -0.08), (0.05, 0.05)  # shifts of red and blue


def stops(number: float) -> float:
    """The strength of "brighter" or "darker" by a number of stops."""
    return 1.5 * number


def percent(number: float) -> float:
    """The strength of a tone by a number of percent: 30 % is plain."""
    return number / 30


def apply(pictures: Tensor, tones: Sequence[Sequence[ToneSpec]], layers: Tensor | None = None) -> Tensor:
    """Apply to each picture (B, 3, H, W) its own chain of tones; KeyError for an unknown name.

    `layers` are masks (B, len(LAYERS), H, W). Regions are found in the picture as it is at that step.
    """
    pictures = pictures.clone()
    layers = no_layers(pictures) if layers is None else layers
    for depth in range(max((len(chain) for chain in tones), default=0)):
        pending: dict[tuple[str, str], list[int]] = {}
        for row, chain in enumerate(tones):
            if depth < len(chain):
                pending.setdefault((chain[depth].name, chain[depth].region), []).append(row)
        for (name, region), rows in pending.items():
            strength = torch.tensor([tones[row][depth].strength for row in rows], device=pictures.device)
            pictures[rows] = apply_in(name, region, pictures[rows], strength, layers[rows])
    return pictures


def apply_in(
    name: str, region: str, pictures: Tensor, strength: Tensor, layers: Tensor, of: Tensor | None = None
) -> Tensor:
    """One tone in one region of pictures (B, 3, H, W): mask * tone(picture) + (1 - mask) * picture.

    `strength` is (B,). A blur takes nothing from outside its region. of: (B, 3, h, w), the whole pictures, of
    any size, where `pictures` are parts of them: what depends on a whole picture is measured there.
    """
    amount = strength.to(pictures.dtype).view(-1, 1, 1, 1)
    mask = None if region == WHOLE else REGIONS[region](pictures, layers)
    if name in MEASURED and of is not None:
        toned = MEASURED[name](pictures, of)
    elif name == "blur" and mask is not None:
        toned = curves.blur_inside(pictures, amount, mask)
    else:
        toned = TONES[name](pictures, amount)
    toned = toned.clamp(0, 1)
    return toned if mask is None else torch.lerp(pictures, toned, mask.expand_as(pictures))


def _grey(x: Tensor, of: Tensor) -> Tensor:
    """Luma; where that would be mud, its range is widened and its median lifted."""
    return _even(luma(x).expand_as(x), luma(of).expand_as(of), (1.5, 0.25, 0.75, 0.5))


def _faded(x: Tensor, s: Tensor) -> Tensor:
    """Old film: black is lifted, white lowered, colours are quieter and a little warmer."""
    matte = 0.07 * s + curves.saturate(x, 1 - 0.25 * s.clamp(max=2)) * (1 - 0.13 * s)
    return curves.shift(matte, 0.4 * s, *_WARM)


def _moody(x: Tensor, s: Tensor) -> Tensor:
    """Darker, quieter, with more contrast and cool shadows."""
    dark = curves.stretch(curves.expose(curves.saturate(x, 1 - 0.25 * s.clamp(max=2)), -0.45 * s), 0.15 * s)
    return _split(dark, s, 0.7, 0.0)


def _split(x: Tensor, s: Tensor, shadows: float, highlights: float) -> Tensor:
    """Teal shadows and orange highlights, each by a share."""
    brightness = luma(x)
    light = brightness * brightness * (3 - 2 * brightness)
    return curves.shift(x, s * (highlights * light - shadows * (1 - light)), 0.085, -0.11)


def _golden(x: Tensor, s: Tensor) -> Tensor:
    """Low sun: light areas turn golden, colours glow."""
    lit = curves.saturate(curves.expose(x, 0.15 * s), 1 + 0.15 * s)
    return curves.shift(lit, s * (0.6 + 0.8 * luma(lit)), 0.085, -0.125)


def _winter(x: Tensor, s: Tensor) -> Tensor:
    """What grows turns pale, as under frost; the light turns cool."""
    layers = no_layers(x)
    growing = (REGIONS["greens"](x, layers) + REGIONS["yellows"](x, layers)).clamp(max=1)
    pale = curves.expose(curves.saturate(x, 1 - 0.85 * growing), 0.6 * growing)
    return curves.shift(curves.saturate(pale, 0.8), -0.7, *_WARM)


def _dehaze(x: Tensor, s: Tensor) -> Tensor:
    """Take away the veil that the darkest channel nearby shows: (x - veil) / (1 - veil / white)."""
    small = curves.coarse(x).amin(1, keepdim=True)
    darkest = -torch.nn.functional.max_pool2d(-small, 7, 1, 3)
    for _ in range(3):
        darkest = curves.blur(darkest, darkest.new_full((len(x), 1, 1, 1), curves.MOST_BLUR))
    veil = curves.spread_out((0.5 * s * darkest).clamp(max=0.35), x)
    return (x - veil) / (1 - veil / 0.95)


def _haze(x: Tensor, s: Tensor) -> Tensor:
    return torch.lerp(x, torch.full_like(x, 0.86), (0.28 * s).clamp(max=0.85).expand_as(x))


def _clarity(x: Tensor, s: Tensor) -> Tensor:
    brightness = luma(x)
    return x + 0.5 * s * (brightness - curves.surroundings(brightness)) * curves.middle(brightness)


def _white_balance(x: Tensor, of: Tensor) -> Tensor:
    """Grey world, three quarters of the way: what is least colourful turns grey; brightness stays."""
    small = curves.coarse(of)
    _, chroma = hue_and_chroma(small)
    weight = curves.middle(luma(small)).clamp(min=0) * (1 - chroma).clamp(min=0) ** 4 + 1e-4
    mean = (small * weight).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True)
    gains = (luma(mean) / mean.clamp(min=0.02)).clamp(0.5, 2) ** 0.75
    even = x * gains
    return even * luma(x) / luma(even).clamp(min=1e-4)


def _auto(x: Tensor, of: Tensor) -> Tensor:
    return _even(x, of, (2.0, 0.38, 0.58, 0.8))


def _even(x: Tensor, of: Tensor, bounds: tuple[float, float, float, float]) -> Tensor:
    """Levels spread at most so many times, and a median between two; that exposure is bounded, too."""
    most, *middle = bounds
    return curves.centred(curves.spread_levels(x, of, most), curves.spread_levels(of, of, most), *middle)


def _night(x: Tensor, s: Tensor) -> Tensor:
    return x * x.new_tensor([0.36, 0.44, 0.66]).view(1, 3, 1, 1)


def _vignette(x: Tensor, s: Tensor) -> Tensor:
    y = torch.linspace(-1, 1, x.shape[-2], device=x.device).view(-1, 1)
    radius = y**2 + torch.linspace(-1, 1, x.shape[-1], device=x.device).view(1, -1) ** 2
    return x * (1 - (0.36 * s * radius).clamp(max=0.92))


# What these do to a pixel depends on a few numbers of the whole picture: its levels, its mean colour.
MEASURED: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {"grey": _grey, "white_balance": _white_balance, "auto": _auto}
)


def _measuring(name: str) -> Tone:
    return lambda x, s: MEASURED[name](x, x)


def _turning(hue: float) -> Tone:
    return lambda x, s: curves.turn(x, s, hue)


# Stories draw operations from a seed by their order here, so a new one goes last.
TONES: Mapping[str, Tone] = MappingProxyType(
    {
        "brighter": lambda x, s: curves.expose(x, EXPOSURE * s),
        "darker": lambda x, s: curves.expose(x, -EXPOSURE * s),
        "contrast": lambda x, s: curves.stretch(x, 0.4 * s),
        "flat": lambda x, s: curves.stretch(x, -0.4 * s),
        "vivid": lambda x, s: curves.saturate(x, 1.5**s),
        "muted": lambda x, s: curves.saturate(x, 1.5**-s),
        "warm": lambda x, s: curves.shift(x, s, *_WARM),
        "cool": lambda x, s: curves.shift(x, -s, *_WARM),
        "grey": _measuring("grey"),
        "sepia": lambda x, s: curves.shift(luma(x).expand_as(x), 1.0, 0.1, -0.14),
        "invert": lambda x, s: 1 - x,
        "night": _night,
        "vignette": _vignette,
        "blur": curves.blur,
        "sharpen": lambda x, s: x + 1.2 * s * (x - curves.blur(x, torch.full_like(s, 0.8))),
        "magenta": lambda x, s: curves.shift(x, s, *_MAGENTA),
        "green": lambda x, s: curves.shift(x, -s, *_MAGENTA),
        "faded": _faded,
        "moody": _moody,
        "teal_orange": lambda x, s: _split(x, s, 1.0, 1.0),
        "golden": _golden,
        "winter": _winter,
        "dehaze": _dehaze,
        "haze": _haze,
        "clarity": _clarity,
        "white_balance": _measuring("white_balance"),
        "auto": _measuring("auto"),
        **{f"to_{name}": _turning(hue) for name, hue in HUES.items()},
    }
)
