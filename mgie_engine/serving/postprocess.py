"""From painted latents to the delivered picture. `finish` is pure CPU work and runs beside the loop."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from conversations.messages import Message
from conversations.settings import EditSettings, Keep
from mgie_engine.config import ModelConfig
from mgie_engine.restore import (
    Probe,
    Restored,
    calibration_for,
    choose_probe,
    restore,
    said_tones,
    said_weather,
)
from mgie_engine.restore.image_ops import image, shows_grey
from mgie_engine.restore.region_masks import said_region
from mgie_engine.restore.strips import cores
from mgie_engine.serving.framing import Box, FramedPicture
from mgie_engine.serving.pictures import to_result


@dataclass(frozen=True, slots=True)
class Painted:
    """What the model made, and what it was made from."""

    original: Image.Image  # as sent, any size
    model_input: Image.Image  # the model's square
    reconstruction: Image.Image  # model_input through the autoencoder
    output: Image.Image  # the model's square
    relevance: np.ndarray | None  # (h, w) float32
    model: str  # name of the model, whose thresholds restoring uses
    probe: Probe | None = None  # the supposed edit through the autoencoder, where that is worth its cost
    region: np.ndarray | None = None  # (height, width) bool of the original, outside of which it stays
    box: Box | None = None  # the part of the original that was painted; None: all of it
    said: str = ""  # the expressive instruction


@dataclass(frozen=True, slots=True)
class Opened:
    """The picture of a request."""

    original: Image.Image
    view: FramedPicture  # as the model sees it
    side: int  # of the square in which restoring compares
    pixels: Tensor | None = None  # (1, 3, H, W), as the language model sees it; above the level exact
    region: np.ndarray | None = None  # (height, width) bool, outside of which the original stays
    said: str = ""  # the expressive instruction

    def read(self, expressive: str) -> "Opened":
        """The same, once the expressive instruction is known."""
        return replace(self, said=expressive)

    def painted(
        self, reconstruction: Image.Image, output: Image.Image, relevance: np.ndarray | None, model: str
    ) -> Painted:
        """What the model of that name made of it, squeezed into a square."""
        seen, through, made = (self._squared(one) for one in (self.view.shown, reconstruction, output))
        return Painted(
            self.original,
            seen,
            through,
            made,
            relevance,
            model,
            region=self.region,
            box=self.view.box,
            said=self.said,
        )

    def unpainted(self, model: str) -> Painted:
        """What finishing takes of an edit that is exact by its reading: nothing was painted."""
        return self.painted(self.view.shown, self.view.shown, None, model)

    def _squared(self, picture: Image.Image) -> Image.Image:
        size = self.side, self.side
        return picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What goes out."""

    png: bytes
    size: tuple[int, int]
    changed: float  # share of pixels that differ from the original, 0 to 1
    notes: tuple[Message, ...]
    is_exact: bool = False  # see `EditResult`


def changes_nothing(expressive: str, refusal: str) -> bool:
    """Whether a reading says that nothing will change; never for a model that was not taught to say so."""
    return bool(refusal) and expressive.startswith(refusal)


def untouched(image: bytes, size: tuple[int, int]) -> Delivered:
    """The picture as it was sent, to the byte: what a reading that changes nothing leads to."""
    return Delivered(image, size, 0.0, ())


def needs_reconstruction(square: Image.Image, keep: Keep) -> bool:
    """Whether restoring compares with the picture through the autoencoder, and not with the picture itself.

    Where nothing is kept, only whether an edit brings colour into a grey picture is asked.
    """
    return keep != "off" or shows_grey(np.asarray(square.convert("RGB")))


class Autoencoder(Protocol):
    """What a probe needs of a model."""

    config: ModelConfig

    def encode(self, pictures: Sequence[Image.Image]) -> Tensor: ...

    def decode(self, latents: Tensor) -> list[Image.Image]: ...


def with_probe(model: Autoencoder, painted: Painted) -> Painted:
    """The painting with a probe of the supposed edit, if one is worth its cost."""
    probe = choose_probe(
        painted.model_input, painted.reconstruction, painted.output, calibration_for(painted.model)
    )
    if probe is None:
        return painted
    latents = model.encode([image(probe.picture)]) * model.config.latent_scale
    (through,) = model.decode(latents)
    return replace(painted, probe=probe._replace(picture=through))


@torch.inference_mode()
def finish(painted: Painted, settings: EditSettings) -> Delivered:
    """Bring the edit to the original's size, keeping what was not asked to change, and encode it."""
    whole = restored(painted, settings.keep, settings.degree)
    png, size = to_result(whole.picture, cores()), whole.picture.size
    return Delivered(png, size, whole.changed, whole.notes, whole.is_exact)


def restored(painted: Painted, keep: Keep = "auto", degree: float = 1.0) -> Restored:
    """The edit at the original's size, with what was not asked to change put back."""
    if painted.box:
        return _restored_part(painted, painted.box, keep, degree)
    return restore(
        painted.original,
        painted.model_input,
        painted.output,
        reconstruction=painted.reconstruction,
        probe=painted.probe,
        relevance=painted.relevance,
        keep=keep,
        calibration=calibration_for(painted.model),
        region=painted.region,
        degree=degree,
        part=said_region(painted.said),
        tones=said_tones(painted.said, degree, keep),
        weather=said_weather(painted.said) if degree == 1 else None,
    )


def _restored_part(painted: Painted, box: Box, keep: Keep, degree: float) -> Restored:
    """The same where a part of the original was painted: the rest stays."""
    left, top, right, bottom = box
    region = None if painted.region is None else painted.region[top:bottom, left:right]
    part = restored(
        replace(painted, original=painted.original.crop(box), region=region, box=None), keep, degree
    )
    whole = painted.original.copy()
    whole.paste(part.picture, (left, top))
    share = (right - left) * (bottom - top) / prod(whole.size)
    return replace(
        part,
        picture=whole,
        changed=part.changed * share,
        kept=1 - (1 - part.kept) * share,
        painted=part.painted * share,
    )
