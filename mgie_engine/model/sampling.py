"""From noise to picture: schedules and steps in sigma space, latents = x0 + sigma · noise.

Schedules are floats on the CPU; steps are pure functions over per-picture sigmas (B,), so that the pictures
of a batch may be at different steps of different schedules.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conversations.settings import Sampler
from mgie_engine.config import NoiseSchedule
from mgie_engine.model.diffusion import ALMOST_ZERO, alphas_cumprod


@dataclass(frozen=True, slots=True)
class Schedule:
    """One edit's way down: n timesteps for the U-Net, n + 1 sigmas, the last 0."""

    sampler: Sampler
    sigmas: tuple[float, ...]
    timesteps: tuple[float, ...]
    first_scale: float  # of standard normal noise, for the latents to begin with

    @property
    def steps(self) -> int:
        return len(self.timesteps)


def schedule(noise: NoiseSchedule, sampler: Sampler, steps: int) -> Schedule:
    """Sigmas and timesteps of `steps` denoising steps, at least 1; timesteps may lie between whole ones."""
    timesteps = _timesteps(noise, steps)
    alphas = alphas_cumprod(noise).clamp(min=ALMOST_ZERO)
    all_sigmas = (((1 - alphas) / alphas) ** 0.5).numpy()
    sigmas = np.interp(timesteps, np.arange(len(all_sigmas)), all_sigmas).astype(np.float32)
    # A schedule that leaves out the last timestep begins with the spread of a noisy picture, not of noise.
    first_scale = math.hypot(sigmas[0], 1) if noise.spacing == "leading" else float(sigmas[0])
    return Schedule(sampler, (*sigmas.tolist(), 0.0), tuple(timesteps.tolist()), first_scale)


def _timesteps(noise: NoiseSchedule, steps: int) -> npt.NDArray[np.float32]:
    """Falling timesteps (steps,), spaced as in arXiv 2305.08891, table 2."""
    trained = noise.train_timesteps
    if noise.spacing == "linspace":
        return np.linspace(0, trained - 1, steps, dtype=np.float32)[::-1]
    if noise.spacing == "trailing":
        return (trained - np.arange(steps) * (trained / steps)).round().astype(np.float32) - 1
    spread = np.arange(steps) * max(1, trained // steps) + noise.steps_offset
    return spread.clip(max=trained - 1)[::-1].astype(np.float32)


def noise_like(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Standard normal noise, drawn on the CPU so that a seed gives the same picture on every device."""
    return torch.randn(shape, generator=generator, dtype=torch.float32)


def euler_ancestral_step(
    latents: Tensor, x0: Tensor, sigma: Tensor, sigma_next: Tensor, noise: Tensor
) -> Tensor:
    """One Euler step with fresh noise; latents, x0, noise (B, C, h, w), sigmas (B,).

    Source: k-diffusion, sample_euler_ancestral with eta 1.
    """
    here, there = _over_latents(sigma), _over_latents(sigma_next)
    up = (there**2 * (here**2 - there**2) / here**2).clamp(min=0).sqrt()
    down = (there**2 - up**2).clamp(min=0).sqrt()
    return latents + (latents - x0) / here * (down - here) + noise * up


def dpmpp_2m_step(
    latents: Tensor, x0: Tensor, x0_before: Tensor, sigma_before: Tensor, sigma: Tensor, sigma_next: Tensor
) -> Tensor:
    """One second-order multistep; latents and x0 (B, C, h, w), sigmas (B,).

    A first step has no x0 before it and says so with `sigma_before` = 0; it is of first order.
    Source: DPM-Solver++ (arXiv 2211.01095) as in k-diffusion, sample_dpmpp_2m.
    """
    here, there, before = (_over_latents(s) for s in (sigma, sigma_next, sigma_before))
    step = torch.log(here / there)  # infinite for a step to 0, where the answer is x0 alone
    alone = (before == 0) | (there == 0)
    ratio = torch.where(alone, 0.0, 0.5 * step / torch.log(before / here).abs())
    better = x0 + ratio * (x0 - x0_before)
    return there / here * latents + (1 - there / here) * better


def _over_latents(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)
