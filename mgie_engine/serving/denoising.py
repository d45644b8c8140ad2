"""One edit on the U-Net: its own schedule, scales, sampler and noise, whatever else is in the batch."""

from collections.abc import Sequence

import torch
from torch import Tensor

from conversations.settings import EditSettings
from mgie_engine.config import NoiseSchedule
from mgie_engine.model import sampling
from mgie_engine.model.mgie import NoisyBatch


class Painting:
    """Advances by one denoising step at a time."""

    def __init__(
        self, noise: NoiseSchedule, settings: EditSettings, guidance: Tensor, image_latents: Tensor
    ) -> None:
        """guidance: (77, D). image_latents: (C, h, w), of the picture the model starts from."""
        self.settings = settings
        self.guidance = guidance
        self.image_latents = image_latents
        self.step = 0  # steps done
        self.x0: Tensor | None = None  # (C, h, w), the clean picture as guessed at the last step
        way = sampling.schedule(noise, settings.sampler, settings.steps)
        self._sigmas = torch.tensor(way.sigmas, device=image_latents.device)  # (steps + 1,)
        self._timesteps = torch.tensor(way.timesteps, device=image_latents.device)  # (steps,)
        self._generator = torch.Generator().manual_seed(settings.seed)
        self.latents = self._noise() * way.first_scale
        self._relevance: Tensor | None = None

    @property
    def is_over(self) -> bool:
        """Whether every step was made."""
        return self.step == self.settings.steps

    @property
    def relevance(self) -> Tensor | None:
        """(h, w), how strongly the instruction spoke at each place, averaged over the steps."""
        return None if self._relevance is None else self._relevance / self.step

    @property
    def sigma(self) -> Tensor:
        """The noise level now, (1,)."""
        return self._sigma(self.step)

    @property
    def timestep(self) -> Tensor:
        """The noise level now, as the U-Net takes it, (1,)."""
        return self._timesteps[self.step : self.step + 1]

    def advance(self, x0: Tensor, relevance: Tensor) -> None:
        """Make one step, given the model's guess x0 (C, h, w) and its relevance (h, w)."""
        here, there = self._sigma(self.step), self._sigma(self.step + 1)
        latents, guess = self.latents[None], x0[None]
        if self.settings.sampler == "euler_ancestral":
            moved = sampling.euler_ancestral_step(latents, guess, here, there, self._noise()[None])
        else:
            before = self._sigma(self.step - 1) if self.step else torch.zeros_like(here)
            guess_before = guess if self.x0 is None else self.x0[None]
            moved = sampling.dpmpp_2m_step(latents, guess, guess_before, before, here, there)
        self.latents, self.x0 = moved[0], x0
        self._relevance = relevance if self._relevance is None else self._relevance + relevance
        self.step += 1

    def _noise(self) -> Tensor:
        shape = tuple(self.image_latents.shape)
        return sampling.noise_like(shape, self._generator).to(self.image_latents.device)

    def _sigma(self, step: int) -> Tensor:
        return self._sigmas[step : step + 1]


def batch(paintings: Sequence[Painting]) -> NoisyBatch:
    """The next step of these edits, stacked; they may differ in everything but the size of their latents."""
    return NoisyBatch(
        latents=torch.stack([p.latents for p in paintings]),
        sigmas=torch.cat([p.sigma for p in paintings]),
        timesteps=torch.cat([p.timestep for p in paintings]),
        guidance=torch.stack([p.guidance for p in paintings]),
        image_latents=torch.stack([p.image_latents for p in paintings]),
        text_cfg=torch.tensor([p.settings.text_cfg for p in paintings], dtype=torch.float32),
        image_cfg=torch.tensor([p.settings.image_cfg for p in paintings], dtype=torch.float32),
    )


def alike(paintings: Sequence[Painting]) -> list[list[Painting]]:
    """Those that can share a step, because their latents have one shape."""
    found: dict[torch.Size, list[Painting]] = {}
    for painting in paintings:
        found.setdefault(painting.latents.shape, []).append(painting)
    return list(found.values())
