"""Tones that the expressive instruction names, carried out by their definitions at full size.

"The left half gets darker. The rest stays." names an operation, its degree and where, and `tones.py` defines
it exactly. So where every change that is said is of that kind, the painting only has to agree: its own
colours are an estimate of what the definition gives to the byte. What depends on more than a pixel and its
place (a blur, the levels of the whole picture) is still fitted to the painting.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mgie_engine.restore.region_masks import (
    POSITIONS,
    REGIONS,
    REST,
    WHOLE,
    no_layers,
    region_weights,
    said_subject,
)
from mgie_engine.restore.tones import STRENGTHS, TONES, UNGRADED, ToneSpec

_OF_A_PIXEL = frozenset(
    {
        "brighter", "darker", "contrast", "flat", "vivid", "muted", "warm", "cool", "magenta", "green",
        "sepia", "invert", "night", "faded", "moody", "teal_orange", "golden", "winter", "haze",
    }
    | {name for name in TONES if name.startswith("to_")}
)  # fmt: skip
_WHOLE, _THINGS = "The whole picture ", "All things stay where they are."
_VERBS = re.compile(r" and (?=gets|takes|turns|fades)")
SHOWN = 0.25  # share of the change that a painting must show
OTHER = 0.5  # of its energy: a painting that shows less than `SHOWN` and as much else shows something else
VISIBLE = 1.0  # levels
LEAST_INSIDE = 0.005  # share of the picture that must change
STRIP_ROWS = 128


@cache
def effects() -> Mapping[str, Sequence[str]]:
    """What is said of every tone: a little, plainly, much."""
    return tomllib.loads((Path(__file__).parent / "effects.toml").read_text("utf-8"))


def said_tones(expressive: str, degree: float = 1.0) -> tuple[ToneSpec, ...]:
    """The tones that an expressive instruction names, in order, with their strengths times `degree`.

    Empty unless all that is said to change is of a pixel alone and in a region of `EXACT` or the whole
    picture.
    """
    found = list(_specs(expressive.strip()))
    if not found or None in found:
        return ()
    specs = [spec for spec in found if spec]
    if degree != 1 and any(spec.name in UNGRADED for spec in specs):
        return ()
    return tuple(spec._replace(strength=spec.strength * degree) for spec in specs)


def _specs(expressive: str) -> Iterator[ToneSpec | None]:
    if expressive.startswith(_WHOLE) and expressive.endswith(f". {_THINGS}"):
        said = expressive.removeprefix(_WHOLE).removesuffix(f". {_THINGS}")
        yield from (_spec(effect, WHOLE) for effect in _VERBS.split(said))
    elif expressive.endswith(f". {REST}"):
        for sentence in expressive.removesuffix(f" {REST}").removesuffix(".").split(". "):
            if sentence.startswith(_WHOLE):
                yield _spec(sentence.removeprefix(_WHOLE), WHOLE)
            else:
                region, effect = said_subject(sentence)
                yield _spec(effect, region) if region else None


def _spec(effect: str, region: str) -> ToneSpec | None:
    for name in _OF_A_PIXEL:
        for strength, said in zip(STRENGTHS.values(), effects()[name], strict=True):
            verb, _, rest = said.partition(" ")
            if effect in (said, f"{verb.removesuffix('s')} {rest}"):
                return ToneSpec(name, 1.0 if name in UNGRADED else strength, region)
    return None


def toned(pixels: np.ndarray, tones: Sequence[ToneSpec]) -> np.ndarray:
    """Pixels (H, W, 3 or 4) uint8 after the tones, (H, W, 3); the same bytes where no region is.

    A large picture has far fewer colours than pixels, so each is computed once, with the same result.
    """
    placed = [spec for spec in tones if spec.region in POSITIONS]
    if placed and len(tones) > 1:
        return _toned_by_pixel(pixels, tones)
    place = region_weights(placed[0].region, pixels) if placed else None
    palette, numbers = _palette(pixels)
    flat = torch.tensor(palette).T[None, :, None].float() / 255  # (1, 3, 1, colours)
    for spec in tones:
        flat = _toned_strip(flat, spec if place is None else spec._replace(region=WHOLE))
    levels = (flat[0, :, 0].T * 255).numpy()
    changed = levels if placed else levels.round().astype(np.uint8)
    edited = np.empty((*pixels.shape[:2], 3), np.uint8)
    for top in range(0, len(pixels), STRIP_ROWS):
        rows = slice(top, top + STRIP_ROWS)
        strip = changed[numbers[_packed(pixels[rows])]]
        if place is not None:
            before = pixels[rows, :, :3].astype(np.float32)
            strip = (before + place[rows, :, None].numpy() * (strip - before)).round()
        edited[rows] = strip
    return edited


def _packed(pixels: np.ndarray) -> np.ndarray:
    """Every colour of pixels (…, 3 or 4) as one number."""
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    packed: np.ndarray = red << 16 | green << 8 | blue
    return packed


def _palette(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The colours of a picture, (N, 3) uint8, and which of them every packed colour is."""
    present = np.zeros(1 << 24, bool)
    for top in range(0, len(pixels), STRIP_ROWS):
        present[_packed(pixels[top : top + STRIP_ROWS])] = True
    packed = np.flatnonzero(present)
    numbers = np.empty(1 << 24, np.int32)  # only what is present is ever written or read
    numbers[packed] = np.arange(len(packed))
    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], 1).astype(np.uint8), numbers


