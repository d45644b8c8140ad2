"""Model picture → the user's picture, at its own size: what was not asked to change stays as it was.

The model paints a small square. Three things are made of it at the original's size, chosen per place:
the original's own bytes, the original under a local affine change of colour (tonal edits and recolours
stay as sharp as the photo), or the painted pixels enlarged (new content). Works on levels 0 to 255 and
knows nothing of models; everything runs on the CPU, in strips, so memory stays small at any size.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from conversations.settings import Keep

Picture = Image.Image | np.ndarray

STRIP_PIXELS = 1 << 18  # pixels rendered at once: the working set stays near the CPU's cache
CHANGED_SURELY = 12.0  # smoothed difference, in levels, that is an edit for certain
CHANGED_MAYBE = 5.0  # … that belongs to an edit if it touches one that is certain
CHANGED_TONE = 1.5  # … that is an edit when a whole neighbourhood agrees on it
UNEXPLAINED = 9.0  # what the affine fit may leave, in levels, before painted pixels are better
RIDGE = 16.0  # squared levels; pulls the slopes of the fit to "as before" where there is little to fit


@dataclass(frozen=True, slots=True)
class Restored:
    """An edit at the size of the original."""

    picture: Image.Image  # RGB, or RGBA with the original's alpha
    changed: float  # share of pixels that differ from the original, 0 to 1
    change_map: np.ndarray  # (h, w) uint8 in the original's aspect, 0 kept to 255 changed
    notes: tuple[str, ...]  # which way was taken, as sentences


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do where, decided on the model's square of S x S."""

    affine: Tensor  # (12, S, S): slopes of red, green, blue and the offset, each for three outputs
    painted: Tensor  # (3, S, S): colours of new content
    painting: Tensor  # (S, S): 0 recolour the original, 1 take the painted colours
    change: Tensor  # (S, S): 0 keep the original's bytes, 1 take the edit


def restore(
    original: Picture,
    model_input: Picture,
    model_output: Picture,
    *,
    reconstruction: Picture | None = None,
    relevance: Tensor | np.ndarray | None = None,
    keep: Keep = "auto",
) -> Restored:
    """Carry the model's edit over to the original at its own size, keeping what was not asked to change.

    original: uint8 RGB or RGBA of any size. model_input: the same picture squeezed to S x S.
    model_output: what the model painted, S x S. reconstruction: model_input through the model's
    autoencoder, S x S; its errors are shared by model_output and so cancel. relevance: (h, w) float, how
    strongly the instruction speaks at each place. Raises ValueError when the small pictures differ in
    size or a picture is neither RGB nor RGBA.
    """
    image = _image(original)
    pixels = np.asarray(image)
    output = _planes(model_output)
    if keep == "off":
        edited = np.asarray(_image(model_output).convert("RGB").resize(image.size, Image.Resampling.LANCZOS))
        return _restored(pixels, edited, torch.ones(output.shape[1:]), ("took the painted picture whole",))
    source = _planes(model_input if reconstruction is None else reconstruction)
    if source.shape != output.shape:
        raise ValueError(f"the model saw {tuple(source.shape)} but painted {tuple(output.shape)}")
    plan = _plan(source, output, relevance, keep)
    if not bool(plan.change.any()):
        return _restored(pixels, pixels[..., :3], plan.change, ("nothing changed",))
    edited = _render(pixels, plan)
    if (pixels[..., :3] == pixels[..., :1]).all() and not _has_colour(output):
        edited = np.repeat(edited.mean(axis=2, keepdims=True).round().astype(np.uint8), 3, axis=2)
    share = float(((plan.painting > 0.5) & (plan.change > 0)).float().mean())
    return _restored(pixels, edited, plan.change, (f"painted {share:.0%} anew",))


def _image(picture: Picture) -> Image.Image:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    if image.mode not in ("RGB", "RGBA"):
        raise ValueError(f"a picture must be RGB or RGBA, not {image.mode}")
    return image


def _planes(picture: Picture) -> Tensor:
    """(3, H, W) float levels."""
    return torch.from_numpy(np.array(_image(picture).convert("RGB"))).permute(2, 0, 1).float()


def _restored(pixels: np.ndarray, edited: np.ndarray, change: Tensor, notes: tuple[str, ...]) -> Restored:
    changed = float((pixels[..., :3] != edited).any(axis=2).mean())
    whole = np.concatenate([edited, pixels[..., 3:]], axis=2)
    height, width = pixels.shape[:2]
    scale = 256 / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    map_ = Image.fromarray((change * 255).round().to(torch.uint8).numpy()).resize(
        size, Image.Resampling.BILINEAR
    )
    return Restored(Image.fromarray(whole), changed, np.array(map_), notes)


