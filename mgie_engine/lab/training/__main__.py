"""Train the small model. One call does it all, the stages that do not need each other side by side:

    python -m mgie_engine.lab.training mini --folder DIR [--minutes M] [--stories N] [--first I]
        [--wordings K] [--start MODEL [--parts vae …] [--keep vae …]]

or one stage a call, in this order (the third may be started early: it waits for the first two):

    python -m mgie_engine.lab.training world          --folder DIR [--stories N] [--first I] [--wordings K]
    python -m mgie_engine.lab.training mini-vae       --folder DIR [--minutes M]
    python -m mgie_engine.lab.training mini-mllm      --folder DIR [--minutes M]
    python -m mgie_engine.lab.training mini-diffusion --folder DIR [--minutes M]
    python -m mgie_engine.lab.training pack           --folder DIR

A stage also runs on all devices of a machine at once, under torchrun; the first form does so by itself.
DIR holds the vocabulary, the world, each stage's weights and its log; `pack` writes the folder DIR/model.

Train MGIE at full size, by the release's recipe or the paper's, on what `mgie data` prepared; started again
with the same folder, it goes on where it was (docs/training.md):

    accelerate launch -m mgie_engine.lab.training release --data PREPARED --from MODEL --folder DIR
        [--shard] [--set options.micro_batch=8 …]
"""

import argparse
import logging
import os
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from mgie_engine.config import models_home
from mgie_engine.errors import EngineError, ModelError
from mgie_engine.install.full_size import FULL_SIZE
from mgie_engine.lab.training import full, initial_weights, packing, pipeline
from mgie_engine.lab.training.autoencoder import train_vae
from mgie_engine.lab.training.context import StageContext
from mgie_engine.lab.training.dataset import WORDINGS, SceneDataset, write_dataset
from mgie_engine.lab.training.diffusion_stage import train_diffusion
from mgie_engine.lab.training.language import train_mllm
from mgie_engine.lab.training.mini import IMAGE_TOKENS, mini_config, tiny_config
from mgie_engine.lab.training.recipe import Recipe
from mgie_engine.lab.training.vocabulary import train_vocabulary
from mgie_engine.text.tokenizer import Tokenizer

STAGES: dict[str, tuple[Callable[[StageContext], Any], str]] = {
    "vae": (train_vae, "vae.safetensors"),
    "mllm": (train_mllm, "mllm.safetensors"),
    "diffusion": (train_diffusion, "diffusion.safetensors"),
}


def main() -> None:
    given = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_float32_matmul_precision("high")
    given.folder.mkdir(parents=True, exist_ok=True)
    match given.what:
        case "mini":
            plan = pipeline.PipelineConfig(
                given.minutes or 26.0,
                given.stories,
                given.wordings,
                given.first,
                start=given.start,
                parts=given.parts,
                kept=given.keep,
            )
            pipeline.train(given.folder, plan, given.tiny)
        case "world":
            make_dataset(given.folder, given.stories, given.wordings, given.first)
        case "pack":
            packing.pack(given.folder, _config(given))
        case _:
            recipe = _recipe(given)
            (train_full if recipe.stage == "full" else train_stage)(given, recipe)


def make_dataset(folder: Path, stories: int, wordings: int = WORDINGS, first: int = 0) -> None:
    """The vocabulary, unless it is there already, and the training stories told in it, with every wording."""
    if not (folder / "tokenizer.model").is_file():
        train_vocabulary(folder)
    prompter = packing.prompter(folder, IMAGE_TOKENS)
    write_dataset(folder / "world", prompter, stories, first=first, wordings=wordings)


