"""Regions of a picture as exact soft masks: by position, brightness, colour, and layer.

A region maps pictures (B, 3, H, W), sRGB in [0, 1], and their layer masks (B, len(LAYERS), H, W) to masks
(B, 1, H, W) in [0, 1]. Lengths scale with the picture, so a region is the same at every resolution. An
addressed tone gives `mask * tone(picture) + (1 - mask) * picture`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mgie_engine.restore.strips import in_strips

Region = Callable[[Tensor, Tensor], Tensor]

LAYERS = (
    "sky",
    "mountains",
    "ground",
    "water",
    "foliage",
    "subject",
)  # of a procedural photo; all zero where it has none
WHOLE = "whole"
PLACE_SIDE = 512  # pixels, of the mask of a place before it is enlarged
EDGE = 0.06  # half the width of a soft border between halves or thirds, in picture widths
HUES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "reds": (-20.0, 18.0),
        "oranges": (18.0, 45.0),
        "yellows": (45.0, 70.0),
        "greens": (70.0, 165.0),
        "blues": (165.0, 255.0),
        "purples": (255.0, 340.0),
    }
)  # HSV hues in degrees


def luma(x: Tensor) -> Tensor:
    """Rec. 601 brightness, (B, 1, H, W)."""
    return x[:, :1] * 0.299 + x[:, 1:2] * 0.587 + x[:, 2:] * 0.114


def _smooth(x: Tensor, start: float, end: float) -> Tensor:
    """0 before `start`, 1 after `end`, with smooth ends; start > end falls."""
    t = ((x - start) / (end - start)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def _positions(x: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel centres from 0 to 1: across (1, 1, 1, W) and down (1, 1, H, 1)."""
    height, width = x.shape[-2:]
    across = (torch.arange(width, device=x.device, dtype=x.dtype) + 0.5) / width
    down = (torch.arange(height, device=x.device, dtype=x.dtype) + 0.5) / height
    return across.view(1, 1, 1, -1), down.view(1, 1, -1, 1)


def _band(across: tuple[float, float] | None, down: tuple[float, float] | None) -> Region:
    """A rectangle between two shares of the width and of the height, with soft borders inside the picture."""

    def mask(x: Tensor, layers: Tensor) -> Tensor:
        total = torch.ones_like(x[:, :1])
        for place, ends in zip(_positions(x), (across, down), strict=True):
            start, end = ends or (0.0, 1.0)
            if start > 0:
                total = total * _smooth(place, start - EDGE, start + EDGE)
            if end < 1:
                total = total * _smooth(place, end + EDGE, end - EDGE)
        return total

    return mask


def _round(x: Tensor) -> Tensor:
    """The distance from the centre, 1 at the middle of each side and 1.41 in the corners."""
    across, down = _positions(x)
    return ((2 * across - 1) ** 2 + (2 * down - 1) ** 2).sqrt().expand_as(x[:, :1])


def _edges(x: Tensor, layers: Tensor) -> Tensor:
    across, down = _positions(x)
    return _smooth(torch.maximum((2 * across - 1).abs(), (2 * down - 1).abs()), 0.6, 0.9).expand_as(x[:, :1])


def hue_and_chroma(x: Tensor) -> tuple[Tensor, Tensor]:
    """HSV hue in degrees and the spread of the channels, each (B, 1, H, W)."""
    red, green, blue = x[:, :1], x[:, 1:2], x[:, 2:]
    angle = torch.atan2(3**0.5 * (green - blue), 2 * red - green - blue)
    return torch.rad2deg(angle) % 360, x.amax(1, keepdim=True) - x.amin(1, keepdim=True)


def _colour(name: str) -> Region:
    start, end = HUES[name]

    def mask(x: Tensor, layers: Tensor) -> Tensor:
        hue, chroma = hue_and_chroma(x)
        off = ((hue - (start + end) / 2 + 180) % 360 - 180).abs()  # degrees from the middle of the range
        half = (end - start) / 2
        return _smooth(off, half + 6, half - 6) * _smooth(chroma, 0.06, 0.2)

    return mask


def _layer(name: str) -> Region:
    index = LAYERS.index(name)
    return lambda x, layers: layers[:, index : index + 1]


def _other_than(region: Region) -> Region:
    return lambda x, layers: 1 - region(x, layers)