def _plan(source: Tensor, output: Tensor, relevance: Tensor | np.ndarray | None, keep: Keep) -> Plan:
    difference = output - source
    mask = _changed(difference)
    change = _feather(mask)
    slopes, offset = _fit(source, difference)
    left = difference - torch.einsum("kcyx,kyx->cyx", slopes, source) - offset
    unexplained = _smooth(left.square().mean(0, keepdim=True), 2.0)[0].sqrt()
    painting = _feather((unexplained > UNEXPLAINED) & mask)
    identity = torch.eye(3)[:, :, None, None]
    affine = torch.cat([(slopes + identity).flatten(0, 1), offset])
    return Plan(affine, output, painting, change)


def _changed(difference: Tensor) -> Tensor:
    """Where the edit is, (S, S) bool: strong differences, what is joined to them, and broad agreement."""
    size = difference.shape[-1]
    near = _smooth(difference, 2.0).square().mean(0).sqrt()
    sure, maybe = near > CHANGED_SURELY, near > CHANGED_MAYBE
    mask = _grow(sure, maybe)
    rest = (~mask).float()[None]
    broad = _smooth(difference * rest, size / 16) / _smooth(rest, size / 16).clamp(min=0.05)
    return mask | (broad.square().mean(0).sqrt() > CHANGED_TONE)


def _grow(seed: Tensor, within: Tensor) -> Tensor:
    """All of `within` that is joined to `seed` (morphological reconstruction)."""
    while True:
        grown = (F.max_pool2d(seed[None, None].float(), 3, 1, 1)[0, 0] > 0) & within | seed
        if bool((grown == seed).all()):
            return grown
        seed = grown


def _feather(mask: Tensor) -> Tensor:
    """1 on the mask and close around it, falling to exactly 0 within a few pixels."""
    radius = max(2, mask.shape[-1] // 64)
    wide = F.max_pool2d(mask[None].float(), 2 * radius + 1, 1, radius)
    return _box(wide, radius)[0].clamp(0, 1) if bool(mask.any()) else wide[0]


def _box(planes: Tensor, radius: int) -> Tensor:
    """Mean over a square window cut off at the borders; (C, S, S) to the same."""
    width = 2 * radius + 1
    rows = F.avg_pool2d(planes, (width, 1), 1, (radius, 0), count_include_pad=False)
    return F.avg_pool2d(rows, (1, width), 1, (0, radius), count_include_pad=False)


def _smooth(planes: Tensor, sigma: float) -> Tensor:
    """Near-Gaussian blur: three box passes."""
    radius = max(1, round(sigma))
    return _box(_box(_box(planes, radius), radius), radius)


def _fit(source: Tensor, difference: Tensor) -> tuple[Tensor, Tensor]:
    """Per-window affine fit difference = slopes · source + offset: (3 in, 3 out, S, S) and (3, S, S).

    The colour guided filter of He, Sun and Tang (2010).
    """
    radius = max(2, source.shape[-1] // 32)
    mean_x, mean_d = _box(source, radius), _box(difference, radius)
    cov = torch.stack([_box(source * source[k], radius) - mean_x * mean_x[k] for k in range(3)])
    cross = torch.stack([_box(difference * source[k], radius) - mean_d * mean_x[k] for k in range(3)])
    matrix = cov.permute(2, 3, 0, 1) + RIDGE * torch.eye(3)
    slopes = torch.linalg.solve(matrix, cross.permute(2, 3, 0, 1)).permute(2, 3, 0, 1)
    offset = mean_d - (slopes * mean_x[:, None]).sum(0)
    return _box(slopes.flatten(0, 1), radius).view_as(slopes), _box(offset, radius)


def _has_colour(output: Tensor) -> bool:
    chroma = _smooth(output - output.mean(0, keepdim=True), 2.0)
    return bool(chroma.abs().mean() > 4.0)


def _render(pixels: np.ndarray, plan: Plan) -> np.ndarray:
    """The plan carried out at full size, strip by strip; bytes where nothing changes are the original's."""
    height, width = pixels.shape[:2]
    maps = torch.cat([plan.affine, plan.painted, plan.painting[None], plan.change[None]])
    edited = pixels[..., :3].copy()
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = torch.from_numpy(edited[top : top + rows]).permute(2, 0, 1).float()
        here = _sample(maps, top, strip.shape[1], height, width)
        toned = here[9:12].clone()
        for k in range(3):
            toned.addcmul_(here[3 * k : 3 * k + 3], strip[k])
        wanted = torch.lerp(toned, here[12:15], here[15])
        mixed = torch.lerp(strip, wanted, here[16]).round_().clamp_(0, 255).to(torch.uint8)
        edited[top : top + rows] = mixed.permute(1, 2, 0).numpy()
    return edited


def _sample(maps: Tensor, top: int, rows: int, height: int, width: int) -> Tensor:
    """Rows `top` to `top + rows` of (C, S, S) maps enlarged bilinearly to height x width."""
    size = maps.shape[1]
    at = ((torch.arange(top, top + rows) + 0.5) * size / height - 0.5).clamp(0, size - 1)
    first = at.long().clamp(max=max(0, size - 2))
    lines = torch.lerp(maps[:, first], maps[:, (first + 1).clamp(max=size - 1)], (at - first)[:, None])
    return F.interpolate(lines[None], size=(rows, width), mode="bilinear", align_corners=False)[0]
