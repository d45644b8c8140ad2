"""Fog, rain and snow of drawn scenes: veils of an exact weight at every place, under the light of the hour.

A picture x under a veil of weight w is (1 - w) x + w c, with c = how light the veil is, times the light. The
weights are the same in every scene and scale with it, so what the expressive instruction says of the weather
("The weather changes from clear to rain.") is carried out at full size. Only c, three numbers, is fitted to
the small pictures: of a veil that comes to the painting, whose autoencoder keeps a part of every streak and
flake; of one that goes to the picture itself, of which the painting shows what lies behind the veil.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mgie_engine.restore.image_ops import px, smooth
from mgie_engine.restore.strips import in_strips

Weights = Callable[[Tensor, Tensor], Tensor]  # of x and y, pixel centres in picture widths and heights

_SAID = re.compile(
    r"The weather changes from (?P<old>\w+) to (?P<new>\w+)\. [^.]+ (?:stay|stays)(?: where they are)?\."
)
LEAST_SHOWN, MOST_SHOWN = 0.3, 1.7  # share of a veil that a painting shows; of rain 0.5 to 1.2
COVERED = 0.05  # weight from which a veil is seen
LEFT_OVER = 0.15  # share of what was painted away that a veil may leave: up to 0.05, of another 0.26 and more
DARKEST = 0.3  # of the light: night has 0.46 to 0.74
MOST_SIDE = 1024  # of the weights that are made smaller: finer ones give the same means
_WINDOWS = 128  # whose means are compared, per picture width: an autoencoder blurs a streak


class Veil(NamedTuple):
    """One weather: its weight (1, H, W) in [0, 1), and how light it is by day."""

    weights: Weights
    light: float
    is_thin: bool  # so that what is behind it can be told at every place


class WeatherChange(NamedTuple):
    """A veil that comes over a clear scene, or goes and leaves it clear."""

    name: str
    comes: bool


def lattice_hash(x: Tensor, y: Tensor, seed: Tensor | float) -> Tensor:
    """A number in [0, 1) for each lattice point; the classic sine hash, here with small arguments only."""
    mixed = torch.sin(x * 12.9898 + y * 78.233 + seed) * 43758.5453
    return mixed - torch.floor(mixed)


def dots(
    x: Tensor, y: Tensor, per_width: float, radius: float, sparse: float, stretch: float = 1.0
) -> Tensor:
    """A fixed scatter of soft dots, (1, H, W) in [0, 1]: one lattice cell in 1 - sparse has a dot."""
    u, v = x * per_width, y * per_width
    i, j = torch.floor(u), torch.floor(v)
    shift_x, shift_y = lattice_hash(i, j, 1.0) * 0.5 + 0.25, lattice_hash(i, j, 2.0) * 0.5 + 0.25
    du, dv = u - i - shift_x, (v - j - shift_y) / stretch
    dot = ((radius - (du**2 + dv**2 + 1e-9).sqrt()) / 0.06 + 0.5).clamp(0, 1)
    return dot * (lattice_hash(i, j, 3.0) > sparse)


def _fog(x: Tensor, y: Tensor) -> Tensor:
    return 0.72 * torch.exp(-(((y - 0.5) / 0.3) ** 2)) * torch.ones_like(x)


def _rain(x: Tensor, y: Tensor) -> Tensor:
    return 0.55 * dots((x + 0.25 * y) * 3.0, y * 0.5, 18.0, 0.10, 0.55, stretch=5.0)


def _snow(x: Tensor, y: Tensor) -> Tensor:
    return 0.95 * dots(x, y, 16.0, 0.16, 0.45)


VEILS: Mapping[str, Veil] = MappingProxyType(
    {
        "fog": Veil(_fog, 0.86, is_thin=True),
        "rain": Veil(_rain, 0.97, is_thin=True),
        "snow": Veil(_snow, 0.97, is_thin=False),  # behind a flake is what was painted
    }
)


def said_weather(expressive: str) -> WeatherChange | None:
    """The veil that alone changes by an expressive instruction; None where something else changes, too."""
    found = _SAID.fullmatch(expressive.strip())
    if found is None:
        return None
    old, new = found["old"], found["new"]
    if old == "clear" and new in VEILS:
        return WeatherChange(new, comes=True)
    return WeatherChange(old, comes=False) if new == "clear" and old in VEILS and VEILS[old].is_thin else None


def weather_colour(
    change: WeatherChange, source: Tensor, output: Tensor, sharp: Tensor, size: tuple[int, ...]
) -> Tensor | None:
    """The colour c of the veil, (3,) levels; None if the small pictures show something else.

    source, output, sharp: (3, S, S) levels, as `restore` compares them. size: (H, W) of the original.
    """
    weights = _small_weights(change, size, sharp.shape[-1])
    colour = (
        _colour_that_comes(weights, output - source, sharp)
        if change.comes
        else _colour_that_goes(weights, output, sharp)
    )
    whitest = 255 * VEILS[change.name].light
    return None if colour is None else colour.clamp(DARKEST * whitest, whitest)


def _colour_that_comes(weights: Tensor, painted: Tensor, sharp: Tensor) -> Tensor | None:
    """Fitted so that painted = k (w c - w x) + the model's tint of each channel, with one share k."""
    radius = px(sharp, _WINDOWS)
    target = smooth(painted, radius).flatten(1).double()
    cover, behind = (smooth(maps, radius).flatten(1).double() for maps in (weights, weights * sharp))
    terms = target.new_zeros(3, target.shape[1], 7)  # k c of each channel, its tint, and k
    for channel in range(3):
        terms[channel, :, channel], terms[channel, :, 3 + channel] = cover[0], 1
    terms[..., 6] = -behind
    found = _least_squares(terms.flatten(0, 1), target.flatten()[:, None])[:, 0]
    shown = float(found[6])
    return (found[:3] / found[6]).float() if LEAST_SHOWN <= shown <= MOST_SHOWN else None


