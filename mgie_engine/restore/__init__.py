"""Carries the model's edit over to the picture at its own size; the rest of the picture stays as it was.

The model paints a small square. At the original's size the result is, chosen per place: the original's own
bytes, the original under a fitted change of colour (tonal edits and recolours stay as sharp as the photo), or
the painted pixels enlarged (new content). Works on levels of 0 to 255 and imports no model; everything runs
on the CPU, in strips, so memory stays small at any size. `calibration.py` holds the thresholds of each model.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from conversations.messages import Message
from conversations.settings import Keep
from mgie_engine.restore.autoencoder_probe import Probe, choose_probe
from mgie_engine.restore.calibration import MGIE_MINI, Calibration, ChangeThresholds, calibration_for
from mgie_engine.restore.compose import RestorePlan, render
from mgie_engine.restore.exact_tones import toned
from mgie_engine.restore.image_ops import Picture, image, planes, shows_grey, smooth
from mgie_engine.restore.part_tone import plan_part_tone
from mgie_engine.restore.planning import plan_restore
from mgie_engine.restore.region import covered, within
from mgie_engine.restore.said_tones import said_tones, tones_blend
from mgie_engine.restore.strips import in_strips
from mgie_engine.restore.tone_fit import ProbeOutcome
from mgie_engine.restore.tones import ToneSpec
from mgie_engine.restore.weather import (
    WeatherChange,
    said_weather,
    weather_blend,
    weather_colour,
    weathered,
)

__all__ = [
    "Calibration",
    "Probe",
    "Restored",
    "calibration_for",
    "choose_probe",
    "restore",
    "said_tones",
    "said_weather",
]

MAP_SIDE = 256  # longest side of a change map
COUNTED_PIXELS = 1 << 18  # compared at once; a thread for less takes longer to start than to compare


@dataclass(frozen=True, slots=True)
class Restored:
    """An edit at the size of the original."""

    picture: Image.Image  # RGB, or RGBA with the original's alpha
    changed: float  # share of pixels that differ from the original, 0 to 1
    change_map: np.ndarray  # (h, w) uint8 in the original's aspect, 0 kept to 255 changed
    kept: float  # share where the original's bytes stay, 0 to 1
    painted: float  # share of painted pixels; the rest is the original in other colours
    notes: tuple[Message, ...]  # remarks for the user
    is_exact: bool = False  # by the definitions of tones alone: every painting gives the same


def restore(
    original: Picture,
    model_input: Picture,
    model_output: Picture,
    *,
    reconstruction: Picture | None = None,
    probe: Probe | None = None,
    relevance: Tensor | np.ndarray | None = None,
    keep: Keep = "auto",
    calibration: Calibration = MGIE_MINI,
    region: np.ndarray | None = None,
    degree: float = 1.0,
    part: str | None = None,
    tones: Sequence[ToneSpec] = (),
    weather: WeatherChange | None = None,
) -> Restored:
    """Carry the model's edit over to the original at its own size, keeping what was not asked to change.

    original: uint8 RGB or RGBA of any size. model_input: the same picture squeezed to S x S. model_output: as
    the model painted it, S x S. reconstruction: model_input through the model's autoencoder, S x S; its
    errors are in model_output, too, and cancel. probe: the result of `choose_probe` through the autoencoder;
    without it the amount of sharpening or contrast is only roughly known. relevance: (h, w) float, how
    strongly the instruction moves the prediction at each place. calibration: the thresholds for the model.
    region: (H, W) bool of the original's size, outside of which every byte stays, also with keep "off".
    degree: factor on an edit that is one change of tone; without effect on others and with keep "off".
    part: the region of `region_masks.EXACT` that the expressive instruction changes alone. tones: all that
    it changes, where that is known exactly (`said_tones`): they are carried out whatever was painted.
    weather: all that it changes (`said_weather`), if the painting shows it. Raises ValueError if the small
    pictures differ in size or a picture is neither RGB nor RGBA.
    """
    pixels = np.asarray(image(original))
    if tones:
        return _exact(pixels, planes(model_input), tones, region)
    is_grey = shows_grey(pixels)
    if keep == "off" and not is_grey and image(model_input).size == image(model_output).size:
        return _all_painted(pixels, image(model_output).convert("RGB"), region)
    (source, output, sharp), probed = _compared(model_input, model_output, reconstruction, probe)
    grey = is_grey and not _has_colour(output - source, calibration.change)
    if grey:
        source, output, sharp = (_grey(maps) for maps in (source, output, sharp))
        probed = probed and probed._replace(through=_grey(probed.through))
    if keep == "off":
        return _all_painted(pixels, _drawn(output), region)
    small = source, output, sharp
    edited = (
        _of_part(small, pixels, part, calibration, degree)
        or _of_weather(small, pixels, weather)
        or _of_plan(pixels, plan_restore(*small, probed, relevance, keep == "strict", calibration, degree))
    )
    return _restored(pixels, _as_grey(edited[0], grey), *edited[1:], region)


def _compared(
    model_input: Picture, model_output: Picture, reconstruction: Picture | None, probe: Probe | None
) -> tuple[tuple[Tensor, Tensor, Tensor], ProbeOutcome | None]:
    """The levels (3, S, S) of what is compared: source, output and sharp, and the probe's. ValueError."""
    sharp, output = planes(model_input), planes(model_output)
    source = sharp if reconstruction is None else planes(reconstruction)
    probed = None if probe is None else ProbeOutcome(probe.kind, planes(probe.picture))
    if not sharp.shape == source.shape == output.shape or (probed and probed.through.shape != sharp.shape):
        raise ValueError(f"the model saw {tuple(sharp.shape)} but painted {tuple(output.shape)}")
    return (source, output, sharp), probed


