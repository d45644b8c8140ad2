"""Trains the variants one after another with one latent cache, the same graphs and initial weights.

The networks are built once and reset to their initial weights for every variant, so that compiled graphs are
reused. Batches and noise are drawn from the same seeds: every variant gets the same edits with the same noise
in the same order.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from mgie_engine.checkpoints.native import build
from mgie_engine.config import NoiseSchedule
from mgie_engine.lab.training.context import StageContext
from mgie_engine.lab.training.diffusion_stage import Batch, LanguagePass, batches, columns, warmup_batches
from mgie_engine.lab.training.latent_cache import LatentCache, SceneRenderer
from mgie_engine.lab.training.objective import LatentBatch, TextBatch, denoising
from mgie_engine.lab.training.trainer import Loss
from mgie_engine.lab.variants.pix2pix import WordEncoder, WordHead
from mgie_engine.lab.variants.tokens import InstructionIds, repeat_states, with_visual_tokens
from mgie_engine.lab.variants.variant import EDIT, INSTRUCTION, Variant
from mgie_engine.model.diffusion import alphas_cumprod
from mgie_engine.text.tokenizer import Tokenizer

PACE, PACE_EVERY = "pace", 4  # the log that times are read from; steps


class GuidancePass(nn.Module):
    """From states to both guidances, as one graph to compile."""

    def __init__(self, edit_head: nn.Module) -> None:
        super().__init__()
        self.edit_head = edit_head

    def forward(self, states: Tensor, embeddings: Tensor) -> tuple[Tensor, Tensor]:
        """Guidance (B, 77, out), and the one for no instruction (1, 77, out)."""
        return self.edit_head(states, embeddings), self.edit_head.null(embeddings)  # type: ignore[operator]


class DenoisingPass(nn.Module):
    """The U-Net's loss under a guidance, as one graph to compile: the large one, which all variants share."""

    def __init__(self, unet: nn.Module, noise: NoiseSchedule) -> None:
        super().__init__()
        self.unet, self.noise = unet, noise
        self.register_buffer("alphas", alphas_cumprod(noise))

    def forward(self, guidance: Tensor, null: Tensor, *fields: Tensor) -> Tensor:
        """Denoising loss of the fields of `LatentBatch` in order."""
        return denoising(self.unet, guidance, null, LatentBatch(*fields), self.noise, self.alphas).loss  # type: ignore[arg-type]


class VariantTrainer:
    """Trains variants on the dataset of a run, from the weights in its folder.

    These are vae.safetensors, mllm.safetensors and optionally unet.safetensors: a trained U-Net, as Stable
    Diffusion's in the paper. The weights that read the guidance are redrawn.
    """

    def __init__(self, run: StageContext, tokenizer: Tokenizer) -> None:
        self.run = run
        torch.manual_seed(run.recipe.seed)
        networks = build(run.config)
        _begin_painting(networks.unet, run.folder / "unet.safetensors")
        networks.mllm.load_state_dict(load_file(run.folder / "mllm.safetensors"))
        self.mllm, sizes = networks.mllm.to(run.device), run.config.edit_head
        self.unet = networks.unet.to(run.device)
        self.heads = nn.ModuleDict(
            {"edit": networks.edit_head, "word": WordHead(sizes, run.config.language.hidden_size)}
        ).to(run.device)
        networks.vae.load_state_dict(load_file(run.folder / "vae.safetensors"))
        self.first = [deepcopy(module.state_dict()) for module in self._all]
        self.instruction_ids = InstructionIds.of(tokenizer, sizes.queries, run.device)
        self.understand = run.compiled(LanguagePass(self.mllm))
        self.encode = run.compiled(WordEncoder(self.mllm))
        self.guide = {name: run.compiled(GuidancePass(head)) for name, head in self.heads.items()}
        self.denoise = run.compiled(DenoisingPass(self.unet, run.config.noise).to(run.device))
        renderer = SceneRenderer(run.dataset, run.device, compiled=run.recipe.compile)
        vae = networks.vae.to(run.device, memory_format=torch.channels_last).eval()
        self.latent_cache = LatentCache.build(run.dataset, run.config, renderer, vae)

    def seconds_per_step(self, variant: Variant, logs: Path) -> float:
        """Seconds per step of a variant, measured on a few discarded steps."""
        self.train(replace(variant, name=PACE), logs, steps=6 * PACE_EVERY, log_every=PACE_EVERY)
        lines = (logs / f"{PACE}.jsonl").read_text("utf-8").splitlines()
        minutes = [float(json.loads(line)["minutes"]) for line in lines]
        return 60 * median(after - before for before, after in pairwise(minutes)) / PACE_EVERY

    def train(self, variant: Variant, logs: Path, **changes: Any) -> nn.ModuleDict:
        """The averages of mllm, edit_head and unet after the recipe's steps; the log is logs/NAME.jsonl.

        `changes` are to the recipe.
        """
        for module, first in zip(self._all, self.first, strict=True):
            module.load_state_dict(first)
        head = self.heads["edit" if variant.speaks else "word"]
        modules = nn.ModuleDict({"mllm": self.mllm, "edit_head": head, "unet": self.unet})
        run = replace(self.run, recipe=replace(self.run.recipe, stage=variant.name, **changes), folder=logs)
        (logs / f"{variant.name}.jsonl").unlink(missing_ok=True)
        trainer, loss = run.trainer(modules), self._loss(variant)
        table = self.run.table()
        if run.recipe.compile:
            trainer.rehearse(warmup_batches(run, table), loss)
        torch.manual_seed(run.seed)
        trainer.begin()
        trainer.fit(batches(run, table, self.latent_cache), loss)
        return trainer.averaged

    @property
    def _all(self) -> tuple[nn.Module, ...]:
        return self.mllm, self.unet, self.heads

    def _loss(self, variant: Variant) -> Loss:
        weight = self.run.recipe.options.get("edit_weight", 1.0)

        def loss(modules: nn.ModuleDict, batch: Batch) -> Mapping[str, Tensor]:
            texts, paintings = batch
            words, states, embeddings = self._read(variant, texts)
            if EDIT not in variant.taught_by:
                states, embeddings = states.detach(), embeddings.detach()
            guidance, null = self.guide["edit" if variant.speaks else "word"](states, embeddings)
            edit = self.denoise(guidance, null, *columns(paintings))
            total = weight * edit + words if INSTRUCTION in variant.taught_by else weight * edit
            return {"total": total, "instruction": words, "edit": edit}

        return loss

    def _read(self, variant: Variant, texts: TextBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Loss of the words, states for the edit head, and the embeddings that go with them."""
        if not variant.speaks:
            states = self.encode(self.instruction_ids(texts.ids, texts.picture_at))
            return states.new_zeros(()), states, states
        wanted = variant.visual_tokens
        texts = with_visual_tokens(texts, self.mllm.visual_tokens, wanted)
        shown = texts if variant.sees else replace(texts, pixels=torch.zeros_like(texts.pixels))
        words, states = self.understand(*columns(shown))
        return words, repeat_states(states, wanted), repeat_states(self.mllm.visual_embeddings, wanted)


def _begin_painting(unet: nn.Module, known: Path) -> None:
    if not known.is_file():
        nn.init.zeros_(unet.conv_out.weight)  # type: ignore[union-attr, arg-type]
        return
    layers = ("attn2.to_k.", "attn2.to_v.")  # the layers that read the guidance
    redrawn = {
        name: value for name, value in unet.state_dict().items() if any(part in name for part in layers)
    }
    unet.load_state_dict(load_file(known) | redrawn)
