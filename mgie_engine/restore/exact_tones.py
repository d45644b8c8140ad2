"""Carries tones out by their definitions at a picture's own size. What they are: `tones.py`."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mgie_engine.restore.region_masks import POSITIONS, WHOLE, no_layers, region_rows
from mgie_engine.restore.strips import in_strips
from mgie_engine.restore.tone_curves import COARSE
from mgie_engine.restore.tones import MEASURED, ToneSpec, apply, apply_in

# Of each channel by itself, so what becomes of 256 levels is all there is to know.
_OF_A_LEVEL = frozenset({"brighter", "darker", "contrast", "flat", "invert", "night", "haze"})
_COLOURS = 1 << 24
Wholes = Sequence[Tensor | None]
_NOWHERE: Mapping[str, Tensor] = MappingProxyType({})


def toned(pixels: np.ndarray, tones: Sequence[ToneSpec]) -> np.ndarray:
    """Pixels (H, W, 3 or 4) uint8 after tones, (H, W, 3); the same bytes where no region is.

    The tones are of a pixel, or of a pixel and of what is measured of the whole picture.

    Without a place, what becomes of a level or of a colour is computed once, with the same result: a large
    picture has far fewer colours than pixels.
    """
    edited: np.ndarray = pixels[..., :3].copy()
    wholes = _wholes(pixels, tones)
    if any(spec.region in POSITIONS for spec in tones):
        _by_pixel(pixels, tones, wholes, edited)
    elif all(spec.region == WHOLE and spec.name in _OF_A_LEVEL for spec in tones):
        _by_level(pixels, tones, wholes, edited)
    else:
        _by_colour(pixels, tones, wholes, edited)
    return edited


def _wholes(pixels: np.ndarray, tones: Sequence[ToneSpec]) -> Wholes:
    """The whole picture, averaged to a small one, (1, 3, h, COARSE), as it is before each of the tones.

    None for each where nothing is measured.
    """
    if not any(spec.name in MEASURED for spec in tones):
        return [None] * len(tones)
    height, width = pixels.shape[:2]
    size = (COARSE, max(1, round(COARSE * height / width)))
    small = Image.fromarray(np.ascontiguousarray(pixels[..., :3])).resize(size, Image.Resampling.BOX)
    found = [torch.tensor(np.asarray(small)).permute(2, 0, 1)[None].float() / 255]
    for spec in tones[:-1]:
        found.append(apply(found[-1], [(spec,)]))
    return found


def _by_level(pixels: np.ndarray, tones: Sequence[ToneSpec], wholes: Wholes, edited: np.ndarray) -> None:
    table = _applied(torch.arange(256.0).expand(1, 3, 1, 256) / 255, tones, wholes)
    levels = (table[0, :, 0] * 255).round().to(torch.uint8).numpy()

    def work(rows: slice) -> None:
        for channel in range(3):
            edited[rows, :, channel] = levels[channel][pixels[rows, :, channel]]

    in_strips(pixels.shape, work)


def _by_colour(pixels: np.ndarray, tones: Sequence[ToneSpec], wholes: Wholes, edited: np.ndarray) -> None:
    present = np.zeros(_COLOURS, bool)

    def note(rows: slice) -> None:
        present[_packed(pixels[rows])] = True

    in_strips(pixels.shape, note)
    colours = np.flatnonzero(present)
    table = np.empty(_COLOURS, np.int32)  # only what is present is ever written or read

    def compute(part: slice) -> None:
        some = torch.from_numpy(colours[part])
        before = torch.stack([some >> 16, some >> 8 & 255, some & 255])[None, :, None].float() / 255
        after = (_applied(before, tones, wholes)[0, :, 0] * 255).round().int()
        table[colours[part]] = (after[0] << 16 | after[1] << 8 | after[2]).numpy()

    in_strips((len(colours), 1), compute)

    def look_up(rows: slice) -> None:
        after = table[_packed(pixels[rows])]
        for channel, bits in enumerate((16, 8, 0)):
            edited[rows, :, channel] = (after >> bits).astype(np.uint8)

    in_strips(pixels.shape, look_up)


def _packed(pixels: np.ndarray) -> np.ndarray:
    """Every colour of pixels (…, 3 or 4) as one number."""
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    packed: np.ndarray = red << 16 | green << 8 | blue
    return packed


def _by_pixel(pixels: np.ndarray, tones: Sequence[ToneSpec], wholes: Wholes, edited: np.ndarray) -> None:
    names = {spec.region for spec in tones if spec.region in POSITIONS}
    is_placed = all(spec.region in names for spec in tones)

    def work(rows: slice) -> None:
        places = {name: region_rows(name, pixels, rows) for name in names}
        columns = _acted_on(list(places.values())) if is_placed else slice(0, pixels.shape[1])
        if columns.stop == 0:
            return
        strip = torch.tensor(pixels[rows, columns, :3]).permute(2, 0, 1)[None].contiguous().float() / 255
        places = {name: weights[None, None, :, columns] for name, weights in places.items()}
        after = (_applied(strip, tones, wholes, places)[0] * 255).round().to(torch.uint8)
        edited[rows, columns] = after.permute(1, 2, 0).numpy()

    in_strips(pixels.shape, work)


def _acted_on(places: Sequence[Tensor]) -> slice:
    """The columns between the first and the last in which any of the weights (rows, W) is above 0."""
    found = torch.stack([weights.amax(0) for weights in places]).amax(0).nonzero()
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0)


def _applied(
    colours: Tensor,
    tones: Sequence[ToneSpec],
    wholes: Wholes,
    places: Mapping[str, Tensor] = _NOWHERE,
) -> Tensor:
    """Colours (1, 3, h, W) in [0, 1] after the tones.

    wholes: the whole picture before each. places: weights (1, 1, h, W) of those in a place.
    """
    for spec, whole in zip(tones, wholes, strict=True):
        strength = torch.tensor([spec.strength])
        place = places.get(spec.region)
        region = spec.region if place is None else WHOLE
        changed = apply_in(spec.name, region, colours, strength, no_layers(colours), whole)
        colours = changed if place is None else torch.lerp(colours, changed, place.expand_as(colours))
    return colours
