"""The third stage: end-to-end training on cached latents, language model included."""

import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from mgie_engine.checkpoints.native import build
from mgie_engine.config import NoiseSchedule
from mgie_engine.lab.training.context import StageContext, TextSampler, TextTable, to_device
from mgie_engine.lab.training.latent_cache import LatentCache, SceneRenderer, normalised, shifted
from mgie_engine.lab.training.objective import LatentBatch, TextBatch, denoising, understand
from mgie_engine.lab.training.recipe import Recipe
from mgie_engine.model.diffusion import alphas_cumprod

log = logging.getLogger(__name__)
Batch = tuple[TextBatch, LatentBatch]


class LanguagePass(nn.Module):
    """The language half of a batch, as one graph to compile."""

    def __init__(self, mllm: nn.Module) -> None:
        super().__init__()
        self.mllm = mllm

    def forward(self, *columns: Tensor) -> tuple[Tensor, Tensor]:
        """Next-token loss and the states (B, 8, D), of the fields of `TextBatch` in order."""
        understood = understand(self.mllm, TextBatch(*columns))  # type: ignore[arg-type]
        return understood.loss, understood.states


class DiffusionPass(nn.Module):
    """The diffusion half of a batch, edit head included, as one graph to compile."""

    def __init__(self, edit_head: nn.Module, unet: nn.Module, noise: NoiseSchedule, alphas: Tensor) -> None:
        super().__init__()
        self.edit_head, self.unet, self.noise = edit_head, unet, noise
        self.register_buffer("alphas", alphas)

    def forward(self, states: Tensor, embeddings: Tensor, *columns: Tensor) -> Tensor:
        """Denoising loss, of states (B, 8, D) and the fields of `LatentBatch` in order."""
        guidance, null = self.edit_head(states, embeddings), self.edit_head.null(embeddings)  # type: ignore[operator]
        paintings = LatentBatch(*columns)
        return denoising(self.unet, guidance, null, paintings, self.noise, self.alphas).loss  # type: ignore[arg-type]


def train_diffusion(run: StageContext) -> nn.ModuleDict:
    """Train; returns the averages of mllm, edit_head and unet.

    Starts from DIR/start-diffusion.safetensors if it exists. Compiles first and then waits for the results of
    the first two stages, so that it may be called while they are still running.
    """
    torch.manual_seed(run.recipe.seed)
    networks = build(run.config)
    modules = nn.ModuleDict({"mllm": networks.mllm, "edit_head": networks.edit_head, "unet": networks.unet})
    nn.init.zeros_(networks.unet.conv_out.weight)
    modules.to(run.device)
    trainer = run.trainer(modules)
    torch.manual_seed(run.seed)
    alphas = alphas_cumprod(run.config.noise).to(run.device)
    reading = run.compiled(LanguagePass(modules["mllm"]))
    painting = run.compiled(DiffusionPass(modules["edit_head"], modules["unet"], run.config.noise, alphas))
    edit_weight = run.recipe.options.get("edit_weight", 1.0)

    def loss(modules: nn.ModuleDict, batch: Batch) -> Mapping[str, Tensor]:
        texts, paintings = batch
        words, states = reading(*columns(texts))
        edit = painting(states[: len(paintings.goal)], modules["mllm"].visual_embeddings, *columns(paintings))
        return {"total": words + edit_weight * edit, "instruction": words, "edit": edit}

    table = run.table()
    renderer = SceneRenderer(run.dataset, run.device, compiled=run.recipe.compile)
    if run.recipe.compile:
        trainer.rehearse(warmup_batches(run, table), loss)
        renderer(torch.arange(LatentCache.batch_of(run.dataset)), run.config.picture_size)
    vae = networks.vae.to(run.device, memory_format=torch.channels_last).eval()
    vae.load_state_dict(wait_for(run.folder / "vae.safetensors"))
    latent_cache = LatentCache.build(run.dataset, run.config, renderer, vae)
    log.info("gallery of %d pictures hung", len(latent_cache.latents))
    if (start := run.folder / "start-diffusion.safetensors").is_file():
        modules.load_state_dict(load_file(start))
    modules["mllm"].load_state_dict(wait_for(run.folder / "mllm.safetensors"))
    trainer.begin(run.minutes_left)
    trainer.fit(batches(run, table, latent_cache), loss)
    return trainer.averaged


