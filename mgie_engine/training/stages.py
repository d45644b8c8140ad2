"""The three stages of the small model, each a loss over a stream of batches.

vae: pictures to latents and back. mllm: look and spell out, text only. diffusion: end to end, the
language model included, on latents hung in a gallery.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file
from torch import Tensor, nn

from mgie_engine.config import ModelConfig
from mgie_engine.model.diffusion import alphas_cumprod, build_unet, build_vae
from mgie_engine.model.edit_head import EditHead
from mgie_engine.model.mllm import MLLM
from mgie_engine.training.gallery import Gallery, Painter, normalised
from mgie_engine.training.objective import IGNORED, Paintings, Texts, denoising, understand
from mgie_engine.training.recipe import Recipe
from mgie_engine.training.trainer import Trainer
from mgie_engine.training.world import INVENTORY, World

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """Where and how a stage runs."""

    config: ModelConfig
    recipe: Recipe
    world: World
    folder: Path
    device: torch.device

    @property
    def on_cpu(self) -> bool:
        return self.device.type == "cpu"

    def trainer(self, modules: nn.ModuleDict) -> Trainer:
        return Trainer(self.recipe, modules, self.folder, cpu=self.on_cpu)

    def compiled(self, module: nn.Module) -> Callable[..., Tensor]:
        return torch.compile(module) if self.recipe.compile else module


def train_vae(run: Run) -> AutoencoderKL:
    """Train the autoencoder, half on scenes and half on photos, then whiten its latents."""
    torch.manual_seed(run.recipe.seed)
    vae = build_vae(run.config).to(run.device, memory_format=torch.channels_last)
    if (start := run.folder / "vae.safetensors").is_file():  # go on from weights trained before
        vae.load_state_dict(load_file(start))
    painter = Painter(run.world, run.device, compiled=run.recipe.compile)
    trainer = run.trainer(nn.ModuleDict({"vae": vae}))
    autoencode = run.compiled(_Autoencode(vae))

    def batches() -> Iterator[Tensor]:
        rng = np.random.default_rng(run.recipe.seed)
        photos, scenes = np.flatnonzero(run.world.is_photo), np.flatnonzero(~run.world.is_photo)
        half = run.recipe.batch_size // 2
        while True:
            rows = np.concatenate([rng.choice(photos, half), rng.choice(scenes, half)])
            pictures = painter(torch.from_numpy(rows), run.config.picture_size)
            yield pictures.contiguous(memory_format=torch.channels_last) * 2 - 1

    def loss(modules: nn.ModuleDict, pictures: Tensor) -> Mapping[str, Tensor]:
        rebuilt, kl = autoencode(pictures)
        return vae_losses(pictures, rebuilt.float(), kl, run.recipe.options)

    trainer.fit(batches(), loss)
    averaged = trainer.averaged["vae"]
    count = run.recipe.options.get("whiten_pictures", 2048)
    sample = torch.from_numpy(np.random.default_rng(1).choice(len(run.world.is_photo), count))
    whiten(averaged, [painter(rows, run.config.picture_size) * 2 - 1 for rows in sample.split(64)])
    return averaged


class _Autoencode(nn.Module):
    """One trip through the autoencoder, as one graph to compile: pixels to (pixels, KL divergence)."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        moments = self.vae.quant_conv(self.vae.encoder(pixels))
        mean, logvar = moments.float().chunk(2, 1)
        logvar = logvar.clamp(-30, 20)
        latents = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
        return self.vae.decoder(self.vae.post_quant_conv(latents)), kl


def vae_losses(
    wanted: Tensor, rebuilt: Tensor, kl: Tensor, options: Mapping[str, float]
) -> Mapping[str, Tensor]:
    """Absolute error of pixels and of their differences, a touch of squared error and of KL; in -1…1."""
    error = rebuilt - wanted
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    squared = error.square().mean(dim=(1, 2, 3))
    total = (
        error.abs().mean() + options.get("edges", 0.5) * edges + options.get("squared", 1.0) * squared.mean()
    )
    half = len(wanted) // 2
    psnr = 10 * torch.log10(4 / squared.detach().clamp(min=1e-8))
    return {
        "total": total + options.get("kl", 1e-5) * kl,
        "psnr_photos": psnr[:half].mean(),
        "psnr_scenes": psnr[half:].mean(),
        "kl": kl,
    }


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


@dataclass(frozen=True, slots=True)
class Rows:
    """Draws edits so that a batch holds texts of about the same length."""

    world: World
    buckets: list[np.ndarray]  # indices of edits
    rng: np.random.Generator

    @classmethod
    def sort(cls, world: World, seed: int, *, inventories: bool, count: int = 6) -> "Rows":
        edits = np.arange(len(world.kind)) if inventories else np.flatnonzero(world.kind != INVENTORY)
        by_length = edits[np.argsort(world.length[edits], kind="stable")]
        return cls(world, np.array_split(by_length, count), np.random.default_rng(seed))

    def draw(self, size: int) -> np.ndarray:
        """Indices (size,) of edits from one bucket, drawn at random."""
        return self.rng.choice(self.buckets[self.rng.integers(len(self.buckets))], size)


