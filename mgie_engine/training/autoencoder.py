"""The first stage: pictures to latents and back, then the latents whitened once and for all."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file
from torch import Tensor, nn

from mgie_engine.model.diffusion import build_vae
from mgie_engine.training.gallery import Painter
from mgie_engine.training.run import Run


def train_vae(run: Run) -> AutoencoderKL:
    """Train on scenes and photos, half and half, from DIR/start-vae.safetensors if it is there."""
    torch.manual_seed(run.recipe.seed)
    vae = build_vae(run.config).to(run.device, memory_format=torch.channels_last)
    if (start := run.folder / "start-vae.safetensors").is_file():
        vae.load_state_dict(load_file(start))
    painter = Painter(run.world, run.device, compiled=run.recipe.compile)
    trainer = run.trainer(nn.ModuleDict({"vae": vae}))
    judged = run.compiled(Judged(vae, run.recipe.options))

    def loss(modules: nn.ModuleDict, pictures: Tensor) -> Mapping[str, Tensor]:
        names = ("total", "psnr_photos", "psnr_scenes", "kl")
        return dict(zip(names, judged(pictures), strict=True))

    trainer.fit(_pictures(run, painter), loss)
    averaged: AutoencoderKL = trainer.averaged["vae"]
    whiten(averaged, _sample(run, painter))
    return averaged


def _pictures(run: Run, painter: Painter) -> Iterator[Tensor]:
    """Endless batches (B, 3, H, W) in -1…1; the first half of each are photos."""
    rng = np.random.default_rng(run.seed)
    photos, scenes = np.flatnonzero(run.world.is_photo), np.flatnonzero(run.world.is_photo == 0)
    half = run.recipe.batch_size // 2
    while True:
        rows = np.concatenate([rng.choice(photos, half), rng.choice(scenes, half)])
        pictures = painter(torch.from_numpy(rows), run.config.picture_size)
        yield pictures.contiguous(memory_format=torch.channels_last) * 2 - 1


def _sample(run: Run, painter: Painter) -> list[Tensor]:
    """A few batches of the world's pictures as they come, for measuring the latents."""
    count = int(run.recipe.options.get("whiten_pictures", 2048))
    rows = torch.from_numpy(np.random.default_rng(1).choice(len(run.world.is_photo), count))
    return [painter(rows[i : i + 64], run.config.picture_size) * 2 - 1 for i in range(0, count, 64)]


class Judged(nn.Module):
    """One trip through the autoencoder with its losses, as one graph to compile.

    Absolute error of pixels and of their differences, some squared error, a touch of KL divergence.
    """

    def __init__(self, vae: AutoencoderKL, options: Mapping[str, float]) -> None:
        super().__init__()
        self.vae, self.options = vae, dict(options)

    def forward(self, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Total loss, PSNR in dB of the first half and of the second, KL per latent value."""
        mean, logvar = self.vae.quant_conv(self.vae.encoder(wanted)).float().chunk(2, 1)
        logvar = logvar.clamp(-30, 20)
        latents = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        error = self.vae.decoder(self.vae.post_quant_conv(latents)).float() - wanted
        kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
        squared = error.square().mean(dim=(1, 2, 3))
        edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
        total = error.abs().mean() + self.options.get("edges", 0.5) * edges
        total = total + self.options.get("squared", 1.0) * squared.mean() + self.options.get("kl", 1e-5) * kl
        psnr = 10 * torch.log10(4 / squared.detach().clamp(min=1e-8))
        half = len(wanted) // 2
        return total, psnr[:half].mean(), psnr[half:].mean(), kl


@torch.no_grad()
def whiten(vae: AutoencoderKL, batches: list[Tensor]) -> None:
    """Fold a shift and a scale into the 1 x 1 convolutions so that every latent channel is N(0, 1)."""
    modes = torch.cat([vae.encode(batch).latent_dist.mode().float() for batch in batches])
    mean, std = modes.mean(dim=(0, 2, 3)), modes.std(dim=(0, 2, 3))
    channels = len(mean)
    into, out = vae.quant_conv, vae.post_quant_conv
    out.bias += (out.weight[:, :, 0, 0] * mean).sum(1)
    out.weight *= std.view(1, -1, 1, 1)
    into.bias[:channels] = (into.bias[:channels] - mean) / std
    into.weight[:channels] /= std.view(-1, 1, 1, 1)
    into.bias[channels:] -= 2 * std.log()