def wait_for(path: Path) -> dict[str, Tensor]:
    """The tensors of a file that another stage may still have to write."""
    while not path.is_file():
        time.sleep(0.5)
    return load_file(path)


def painted_rows(recipe: Recipe) -> int:
    """How many rows of a batch are painted as well as read: the share `painted` of them, all by default."""
    share: float = recipe.options.get("painted", 1.0)
    return max(1, round(recipe.batch_size * share))


def columns(batch: TextBatch | LatentBatch) -> list[Tensor]:
    """The fields in order, as a compiled graph takes them."""
    return [getattr(batch, name) for name in type(batch).__slots__]


def warmup_batches(run: StageContext, table: TextTable) -> Iterator[Batch]:
    """One batch of each width on noise, to trigger compilation."""
    size, side, shape = run.recipe.batch_size, run.config.vision.image_size, run.config.latent_shape
    painted = painted_rows(run.recipe)
    draw = TextSampler.of(run.dataset, run.seed, inventories=False)
    for bucket in draw.buckets:
        rows = torch.from_numpy(bucket[:1].repeat(size)).to(run.device)
        pixels = torch.randn(size, 3, side, side, device=run.device)
        changed = torch.ones(painted, 1, *shape[1:], device=run.device)
        steps = torch.ones(painted, dtype=torch.int64, device=run.device)
        noise_sample = torch.rand(painted, device=run.device)
        # three tensors, not one thrice: a graph for aliased inputs serves no others
        goal, condition, noise = (torch.randn(painted, *shape, device=run.device) for _ in range(3))
        yield table.texts(rows, pixels), LatentBatch(goal, condition, noise, steps, noise_sample, changed)


def batches(run: StageContext, table: TextTable, latent_cache: LatentCache) -> Iterator[Batch]:
    """Endless batches of random edits at random noise levels; the run's seed decides which edits."""
    device, options, vision = run.device, run.recipe.options, run.config.vision
    draw = TextSampler.of(run.dataset, run.seed, inventories=False)
    before, after = (torch.from_numpy(c).long().to(device) for c in (run.dataset.before, run.dataset.after))
    steps, bias = run.config.noise.train_timesteps, options.get("noise_bias", 1.5)
    share, most = options.get("mask_share", 0.3), options.get("mask_most", 8.0)
    painted = painted_rows(run.recipe)
    while True:
        drawn = draw.texts(run.recipe.batch_size)
        edits = to_device(torch.from_numpy(run.dataset.edit[drawn]).long(), device)
        to_paint = edits[:painted]
        goal = latent_cache.latents[after[to_paint]].float() * run.config.latent_scale
        late = torch.rand(painted, device=device) ** bias
        paintings = LatentBatch(
            goal,
            latent_cache.latents[before[to_paint]].float(),
            torch.randn_like(goal),
            (steps * (1 - late)).long().clamp(0, steps - 1),
            torch.rand(painted, device=device),
            mask_weight(latent_cache.changed[to_paint], share, most),
        )
        seen = shifted(latent_cache.pixels[before[edits]], options.get("shift", 0))
        pixels = normalised(seen, vision.mean, vision.std)
        yield table.texts(torch.from_numpy(drawn), pixels), paintings


def mask_weight(changed: Tensor, share: float, most: float) -> Tensor:
    """Weights (B, 1, h, w): the changed area gets about `share` of the loss, however small; 1 elsewhere."""
    area = changed.float().mean(dim=(1, 2, 3), keepdim=True).clamp(min=1e-4)
    inside = (share / area).clamp(1.0, most)
    return torch.where(changed, inside, torch.ones_like(inside))
