"""Renders the dataset's pictures on the device and caches there what training needs.

`LatentCache` serves the diffusion stage: latents, small pictures for the vision tower, and the area that each
edit changes. Rendering and encoding once, instead of at every step, keeps the GPU busy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor

from mgie_engine.config import ModelConfig
from mgie_engine.lab.scenes.render import Paint, compile_painter, paint
from mgie_engine.lab.scenes.scene_images import CHANGED, with_views
from mgie_engine.lab.training.context import to_device
from mgie_engine.lab.training.dataset import REGION_NAMES, TONE_NAMES, SceneDataset
from mgie_engine.restore.tones import apply_in


class SceneRenderer:
    """Renders rows of a dataset, (B, 3, size, size) in [0, 1]; the shape tables are on the device."""

    def __init__(self, dataset: SceneDataset, device: torch.device, *, compiled: bool = False) -> None:
        self.shapes = torch.from_numpy(dataset.shapes).to(device)
        self.backdrop = torch.from_numpy(dataset.backdrop).to(device)
        self.view = torch.from_numpy(dataset.view).to(device)
        self.tone, self.strength = torch.from_numpy(dataset.tone), torch.from_numpy(dataset.strength)
        self.region = torch.from_numpy(dataset.region)
        self._steps: tuple[Paint, ...] | None = compile_painter() if compiled else None

    @torch.no_grad()
    def __call__(self, rows: Tensor, size: int = 256) -> Tensor:
        """Pictures of rows (B,), int64 on the CPU."""
        on_device = to_device(rows, self.shapes.device)
        pictures = paint(self.shapes[on_device], self.backdrop[on_device], size, compiled=self._steps)
        return self._toned(*with_views(pictures, self.view[on_device]), rows)

    def _toned(self, pictures: Tensor, layers: Tensor, rows: Tensor) -> Tensor:
        for depth in range(self.tone.shape[1]):
            tones = torch.stack([self.tone[rows, depth], self.region[rows, depth]], 1)
            for tone, region in sorted({(tone, region) for tone, region in tones.tolist() if tone >= 0}):
                toned = (tones == torch.tensor([tone, region])).all(1).nonzero()[:, 0]
                where = to_device(toned, pictures.device)
                amount = to_device(self.strength[rows[toned], depth], pictures.device)
                pictures[where] = apply_in(
                    TONE_NAMES[tone], REGION_NAMES[region], pictures[where], amount, layers[where]
                )
        return pictures


def vision_pixels(pictures: Tensor, side: int) -> Tensor:
    """Pictures (B, 3, H, W) in [0, 1] at the vision tower's size as uint8; antialiased bicubic, as Pillow."""
    small = F.interpolate(pictures, (side, side), mode="bicubic", antialias=True, align_corners=False)
    return (small.clamp(0, 1) * 255).round().byte()


def normalised(pixels: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """uint8 pixels (B, 3, S, S) as the vision tower takes them."""
    return (pixels.float() / 255 - _constants(mean, pixels.device)) / _constants(std, pixels.device)


def shifted(pixels: Tensor, most: int) -> Tensor:
    """Pictures (B, 3, S, S), each moved at random by up to `most` pixels both ways; edges are repeated."""
    if not most:
        return pixels
    place = torch.arange(pixels.shape[-1], device=pixels.device)
    moves = torch.randint(-most, most + 1, (2, len(pixels), 1), device=pixels.device)
    rows, columns = (place + moves).clamp(0, len(place) - 1)  # (B, S) each
    moved = pixels.gather(2, rows[:, None, :, None].expand_as(pixels))
    return moved.gather(3, columns[:, None, None].expand_as(pixels))


@cache
def _constants(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Copied to the device once, because each copy synchronises with it."""
    return torch.tensor(values, device=device).view(1, -1, 1, 1)


@dataclass(frozen=True, slots=True)
class LatentCache:
    """Latents of N pictures and the changed area of M edits, all on the device."""

    latents: Tensor  # (N, C, h, w) bfloat16, posterior modes
    pixels: Tensor  # (N, 3, S, S) uint8 for the vision tower
    changed: Tensor  # (M, 1, h, w) bool: latent pixels that an edit touches

    @staticmethod
    def batch_of(dataset: SceneDataset) -> int:
        """How many pictures are rendered at a time."""
        return min(1024, len(dataset.is_photo))

    @classmethod
    @torch.no_grad()
    def build(
        cls, dataset: SceneDataset, config: ModelConfig, renderer: SceneRenderer, vae: AutoencoderKL
    ) -> "LatentCache":
        """Render and encode every picture of a dataset."""
        device, n, side = renderer.shapes.device, len(dataset.is_photo), config.vision.image_size
        latents = torch.empty(n, *config.latent_shape, dtype=torch.bfloat16, device=device)
        pixels = torch.empty(n, 3, side, side, dtype=torch.uint8, device=device)
        for rows in _batches(n, cls.batch_of(dataset)):
            pictures = renderer(rows, config.picture_size)
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                latents[rows] = vae.encode(pictures * 2 - 1).latent_dist.mode().to(torch.bfloat16)
            pixels[rows] = vision_pixels(pictures, side)
        return cls(latents, pixels, _changed(pixels, dataset, side // config.latent_shape[-1]))


def _changed(pictures: Tensor, dataset: SceneDataset, factor: int) -> Tensor:
    before, after = torch.from_numpy(dataset.before).long(), torch.from_numpy(dataset.after).long()
    side = pictures.shape[-1] // factor
    areas = torch.empty(len(before), 1, side, side, dtype=torch.bool, device=pictures.device)
    for edits in _batches(len(before), min(2048, len(before))):
        a, b = (pictures[rows[edits].to(pictures.device)].float() for rows in (before, after))
        moved = ((a - b).abs().amax(1, keepdim=True) > CHANGED * 255).float()
        areas[edits] = F.max_pool2d(moved, factor) > 0
    return areas


def _batches(count: int, size: int) -> Iterator[Tensor]:
    """Rows in batches of one size, for one compiled shape: the last batch repeats rows to be full."""
    for start in range(0, count, size):
        yield torch.arange(size) + min(start, count - size)
