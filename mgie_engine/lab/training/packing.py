"""Between a run's folder and a model's folder: saves weights, packs a model, unpacks one to continue from."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from conversations.atomic_write import replacing
from mgie_engine.checkpoints.native import assemble, build, load_model, save
from mgie_engine.checkpoints.tensors import Stored
from mgie_engine.config import ModelConfig, resolve_model
from mgie_engine.lab.scenes.scene_images import pictures
from mgie_engine.lab.scenes.stories import MAX_HISTORY, story
from mgie_engine.lab.training.recipe import PARTS
from mgie_engine.lab.training.trainer import checkpoints, read_average
from mgie_engine.model.preview import fit
from mgie_engine.text.prompting import Prompter
from mgie_engine.text.tokenizer import Tokenizer

PREVIEWED = 24  # each of another story
STORED: dict[str, Stored] = {"": "int8", "vae.": "fp16", "model.embed_tokens": "fp16", "lm_head": "fp16"}


def prompter(folder: Path, image_tokens: int) -> Prompter:
    """Builds texts with the vocabulary of a run."""
    return Prompter(Tokenizer.read(folder), image_tokens, history_turns=MAX_HISTORY)


def save_weights(module: nn.Module, path: Path) -> None:
    """Write weights whole or not at all, on the CPU."""
    state = {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
    with replacing(path) as part:
        save_file(state, part)


def pack(folder: Path, config: ModelConfig) -> list[Path]:
    """Write the trained parts of a run as a model folder: eight bits per weight, sixteen for the autoencoder.

    While the last stage is still running, its last checkpoint is packed. The preview projection is fitted on
    `PREVIEWED` pictures.
    """
    networks = build(config)
    networks.vae.load_state_dict(load_file(folder / "vae.safetensors"))
    trained = nn.ModuleDict({"mllm": networks.mllm, "edit_head": networks.edit_head, "unet": networks.unet})
    trained.load_state_dict(_trained(folder, trained))
    config = replace(config, preview=_preview(networks.vae, config))
    return save(assemble(config, Tokenizer.read(folder), networks), folder / "model", STORED)


def _preview(vae: AutoencoderKL, config: ModelConfig) -> tuple[tuple[float, ...], ...]:
    """One picture at a time: a batch would not fit the CPU's cache."""
    starts = [story(seed, "train").states[0] for seed in range(PREVIEWED)]
    pixels = [pictures([state], config.picture_size) * 2 - 1 for state in starts]
    with torch.inference_mode():
        latents = [vae.encode(one).latent_dist.mode() * config.latent_scale for one in pixels]
    return fit(torch.cat(latents), torch.cat(pixels))


def _trained(folder: Path, modules: nn.ModuleDict) -> dict[str, Tensor]:
    if (done := folder / "diffusion.safetensors").is_file():
        return load_file(done)
    return read_average(checkpoints(folder / "diffusion")[0], modules.state_dict())


def unpack(model: str, folder: Path, parts: Collection[str] = PARTS) -> None:
    """Write parts of a model as the start of a run; the vocabulary comes with the language model."""
    mgie = load_model(resolve_model(model))
    if "vae" in parts:
        save_weights(mgie.vae, folder / "start-vae.safetensors")
    if "mllm" in parts:
        mgie.tokenizer.save(folder)
        save_weights(mgie.mllm, folder / "start-mllm.safetensors")
    if "unet" in parts:
        save_weights(mgie.unet, folder / "start-unet.safetensors")
    if "diffusion" in parts:
        trained = {"mllm": mgie.mllm, "edit_head": mgie.edit_head, "unet": mgie.unet}
        save_weights(nn.ModuleDict(trained), folder / "start-diffusion.safetensors")
