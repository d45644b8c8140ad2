"""A few lines of arithmetic where the networks would be; what goes wrong is asked for in the instruction."""

from collections.abc import Generator, Sequence
from zlib import crc32

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mgie_engine.config import Defaults, ModelConfig
from mgie_engine.model.mgie import Denoised, NoisyBatch, Reading
from mgie_engine.text.prompting import Prompt

SIDE = 16
TOKENS = 3  # pauses of a reading
FAULTS = ("explode", "exhaust memory", "break the device", "overflow")  # in the batch, while painting


class FakeModel:
    """Four latent channels of 2 x 2 for a picture of 16 x 16."""

    def __init__(self) -> None:
        self.config = ModelConfig(
            name="fake",
            whole_picture="The whole picture",
            ask_below=0.9,
            vae={"latent_channels": 4, "scaling_factor": 1.0},
            picture_size=SIDE,
            defaults=Defaults(steps=4, seed=7),
        )
        self.device = torch.device("cpu")
        self.batches: list[int] = []  # how many edits shared each denoising step
        self.log: list[str] = []  # "read" and "paint", in order

    @property
    def seconds(self) -> float:
        """A clock by which each token and each denoising step takes a second."""
        return float(len(self.log))

    def reading(self, picture: Image.Image, prompt: Prompt) -> Generator[None, None, Reading]:
        if "refuse to read" in prompt.instruction:
            raise ValueError("no such word")
        for _ in range(TOKENS):
            self.log.append("read")
            yield
        said = prompt.reading or f"{prompt.instruction} ({len(prompt.history)} before)"
        guidance = torch.full((2, 3), crc32(said.encode()) % 100 / 100)
        guidance[0, 0] = float(FAULTS.index(prompt.instruction) + 1) if prompt.instruction in FAULTS else 0.0
        if prompt.reading is not None:
            return Reading(expressive=said, raw=said, guidance=guidance)
        others = ("Another reading.",) if prompt.wants_other else ()
        return Reading(said, said, guidance, (), 0.5 if "perhaps" in said else 0.95, others)

    def encode(self, pictures: Sequence[Image.Image]) -> Tensor:
        small = [np.asarray(picture.convert("RGBA").resize((2, 2)), np.float32) / 255 for picture in pictures]
        return torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2)

    def denoise(self, batch: NoisyBatch) -> Denoised:
        latents, guidance = batch.latents, batch.guidance
        self.log.append("paint")
        self.batches.append(len(latents))
        self._go_wrong(guidance)
        text = (guidance.mean((1, 2)) * batch.text_cfg / 20)[:, None, None, None]
        image = batch.image_latents * batch.image_cfg[:, None, None, None] / 5
        x0 = 0.5 * text + 0.5 * image + 0.01 * torch.tanh(latents)
        x0[guidance[:, 0, 0] == FAULTS.index("overflow") + 1] = torch.inf
        return Denoised(x0=x0, relevance=torch.ones_like(x0[:, 0]))

    def decode(self, latents: Tensor) -> list[Image.Image]:
        levels = (latents[:, :3].permute(0, 2, 3, 1).clamp(0, 1) * 255).round().to(torch.uint8).numpy()
        return [Image.fromarray(level).resize((SIDE, SIDE)) for level in levels]

    def preview(self, x0: Tensor) -> Image.Image:
        return self.decode(x0[None])[0]

    def _go_wrong(self, guidance: Tensor) -> None:
        faults = [FAULTS[int(code) - 1] for code in guidance[:, 0, 0].tolist() if code]
        if "explode" in faults:
            raise ZeroDivisionError("boom")
        if "exhaust memory" in faults:
            raise torch.OutOfMemoryError("CUDA out of memory")
        if "break the device" in faults:
            raise torch.AcceleratorError("CUDA error: illegal memory access")
