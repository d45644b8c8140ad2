"""The first stage: trains the autoencoder, then whitens its latents."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file
from torch import Tensor, nn

from mgie_engine.lab.training.context import StageContext
from mgie_engine.lab.training.latent_cache import SceneRenderer
from mgie_engine.model.diffusion import build_vae

PHOTOS = 0.375  # share of every batch: scenes, with their small sharp shapes, are harder


def train_vae(run: StageContext) -> AutoencoderKL:
    """Train on scenes and on photos, from DIR/start-vae.safetensors if it is there."""
    torch.manual_seed(run.recipe.seed)
    vae = build_vae(run.config).to(run.device, memory_format=torch.channels_last)
    if (start := run.folder / "start-vae.safetensors").is_file():
        vae.load_state_dict(load_file(start))
    photos, scenes = _painted(run, SceneRenderer(run.dataset, run.device, compiled=run.recipe.compile))
    trainer = run.trainer(nn.ModuleDict({"vae": vae}))
    judged = run.compiled(AutoencoderLoss(vae, int(run.recipe.batch_size * PHOTOS), run.recipe.options))

    def loss(modules: nn.ModuleDict, pictures: Tensor) -> Mapping[str, Tensor]:
        names = ("total", "psnr_photos", "psnr_scenes", "kl")
        return dict(zip(names, judged(pictures), strict=True))

    trainer.begin(run.minutes_left)
    trainer.fit(_batches(run, photos, scenes), loss)
    averaged: AutoencoderKL = trainer.averaged["vae"]
    some = run.recipe.options.get("whiten_pictures", 1024)
    whiten(
        averaged, [_as_input(batch) for half in (photos, scenes) for batch in torch.split(half[:some], 64)]
    )
    return averaged


def _painted(run: StageContext, renderer: SceneRenderer) -> tuple[Tensor, Tensor]:
    """Photos and scenes, each (N, 3, H, W) uint8; rendered once, since rendering is slower than a step."""
    rng = np.random.default_rng(run.seed)
    count, halves = run.recipe.options.get("pictures", 64), list[Tensor]()
    for share, wanted in ((PHOTOS, run.dataset.is_photo), (1 - PHOTOS, run.dataset.is_photo == 0)):
        rows = torch.from_numpy(rng.choice(np.flatnonzero(wanted), int(count * share)))
        pictures = [renderer(some, run.config.picture_size) for some in torch.split(rows, 64)]
        halves.append(torch.cat([(part * 255).round().byte() for part in pictures]))
    return halves[0], halves[1]


def _batches(run: StageContext, photos: Tensor, scenes: Tensor) -> Iterator[Tensor]:
    """Endless batches (B, 3, H, W) in -1…1, photos first; half of them mirrored."""
    size = run.recipe.batch_size
    few = int(size * PHOTOS)
    while True:
        halves = (photos, few), (scenes, size - few)
        rows = [torch.randint(len(half), (count,), device=half.device) for half, count in halves]
        pictures = torch.cat([photos[rows[0]], scenes[rows[1]]])
        yield _as_input(pictures.flip(-1) if torch.rand(()) < 0.5 else pictures)


def _as_input(pictures: Tensor) -> Tensor:
    return (pictures.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


class AutoencoderLoss(nn.Module):
    """One pass through the autoencoder with its losses, as one graph to compile.

    Absolute error of pixels and of their differences, some squared error, a little KL divergence.
    """

    def __init__(self, vae: AutoencoderKL, photos: int, options: Mapping[str, float]) -> None:
        super().__init__()
        self.vae, self.photos, self.options = vae, photos, dict(options)

    def forward(self, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Total loss, PSNR in dB of the first `photos` pictures and of the rest, KL per latent value."""
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
        return total, psnr[: self.photos].mean(), psnr[self.photos :].mean(), kl


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