def train_full(given: argparse.Namespace, recipe: Recipe) -> None:
    """Train MGIE at full size."""
    if not given.data or not given.start:
        raise ModelError("Say with --data what was prepared, and with --from what to start from.")
    state = PartialState(cpu=not torch.cuda.is_available())
    if given.start == "random":
        tokenizer = Tokenizer.read(given.tokenizer or given.folder)
        config = tiny_config(len(tokenizer)) if given.tiny else FULL_SIZE
        source = initial_weights.random_weights(config, tokenizer, state.device)
    else:
        home = models_home(os.environ)
        source = initial_weights.read_source(
            given.start, home, given.diffusion, given.diffusion_folder, recipe.seed
        )
    # What `accelerate launch --use_fsdp` says; the sharding itself is torch's.
    shared = given.shard or os.environ.get("ACCELERATE_USE_FSDP") == "true"
    try:
        full.train(full.FullTrainingConfig(recipe, given.data, given.folder, shared), source, state)
    finally:
        state.destroy_process_group()


def train_stage(given: argparse.Namespace, recipe: Recipe) -> None:
    """Run one stage of the small model by its recipe, and keep its weights."""
    state = PartialState(cpu=not torch.cuda.is_available())
    files = sorted((given.folder / "world").glob("train-*.npz"))
    dataset = SceneDataset.load(files[state.process_index :: state.num_processes])
    train, file = STAGES[recipe.stage]
    run = StageContext(
        _config(given), recipe, dataset, given.folder, state.device, state.process_index, given.until
    )
    trained = train(run)
    if state.is_main_process:
        packing.save_weights(trained, given.folder / file)
    state.destroy_process_group()


def _recipe(given: argparse.Namespace) -> Recipe:
    """A recipe, changed by what was said on the command line."""
    said = {name: v for name in ("minutes", "steps", "batch_size") if (v := getattr(given, name))}
    told = tomllib.loads("\n".join(given.set))
    options = told.pop("options", {})
    recipe = Recipe.read(given.what, **said, **told)
    if given.tiny:
        dry = {"log_every": 2, "compile": False} | told
        small = {"vae": {"whiten_pictures": 64}, "full": dict[str, Any]()}.get(recipe.stage, recipe.options)
        recipe = replace(recipe, **dry, options=small)
    return replace(recipe, options={**recipe.options, **options})


def _config(given: argparse.Namespace) -> Any:
    return (tiny_config if given.tiny else mini_config)(len(Tokenizer.read(given.folder)))


def _arguments() -> argparse.Namespace:
    layout = argparse.RawDescriptionHelpFormatter
    name = "python -m mgie_engine.lab.training"
    parser = argparse.ArgumentParser(name, None, __doc__, formatter_class=layout)
    parser.add_argument("what", help='"mini", "world", "pack", or the name or path of a recipe')
    parser.add_argument("--folder", type=Path, required=True, help="of this run")
    # torchrun takes --start for its own --start-method.
    parser.add_argument("--start", "--from", help="model to go on from: a name, a folder, or “random”")
    parser.add_argument("--parts", nargs="+", choices=packing.PARTS, default=packing.PARTS, help="what of it")
    parser.add_argument("--keep", nargs="+", choices=("vae", "mllm"), default=(), help="as it is")
    parser.add_argument("--stories", type=int, default=120_000)
    parser.add_argument("--first", type=int, default=0, help="story; what goes on may read new ones")
    parser.add_argument("--wordings", type=int, default=WORDINGS, help="of every edit of a story")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--until", type=float, help="end at this Unix time (mini-diffusion)")
    parser.add_argument("--data", type=Path, help="a folder of `mgie data` (full size)")
    parser.add_argument("--shard", action="store_true", help="spread the networks over all processes")
    parser.add_argument("--diffusion", choices=("clean", "release"), default="clean", help="how it starts")
    parser.add_argument("--diffusion-folder", type=Path, help="in place of InstructPix2Pix")
    parser.add_argument("--tokenizer", type=Path, help="a folder with tokenizer.model, for --from random")
    parser.add_argument("--set", nargs="+", default=(), metavar="KEY=VALUE", help="in the recipe, as TOML")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--tiny", action="store_true", help="toy sizes, for a dry run on a CPU")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except EngineError as error:
        sys.exit(str(error))
