"""The editors that can be evaluated: the engine of this project, and plain InstructPix2Pix."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import torch
from PIL import Image, ImageOps

from conversations.settings import EditSettings
from mgie_engine.edits import EditRequest, Exchange
from mgie_engine.lab.pretrained import load_pretrained
from mgie_engine.serving.engine import edit_alone
from mgie_engine.serving.pictures import open_picture, to_png
from mgie_engine.serving.slot import EditModel


@dataclass(frozen=True, slots=True)
class EditorOutput:
    """An edited picture and the expressive instruction ("" for a model that writes none)."""

    picture: Image.Image
    expressive: str = ""


class EvaluatedEditor(Protocol):
    """An editor under test. `params` holds its name and settings as plain data."""

    @property
    def params(self) -> dict[str, Any]: ...

    def edit(self, picture: Image.Image, instruction: str, history: Sequence[Exchange]) -> EditorOutput: ...


@dataclass(frozen=True)
class EngineEditor:
    """The engine, as the bot runs it."""

    model: EditModel
    settings: EditSettings

    @property
    def params(self) -> dict[str, Any]:
        return {"editor": self.model.config.name} | asdict(self.settings)

    def edit(self, picture: Image.Image, instruction: str, history: Sequence[Exchange]) -> EditorOutput:
        """One edit at the picture's size."""
        request = EditRequest(to_png(picture), instruction, self.settings, tuple(history))
        result = edit_alone(self.model, request, lambda _: None)
        return EditorOutput(open_picture(result.image).convert("RGB"), result.expressive)


@dataclass(frozen=True)
class Pix2PixEditor:
    """InstructPix2Pix by diffusers, at the sizes of MagicBrush's public script."""

    name: str
    pipeline: Any
    settings: EditSettings  # its sampler is the pipeline's own

    @classmethod
    def load(cls, name: str, settings: EditSettings, device: str) -> "Pix2PixEditor":
        """The pipeline in a folder or on the hub, as by `load_pretrained`; ModelError if it is not there."""
        from diffusers import StableDiffusionInstructPix2PixPipeline  # brings much that others do not need

        unchecked = {"safety_checker": None, "requires_safety_checker": False}
        pipeline = load_pretrained(
            "InstructPix2Pix", StableDiffusionInstructPix2PixPipeline, name, **unchecked
        )
        pipeline.set_progress_bar_config(disable=True)
        if device != "cpu":
            pipeline.to(torch.float16)
        return cls(name, pipeline.to(device), settings)

    @property
    def params(self) -> dict[str, Any]:
        used = {key: getattr(self.settings, key) for key in ("seed", "text_cfg", "image_cfg", "steps")}
        return {"editor": f"InstructPix2Pix {self.name}"} | used

    def edit(self, picture: Image.Image, instruction: str, history: Sequence[Exchange]) -> EditorOutput:
        """One edit; it reads no history. Guidance is off below an image CFG of 1, as published."""
        edited = self.pipeline(
            instruction,
            image=ImageOps.fit(picture, pix2pix_size(picture.size), method=Image.Resampling.LANCZOS),
            num_inference_steps=self.settings.steps,
            guidance_scale=self.settings.text_cfg,
            image_guidance_scale=self.settings.image_cfg,
            generator=torch.Generator().manual_seed(self.settings.seed),
        )
        return EditorOutput(edited.images[0])


def pix2pix_size(size: tuple[int, int], long: int = 512) -> tuple[int, int]:
    """Width and height in multiples of 64, the longer about `long` pixels (edit_cli of instruct-pix2pix)."""
    short = min(size)
    factor = math.ceil(short * long / max(size) / 64) * 64 / short
    width, height = (int(side * factor) // 64 * 64 for side in size)
    return width, height
