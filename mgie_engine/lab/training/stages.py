"""The stages of the small model, each run from its folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from mgie_engine.config import ModelConfig
from mgie_engine.lab.training import packing
from mgie_engine.lab.training.autoencoder import train_vae
from mgie_engine.lab.training.context import StageContext
from mgie_engine.lab.training.dataset import SceneDataset, write_dataset
from mgie_engine.lab.training.diffusion_stage import train_diffusion
from mgie_engine.lab.training.language import train_mllm
from mgie_engine.lab.training.mini import IMAGE_TOKENS
from mgie_engine.lab.training.recipe import WORDINGS, Recipe
from mgie_engine.lab.training.vocabulary import train_vocabulary

TRAIN: dict[str, tuple[Callable[[StageContext], Any], str]] = {
    "vae": (train_vae, "vae.safetensors"),
    "mllm": (train_mllm, "mllm.safetensors"),
    "diffusion": (train_diffusion, "diffusion.safetensors"),
}


def make_dataset(folder: Path, stories: int, wordings: int = WORDINGS, first: int = 0) -> None:
    """Write the training stories in every wording, and the vocabulary unless it exists."""
    if not (folder / "tokenizer.model").is_file():
        train_vocabulary(folder)
    prompter = packing.prompter(folder, IMAGE_TOKENS)
    write_dataset(folder / "world", prompter, stories, first=first, wordings=wordings)


def train_stage(config: ModelConfig, recipe: Recipe, folder: Path, until: float | None = None) -> None:
    """Train one stage by its recipe and save its weights; every process calls this."""
    state = PartialState(cpu=not torch.cuda.is_available())
    files = sorted((folder / "world").glob("train-*.npz"))
    dataset = SceneDataset.load(files[state.process_index :: state.num_processes])
    train, file = TRAIN[recipe.stage]
    trained = train(StageContext(config, recipe, dataset, folder, state.device, state.process_index, until))
    if state.is_main_process:
        packing.save_weights(trained, folder / file)
    state.destroy_process_group()
