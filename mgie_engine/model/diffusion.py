"""The diffusion half: U-Net, VAE, how noise is added, and how three predictions become one.

Two kinds of latents: *scaled* ones (times `latent_scale`) are noised and painted; *condition* latents
are the unscaled posterior mode of the input picture, as the published training had them.
"""

from dataclasses import dataclass
from typing import cast

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor

from mgie_engine.config import ModelConfig, NoiseSchedule

ALMOST_ZERO = (
    2.0**-24
)  # stands for the zero of a zero-terminal-SNR schedule: sigma becomes 4096, not infinity


def build_unet(config: ModelConfig) -> UNet2DConditionModel:
    """A U-Net with random weights; twice the latent channels in, once out."""
    return UNet2DConditionModel(**config.unet)


def build_vae(config: ModelConfig) -> AutoencoderKL:
    """An autoencoder with random weights."""
    return AutoencoderKL(**config.vae)


def condition_latents(vae: AutoencoderKL, pixels: Tensor) -> Tensor:
    """The mode of the posterior (B, C, h, w) of pixels (B, 3, H, W) in -1…1. Not scaled: that is no slip."""
    return cast(Tensor, vae.encode(pixels).latent_dist.mode())


def target_latents(vae: AutoencoderKL, pixels: Tensor, noise: Tensor) -> Tensor:
    """A scaled sample of the posterior (B, C, h, w); `noise` (B, C, h, w) is standard normal."""
    posterior = vae.encode(pixels).latent_dist
    return cast(Tensor, (posterior.mean + posterior.std * noise) * vae.config.scaling_factor)


def alphas_cumprod(schedule: NoiseSchedule) -> Tensor:
    """The share of signal left at each training timestep, (train_timesteps,) fp32."""
    steps, start, end = schedule.train_timesteps, schedule.beta_start, schedule.beta_end
    if schedule.beta_schedule == "scaled_linear":
        betas = torch.linspace(start**0.5, end**0.5, steps, dtype=torch.float32) ** 2
    else:
        betas = torch.linspace(start, end, steps, dtype=torch.float32)
    alphas = torch.cumprod(1.0 - betas, dim=0)
    return _without_last_signal(alphas) if schedule.rescale_betas_zero_snr else alphas


def _without_last_signal(alphas: Tensor) -> Tensor:
    """Shift and stretch the roots: the last becomes 0, the first stays (arXiv 2305.08891, algorithm 1)."""
    roots = alphas.sqrt()
    return ((roots - roots[-1]) * roots[0] / (roots[0] - roots[-1])) ** 2


@dataclass(frozen=True, slots=True)
class Noised:
    """Training latents with noise (B, C, h, w), and what the U-Net should predict of them."""

    latents: Tensor
    target: Tensor


def add_noise(
    schedule: NoiseSchedule, alphas: Tensor, latents: Tensor, noise: Tensor, timesteps: Tensor
) -> Noised:
    """Noise scaled latents (B, C, h, w) to timesteps (B,); `alphas` is `alphas_cumprod`, same device."""
    alpha = alphas[timesteps].view(-1, 1, 1, 1)
    signal, spread = alpha.sqrt(), (1 - alpha).sqrt()
    noisy = signal * latents + spread * noise
    if schedule.prediction_type == "epsilon":
        return Noised(noisy, noise)
    return Noised(noisy, signal * noise - spread * latents)


def rescale(guided: Tensor, both: Tensor, share: float) -> Tensor:
    """Pull the spread of guided (B, C, h, w) to the unguided one (arXiv 2305.08891, eq. 14 to 16)."""
    if share == 0.0:
        return guided
    spread = both.std(dim=(1, 2, 3), keepdim=True) / guided.std(dim=(1, 2, 3), keepdim=True)
    return guided * (share * spread + (1 - share))


def to_x0(prediction: Tensor, latents: Tensor, sigmas: Tensor, schedule: NoiseSchedule) -> Tensor:
    """The clean latents a prediction (B, C, h, w) stands for, where latents = x0 + sigma (B,) · noise."""
    sigma = sigmas.view(-1, 1, 1, 1)
    if schedule.prediction_type == "epsilon":
        return latents - sigma * prediction
    return latents / (sigma**2 + 1) - sigma / (sigma**2 + 1).sqrt() * prediction