def _colour_that_goes(weights: Tensor, output: Tensor, sharp: Tensor) -> Tensor | None:
    """Fitted so that sharp = (1 - w) (painted + the model's tint) + w c, for each channel."""
    target = (sharp - (1 - weights) * output).flatten(1).double()
    terms = torch.stack([weights.flatten(), (1 - weights).flatten()], dim=1).double()
    found = _least_squares(terms, target.T)
    covered = weights.flatten() > COVERED
    left = (target - (terms @ found).T)[:, covered].square().mean()
    tint = (sharp - output).flatten(1)[:, ~covered].mean(1) if not bool(covered.all()) else torch.zeros(3)
    before = (sharp - output - tint[:, None, None]).flatten(1)[:, covered].square().mean()
    return found[0].float() if float(left) <= LEFT_OVER * float(before) else None


def _least_squares(terms: Tensor, target: Tensor) -> Tensor:
    """What `terms` (N, M) are to be multiplied by to come nearest to `target` (N, K), (M, K)."""
    found: Tensor = torch.linalg.solve(terms.T @ terms, terms.T @ target)
    return found


def weathered(pixels: np.ndarray, change: WeatherChange, colour: Tensor) -> np.ndarray:
    """Pixels (H, W, 3 or 4) uint8 with the veil put over them or taken off, (H, W, 3)."""
    edited: np.ndarray = pixels[..., :3].copy()
    veil = VEILS[change.name]

    def work(rows: slice) -> None:
        weights = _rows(veil, pixels.shape[:2], rows)[0, ..., None]
        before = torch.from_numpy(edited[rows]).float()
        after = before + (weights if change.comes else -weights / (1 - weights)) * (colour - before)
        edited[rows] = after.round_().clamp_(0, 255).to(torch.uint8).numpy()

    in_strips(pixels.shape, work)
    return edited


def weather_blend(change: WeatherChange, size: tuple[int, ...], side: int) -> Tensor:
    """Where the veil is in a picture of (H, W), (side, side) in [0, 1]."""
    return _small_weights(change, size, side)[0]


def _small_weights(change: WeatherChange, size: tuple[int, ...], side: int) -> Tensor:
    """The weights of a picture of (H, W) made smaller with it, (1, side, side): a streak is a pixel wide."""
    height, width = (min(length, MOST_SIDE) for length in size)
    whole = _rows(VEILS[change.name], (height, width), slice(0, height))
    return F.interpolate(whole[None], (side, side), mode="area")[0]


def _rows(veil: Veil, size: tuple[int, ...], rows: slice) -> Tensor:
    """Some rows of the weights of a picture of (H, W), (1, rows, W)."""
    height, width = size
    x = (torch.arange(width) + 0.5) / width
    y = (torch.arange(rows.start, rows.stop) + 0.5) / height
    return veil.weights(x.view(1, 1, -1), y.view(1, -1, 1))