def _toned_by_pixel(pixels: np.ndarray, tones: Sequence[ToneSpec]) -> np.ndarray:
    """As `toned`, for several tones of which one depends on the place."""
    places = {spec.region: region_weights(spec.region, pixels) for spec in tones if spec.region in POSITIONS}
    edited = np.empty((*pixels.shape[:2], 3), np.uint8)
    for top in range(0, len(pixels), STRIP_ROWS):
        rows = slice(top, top + STRIP_ROWS)
        strip = torch.tensor(pixels[rows, :, :3]).permute(2, 0, 1)[None].float() / 255
        for spec in tones:
            place = places.get(spec.region)
            strip = _toned_strip(strip, spec, None if place is None else place[None, None, rows])
        edited[rows] = (strip[0] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return edited


def _toned_strip(strip: Tensor, spec: ToneSpec, place: Tensor | None = None) -> Tensor:
    """One tone of colours (1, 3, h, W) in [0, 1], in a region by weights (1, 1, h, W) where it is a place."""
    if spec.region == WHOLE:
        weights = torch.ones_like(strip[:, :1])
    else:
        weights = REGIONS[spec.region](strip, no_layers(strip)) if place is None else place
    inside = weights[0, 0] > 0
    if not bool(inside.any()):
        return strip
    some = strip[0, :, inside][None, :, None]  # (1, 3, 1, pixels)
    changed = TONES[spec.name](some, torch.tensor(spec.strength).view(1, 1, 1, 1)).clamp(0, 1)
    strip = strip.clone()
    strip[0, :, inside] = torch.lerp(some, changed, weights[:, :, inside][:, :, None])[0, :, 0]
    return strip


def painting_agrees(source: Tensor, output: Tensor, sharp: Tensor, tones: Sequence[ToneSpec]) -> bool:
    """Whether a painting shows these tones, or at least nothing else where they belong.

    source, output, sharp: (3, S, S) levels, as `restore` compares them.
    """
    pixels = sharp.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    wanted = torch.tensor(toned(pixels, tones)).permute(2, 0, 1).float() - sharp.round()
    where = wanted.abs().amax(0) > VISIBLE
    if float(where.float().mean()) < LEAST_INSIDE:
        return False
    want, made = wanted[:, where], (output - source)[:, where]
    energy = float(want.square().sum())
    share = float((want * made).sum()) / energy
    other = float((made - share * want).square().sum()) / energy
    return share >= SHOWN or (share >= 0 and other < OTHER)


def tones_blend(sharp: Tensor, tones: Sequence[ToneSpec]) -> Tensor:
    """Where the tones act on a small picture (3, S, S), (S, S) in [0, 1]."""
    picture = (sharp / 255).clamp(0, 1)[None]
    left = torch.ones(sharp.shape[1:])
    for spec in tones:
        left = left * (1 - REGIONS[spec.region](picture, no_layers(picture))[0, 0])
    return 1 - left
