"""Train the small model, one stage a call; stages that do not need each other may run side by side.

    python -m mgie_engine.training world     --run DIR [--stories N]
    python -m mgie_engine.training mini-vae  --run DIR [--minutes M]
    python -m mgie_engine.training mini-mllm --run DIR
    python -m mgie_engine.training mini-diffusion --run DIR
    python -m mgie_engine.training pack      --run DIR

DIR holds the vocabulary, the world, each stage's weights and its log; `pack` writes the folder DIR/model.
"""

import argparse
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from mgie_engine.checkpoints import assemble, build, save
from mgie_engine.config import ModelConfig
from mgie_engine.evaluation.scenes import pictures
from mgie_engine.model.diffusion import build_vae
from mgie_engine.model.mllm import MLLM
from mgie_engine.model.preview import fit
from mgie_engine.prompting import Prompter
from mgie_engine.scenes.stories import story
from mgie_engine.tensors import Stored
from mgie_engine.tokenizer import Tokenizer
from mgie_engine.training.mini import IMAGE_TOKENS, mini_config, tiny_config
from mgie_engine.training.recipe import Recipe
from mgie_engine.training.stages import Run, fresh_modules, train_diffusion, train_mllm, train_vae
from mgie_engine.training.vocabulary import train_vocabulary
from mgie_engine.training.world import World, write_world


def main() -> None:
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_float32_matmul_precision("high")
    folder: Path = arguments.run
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.what == "world":
        make_world(folder, arguments.stories)
        return
    tokenizer = Tokenizer.read(folder)
    config = (tiny_config if arguments.tiny else mini_config)(len(tokenizer))
    changes = {
        name: value for name in ("minutes", "steps", "batch_size") if (value := getattr(arguments, name))
    }
    if arguments.no_compile:
        changes |= {"compile": False}
    if arguments.tiny:
        changes |= {"log_every": 2, "options": {"whiten_pictures": 64}}
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if arguments.what == "pack":
        pack(folder, config, tokenizer)
        return
    recipe = Recipe.read(arguments.what, **changes)
    files = sorted((folder / "world").glob("train-*.npz"))
    run = Run(config, recipe, World.load(files[: arguments.chunks]), folder, device)
    STAGES[recipe.stage](run)


def make_world(folder: Path, stories: int) -> None:
    """The vocabulary, and the training stories told in it."""
    if not (folder / "tokenizer.model").is_file():
        train_vocabulary(folder)
    prompter = Prompter(Tokenizer.read(folder), IMAGE_TOKENS, history_turns=2)
    write_world(folder / "world", prompter, stories)


def vae_stage(run: Run) -> None:
    save_file(_plain(train_vae(run)), run.folder / "vae.safetensors")


def mllm_stage(run: Run) -> None:
    save_file(_plain(train_mllm(run)), run.folder / "mllm.safetensors")


def diffusion_stage(run: Run) -> None:
    vae = build_vae(run.config).to(run.device).eval()
    vae.load_state_dict(load_file(run.folder / "vae.safetensors"))
    mllm = MLLM(run.config)
    mllm.load_state_dict(load_file(run.folder / "mllm.safetensors"))
    modules = fresh_modules(run.config, mllm)
    start = run.folder / "diffusion.safetensors"
    if start.is_file():  # go on from weights trained before
        modules.load_state_dict(load_file(start))
    save_file(_plain(train_diffusion(run, vae, modules)), start)


def pack(folder: Path, config: ModelConfig, tokenizer: Tokenizer) -> None:
    """The trained parts as one model folder: eight bits a weight, the autoencoder in sixteen."""
    networks = build(config)
    networks.vae.load_state_dict(load_file(folder / "vae.safetensors"))
    trained = nn.ModuleDict({"mllm": networks.mllm, "edit_head": networks.edit_head, "unet": networks.unet})
    trained.load_state_dict(load_file(folder / "diffusion.safetensors"))
    pixels = pictures(
        [step for seed in range(24) for step in story(seed, "train").states], config.picture_size
    )
    with torch.inference_mode():
        latents = networks.vae.encode(pixels * 2 - 1).latent_dist.mode() * config.latent_scale
    config = replace(config, preview=fit(latents, pixels * 2 - 1))
    save(assemble(config, tokenizer, networks), folder / "model", PACKED)


PACKED: dict[str, Stored] = {"": "int8", "vae.": "fp16", "model.embed_tokens": "fp16", "lm_head": "fp16"}

STAGES: dict[str, Callable[[Run], None]] = {
    "vae": vae_stage,
    "mllm": mllm_stage,
    "diffusion": diffusion_stage,
}


def _plain(module: nn.Module) -> dict[str, torch.Tensor]:
    """State with compile wrappers' prefixes removed, on the CPU."""
    return {
        k.replace("_orig_mod.", ""): v.detach().cpu().contiguous() for k, v in module.state_dict().items()
    }


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m mgie_engine.training", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("what", help='"world", or the name or path of a recipe')
    parser.add_argument("--run", type=Path, required=True, help="folder of this run")
    parser.add_argument("--stories", type=int, default=200_000)
    parser.add_argument("--chunks", type=int, help="read only so many files of the world")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--tiny", action="store_true", help="toy sizes, for a dry run on a CPU")
    return parser.parse_args()


if __name__ == "__main__":
    main()