_THIRD = 1 / 3
POSITIONS: Mapping[str, Region] = MappingProxyType(
    {
        "left": _band((0, 0.5), None),
        "right": _band((0.5, 1), None),
        "top": _band(None, (0, 0.5)),
        "bottom": _band(None, (0.5, 1)),
        "left third": _band((0, _THIRD), None),
        "middle third": _band((_THIRD, 1 - _THIRD), None),
        "right third": _band((1 - _THIRD, 1), None),
        "top third": _band(None, (0, _THIRD)),
        "bottom third": _band(None, (1 - _THIRD, 1)),
        "top left": _band((0, 0.5), (0, 0.5)),
        "top right": _band((0.5, 1), (0, 0.5)),
        "bottom left": _band((0, 0.5), (0.5, 1)),
        "bottom right": _band((0.5, 1), (0.5, 1)),
        "centre": lambda x, layers: _smooth(_round(x), 0.75, 0.35),
        "corners": lambda x, layers: _smooth(_round(x), 0.85, 1.25),
        "edges": _edges,
    }
)
BRIGHTNESS: Mapping[str, Region] = MappingProxyType(
    {
        "shadows": lambda x, layers: _smooth(luma(x), 0.5, 0.15),
        "midtones": lambda x, layers: _smooth(luma(x), 0.12, 0.38) * _smooth(luma(x), 0.88, 0.62),
        "highlights": lambda x, layers: _smooth(luma(x), 0.5, 0.85),
    }
)
_RANGES = {name: _colour(name) for name in HUES}
COLOURS: Mapping[str, Region] = MappingProxyType(
    _RANGES | {f"not {name}": _other_than(region) for name, region in _RANGES.items()}
)
PLACES: Mapping[str, Region] = MappingProxyType(
    {name: _layer(name) for name in LAYERS}
    | {"background": _other_than(_layer("subject"))}
    | {f"not {name}": _other_than(_layer(name)) for name in LAYERS if name != "subject"}
)  # only on pictures whose layers are known
REGIONS: Mapping[str, Region] = MappingProxyType(
    {WHOLE: lambda x, layers: torch.ones_like(x[:, :1]), **POSITIONS, **BRIGHTNESS, **COLOURS, **PLACES}
)


def no_layers(pictures: Tensor) -> Tensor:
    """Layer masks of zeros, for pictures (B, 3, H, W) whose layers are not known."""
    return pictures.new_zeros(len(pictures), len(LAYERS), *pictures.shape[-2:])


EXACT = (*POSITIONS, *BRIGHTNESS, *COLOURS)  # regions that follow from the picture alone
_SAID = {"left": "left half", "right": "right half", "top": "top half", "bottom": "bottom half"}
_SAID |= {corner: f"{corner} corner" for corner in ("top left", "top right", "bottom left", "bottom right")}
_SAID |= {"midtones": "mid-tones"}
REST = "The rest stays."


def said_region(expressive: str) -> str | None:
    """The region that an expressive instruction changes alone, if it is one of `EXACT`.

    "The left half gets darker. The rest stays." → "left". None for two changes, or none of a region.
    """
    change, _, rest = expressive.strip().partition(". ")
    return said_subject(change)[0] if rest == REST else None


def said_subject(sentence: str) -> tuple[str | None, str]:
    """The region of `EXACT` that a sentence is about, and what it says of it: "The sky …" has none."""
    for name in sorted(EXACT, key=len, reverse=True):
        plain = name.removeprefix("not ")
        said = f"The {_SAID.get(plain, plain)} " if plain == name else f"Everything but the {plain} "
        if sentence.startswith(said):
            return name, sentence.removeprefix(said)
    return None, sentence


def region_weights(name: str, pixels: np.ndarray) -> Tensor:
    """How much a pixel of (H, W, 3 or 4) uint8 belongs to a region of `EXACT`, (H, W) in [0, 1]."""
    found = torch.empty(pixels.shape[:2])

    def work(rows: slice) -> None:
        found[rows] = region_rows(name, pixels, rows)

    in_strips(pixels.shape, work)
    return found


def region_rows(name: str, pixels: np.ndarray, rows: slice) -> Tensor:
    """The same for some rows of the picture, (rows, W)."""
    height, width = pixels.shape[:2]
    if name not in POSITIONS:
        part = torch.tensor(pixels[rows, :, :3]).permute(2, 0, 1)[None].contiguous().float() / 255
        return REGIONS[name](part, no_layers(part))[0, 0]
    mask = _place(name, min(height, PLACE_SIDE), min(width, PLACE_SIDE))
    lines = enlarged_rows(mask[None], rows, height)
    return F.interpolate(lines[None], (rows.stop - rows.start, width), mode="bilinear")[0, 0]


@lru_cache(maxsize=4)
def _place(name: str, height: int, width: int) -> Tensor:
    grid = torch.zeros(1, 3, height, width)
    return REGIONS[name](grid, no_layers(grid))[0, 0].contiguous()


def enlarged_rows(maps: Tensor, rows: slice, height: int) -> Tensor:
    """Some rows of maps (C, h, w) that are enlarged bilinearly to a height, (C, rows, w)."""
    last = maps.shape[1] - 1
    at = (torch.arange(rows.start, rows.stop) + 0.5) * maps.shape[1] / height - 0.5
    at = at.clamp(0, last)
    above = at.long()
    return torch.lerp(maps[:, above], maps[:, (above + 1).clamp(max=last)], (at - above)[:, None])