def _exact(
    pixels: np.ndarray, sharp: Tensor, tones: Sequence[ToneSpec], region: np.ndarray | None
) -> Restored:
    """The picture in the colours that the definitions of tones give."""
    blend = tones_blend(sharp, tones)
    exact = _restored(pixels, toned(pixels, tones), blend, torch.zeros_like(blend), region)
    return replace(exact, is_exact=True)


def _of_plan(pixels: np.ndarray, plan: RestorePlan) -> tuple[np.ndarray, Tensor, Tensor]:
    """The edited colours, blend and painting of a plan."""
    colours = render(pixels, plan) if bool(plan.blend.any()) else pixels[..., :3]
    return colours, plan.blend, plan.painting


def _of_part(
    small: tuple[Tensor, Tensor, Tensor],
    pixels: np.ndarray,
    part: str | None,
    calibration: Calibration,
    degree: float,
) -> tuple[np.ndarray, Tensor, Tensor] | None:
    """The edited colours, blend and painting of the part that alone changes, where the painting agrees."""
    source, output, sharp = small
    plan = part and plan_part_tone(source, output, sharp, part, calibration.tone, degree)
    return (render(pixels, plan, part), plan.blend, plan.painting) if part and plan else None


def _of_weather(
    small: tuple[Tensor, Tensor, Tensor], pixels: np.ndarray, weather: WeatherChange | None
) -> tuple[np.ndarray, Tensor, Tensor] | None:
    """The edited colours, blend and painting of a veil that comes or goes, where the painting shows it."""
    size = pixels.shape[:2]
    colour = weather and weather_colour(weather, *small, size)
    if weather is None or colour is None:
        return None
    blend = weather_blend(weather, size, small[0].shape[-1])
    return weathered(pixels, weather, colour), blend, torch.zeros_like(blend)


def _all_painted(pixels: np.ndarray, painted: Image.Image, region: np.ndarray | None) -> Restored:
    """The painted square at the original's size; only what is outside the region is kept."""
    height, width = pixels.shape[:2]
    edited = np.asarray(painted.resize((width, height), Image.Resampling.LANCZOS))
    cells = (1, 1) if region is None else (painted.height, painted.width)  # one says it of the whole picture
    return _restored(pixels, edited, torch.ones(cells), region=region)


def _drawn(levels: Tensor) -> Image.Image:
    """(3, S, S) levels as a picture."""
    return Image.fromarray(levels.round().to(torch.uint8).permute(1, 2, 0).numpy())


def _grey(maps: Tensor) -> Tensor:
    return maps.mean(0, keepdim=True).expand(3, -1, -1)


def _as_grey(edited: np.ndarray, grey: bool) -> np.ndarray:
    return np.repeat(edited[..., 1:2], 3, axis=2) if grey else edited


def _has_colour(difference: Tensor, thresholds: ChangeThresholds) -> bool:
    """Whether the edit brings colour into a grey picture."""
    chroma = smooth(difference - difference.mean(0, keepdim=True), max(1, difference.shape[-1] // 64))
    strength = chroma.square().mean(0).sqrt()
    at_once, overall = thresholds.colour_at_once, thresholds.colour_overall
    return float(strength.max()) > at_once or float(strength.mean()) > overall


def _restored(
    pixels: np.ndarray,
    edited: np.ndarray,
    blend: Tensor,
    painting: Tensor | None = None,
    region: np.ndarray | None = None,
) -> Restored:
    """painting: None if everything is painted."""
    nothing = Message("note_nothing_changed")
    if region is not None:
        if not np.array_equal(pixels[..., :3], edited):
            nothing = Message("note_outside_region")
        edited, blend = within(pixels, edited, region), blend * covered(region, blend)
    changed = _share_changed(pixels, edited)
    new = blend >= 0.5 if painting is None else painting * blend >= 0.5
    kept, painted = float((blend == 0).float().mean()), float(new.float().mean())
    return Restored(
        picture=_with_alpha_of(pixels, edited),
        changed=changed,
        change_map=_change_map(blend, pixels.shape[1], pixels.shape[0]),
        kept=kept,
        painted=painted,
        notes=() if changed else (nothing,),
    )


def _share_changed(pixels: np.ndarray, edited: np.ndarray) -> float:
    """Share of the pixels (H, W, 3 or 4) of which any colour differs in the edited ones (H, W, 3)."""
    counts = list[int]()

    def work(rows: slice) -> None:
        differs = pixels[rows, :, :3] != edited[rows]
        counts.append(int(np.count_nonzero(differs[..., 0] | differs[..., 1] | differs[..., 2])))

    in_strips(pixels.shape, work, COUNTED_PIXELS)
    return sum(counts) / edited[..., 0].size


def _with_alpha_of(pixels: np.ndarray, edited: np.ndarray) -> Image.Image:
    picture = Image.fromarray(edited)
    if pixels.shape[2] == 4:
        picture.putalpha(Image.fromarray(np.ascontiguousarray(pixels[..., 3])))
    return picture


def _change_map(blend: Tensor, width: int, height: int) -> np.ndarray:
    scale = MAP_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    levels = Image.fromarray((blend * 255).ceil().to(torch.uint8).numpy())
    return np.array(levels.resize(size, Image.Resampling.BILINEAR))