class TextTable:
    """Token columns on the device."""

    def __init__(self, world: World, device: torch.device) -> None:
        names = ("ids", "length", "asked", "picture_at", "states_at")
        self.columns = {name: torch.from_numpy(getattr(world, name)).to(device) for name in names}

    def texts(self, edits: Tensor, pixels: Tensor) -> Texts:
        """Rows of edits (B,) with their normalised pixels, padded to a multiple of 16."""
        longest = int(self.columns["length"][edits].max())
        width = min(-(-longest // 16) * 16, self.columns["ids"].shape[1])
        ids = self.columns["ids"][edits, :width].long()
        place = torch.arange(width, device=ids.device)[None]
        real = place < self.columns["length"][edits, None]
        taught = real & (place >= self.columns["asked"][edits, None])
        where = (self.columns[name][edits].long() for name in ("picture_at", "states_at"))
        return Texts(ids, ids.masked_fill(~taught, IGNORED), real, *where, pixels)


def train_mllm(run: Run) -> MLLM:
    """Teach the language model to look and to spell edits out, on pictures painted at its own size."""
    torch.manual_seed(run.recipe.seed)
    mllm = MLLM(run.config).to(run.device)
    painter = Painter(run.world, run.device, compiled=run.recipe.compile)
    table, vision = TextTable(run.world, run.device), run.config.vision
    rows = Rows.sort(run.world, run.recipe.seed, inventories=True)
    trainer = run.trainer(nn.ModuleDict({"mllm": mllm}))

    def batches() -> Iterator[Texts]:
        while True:
            edits = rows.draw(run.recipe.batch_size)
            pictures = painter(torch.from_numpy(run.world.before[edits]).long(), vision.image_size)
            pixels = normalised((pictures * 255).round(), vision.mean, vision.std)
            yield table.texts(torch.from_numpy(edits).to(run.device), pixels)

    def loss(modules: nn.ModuleDict, texts: Texts) -> Mapping[str, Tensor]:
        return {"total": understand(modules["mllm"], texts).loss}  # type: ignore[arg-type]

    trainer.fit(batches(), loss)
    return trainer.averaged["mllm"]  # type: ignore[return-value]


def train_diffusion(run: Run, vae: AutoencoderKL, modules: nn.ModuleDict) -> nn.ModuleDict:
    """End to end: `modules` holds mllm, edit_head and unet; returns their averages."""
    torch.manual_seed(run.recipe.seed)
    painter = Painter(run.world, run.device, compiled=run.recipe.compile)
    side, size = run.config.vision.image_size, run.config.picture_size
    gallery = Gallery.hang(run.world, painter, vae, side, size=size)
    log.info("gallery of %d pictures hung", len(gallery.latents))
    modules = modules.to(run.device)
    trainer = run.trainer(modules)
    modules["unet"].compile() if run.recipe.compile else None
    alphas = alphas_cumprod(run.config.noise).to(run.device)
    edit_weight = run.recipe.options.get("edit_weight", 1.0)

    def loss(modules: nn.ModuleDict, batch: tuple[Texts, Paintings]) -> Mapping[str, Tensor]:
        texts, paintings = batch
        understood = understand(modules["mllm"], texts)  # type: ignore[arg-type]
        embeddings = modules["mllm"].visual_embeddings
        guidance = modules["edit_head"](understood.states, embeddings)
        null = modules["edit_head"].null(embeddings)
        edit = denoising(modules["unet"], guidance, null, paintings, run.config.noise, alphas).loss  # type: ignore[arg-type]
        return {"total": understood.loss + edit_weight * edit, "instruction": understood.loss, "edit": edit}

    trainer.fit(_paintings(run, gallery), loss, save_every=int(run.recipe.options.get("save_every", 0)))
    return trainer.averaged


def _paintings(run: Run, gallery: Gallery) -> Iterator[tuple[Texts, Paintings]]:
    device, options, vision = run.device, run.recipe.options, run.config.vision
    table, rows = TextTable(run.world, device), Rows.sort(run.world, run.recipe.seed, inventories=False)
    before, after = (
        torch.from_numpy(column).long().to(device) for column in (run.world.before, run.world.after)
    )
    steps = run.config.noise.train_timesteps
    while True:
        edits = torch.from_numpy(rows.draw(run.recipe.batch_size)).to(device)
        goal = gallery.latents[after[edits]].float() * run.config.latent_scale
        draw = torch.rand(len(edits), device=device)
        timesteps = (steps * (1 - draw ** options.get("noise_bias", 1.5))).long().clamp(0, steps - 1)
        paintings = Paintings(
            goal,
            gallery.latents[before[edits]].float(),
            torch.randn_like(goal),
            timesteps,
            torch.rand(len(edits), device=device),
            mask_weight(
                gallery.changed[edits], options.get("mask_share", 0.3), options.get("mask_most", 8.0)
            ),
        )
        pixels = normalised(gallery.pixels[before[edits]], vision.mean, vision.std)
        yield table.texts(edits, pixels), paintings


def mask_weight(changed: Tensor, share: float, most: float) -> Tensor:
    """Weights (B, 1, h, w): the changed area gets about `share` of the loss, however small; 1 elsewhere."""
    area = changed.float().mean(dim=(1, 2, 3), keepdim=True).clamp(min=1e-4)
    inside = (share / area).clamp(1.0, most)
    return torch.where(changed, inside, torch.ones_like(inside))


def fresh_modules(config: ModelConfig, mllm: MLLM) -> nn.ModuleDict:
    """What the diffusion stage trains: the taught language model, a new edit head and a new U-Net."""
    torch.manual_seed(0)
    head = EditHead(config.edit_head, config.language.hidden_size)
    unet: UNet2DConditionModel = build_unet(config)
    nn.init.zeros_(unet.conv_out.weight)
    return nn.ModuleDict({"mllm": mllm, "edit_head": head, "unet": unet})
