"""`mgie train mini | full | stage`: the small model, MGIE at full size, or one stage of the small model."""

import argparse
import logging
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from mgie_engine.cli_types import (
    CommandParser,
    Commands,
    Run,
    not_negative,
    positive,
    positive_number,
    time_stamp,
)
from mgie_engine.config import ModelConfig, models_home
from mgie_engine.install.full_size import FULL_SIZE
from mgie_engine.lab.training import full, initial_weights, packing, pipeline, stages
from mgie_engine.lab.training.mini import mini_config, tiny_config
from mgie_engine.lab.training.recipe import PARTS, WORDINGS, Recipe
from mgie_engine.text.tokenizer import Tokenizer

STAGES = ("dataset", "mini-vae", "mini-mllm", "mini-diffusion", "pack")
MINI = """All stages in one call; stages that do not depend on each other run side by side, on all GPUs.
DIR holds the vocabulary, the dataset, each stage's weights and its log. The result is DIR/model."""
FULL = """Train MGIE at full size on what `mgie data` prepared (docs/training.md). A second call with the same
folder goes on from the newest checkpoint. On several devices:
  accelerate launch -m mgie_engine.lab.training full release --data PREPARED --from MODEL --folder DIR"""
STAGE = """One stage of the small model, in the order in which they are listed; mini-diffusion may be started
early and waits for the two before it. On several devices: torchrun -m mgie_engine.lab.training stage …"""


def register(actions: Commands) -> None:
    """Add `mini`, `full` and `stage`."""
    _register_mini(actions)
    _register_full(actions)
    _register_stage(actions)


def run_mini(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Train the small model."""
    _configure(arguments.folder)
    names = ("minutes", "stories", "wordings", "first", "start", "parts")
    config = pipeline.PipelineConfig(
        **{name: getattr(arguments, name) for name in names}, kept=arguments.keep, changes=arguments.set
    )
    pipeline.train(arguments.folder, config, arguments.tiny)


def run_full(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Train MGIE at full size, as one process of those that a launcher started."""
    _configure(arguments.folder)
    recipe = _recipe(arguments)
    state = PartialState(cpu=not torch.cuda.is_available())
    if arguments.start == "random":
        tokenizer = Tokenizer.read(arguments.tokenizer or arguments.folder)
        config = _config(arguments) if arguments.tiny else FULL_SIZE
        source = initial_weights.random_weights(config, tokenizer, state.device)
    else:
        source = initial_weights.read_source(
            arguments.start,
            models_home(environment),
            arguments.diffusion,
            arguments.diffusion_folder,
            recipe.seed,
        )
    # `accelerate launch --use_fsdp` sets the variable; torch itself does the sharding.
    shared = arguments.shard or environment.get("ACCELERATE_USE_FSDP") == "true"
    try:
        full.train(full.FullTrainingConfig(recipe, arguments.data, arguments.folder, shared), source, state)
    finally:
        state.destroy_process_group()


def run_stage(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Run one stage of the small model and save its weights."""
    _configure(arguments.folder)
    match arguments.stage:
        case "dataset":
            stages.make_dataset(arguments.folder, arguments.stories, arguments.wordings, arguments.first)
        case "pack":
            packing.pack(arguments.folder, _config(arguments))
        case _:
            stages.train_stage(_config(arguments), _recipe(arguments), arguments.folder, arguments.until)


def _configure(folder: Path) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_float32_matmul_precision("high")
    folder.mkdir(parents=True, exist_ok=True)


def _recipe(arguments: argparse.Namespace) -> Recipe:
    """The named recipe, changed by the options."""
    names = ("minutes", "steps", "batch_size")
    changes = {name: value for name in names if (value := getattr(arguments, name, None))}
    changes |= tomllib.loads("\n".join(arguments.set))
    options: dict[str, Any] = changes.pop("options", {})
    recipe = Recipe.read(arguments.stage, **changes)
    if arguments.tiny:
        dry = {"log_every": 2, "compile": False} | changes
        small: dict[str, Any] = {"vae": {"whiten_pictures": 64}, "full": {}}.get(recipe.stage, recipe.options)
        recipe = replace(recipe, **dry, options=small)
    return replace(recipe, options={**recipe.options, **options})


def _config(arguments: argparse.Namespace) -> ModelConfig:
    folder = getattr(arguments, "tokenizer", None) or arguments.folder
    return (tiny_config if arguments.tiny else mini_config)(len(Tokenizer.read(folder)))


def _register_mini(actions: Commands) -> None:
    parser = _parser(actions, "mini", run_mini, "the small model, from nothing or from a model's parts", MINI)
    parser.add_argument("--minutes", type=positive_number, default=26.0, help="for everything")
    _add_dataset(parser)
    parser.add_argument("--start", "--from", metavar="MODEL", help="model to go on from: a name or a folder")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="parts to take from it")
    parser.add_argument("--keep", nargs="+", choices=PARTS[:2], default=(), help="parts to leave as they are")
    parser.add_argument(
        "--set", nargs="+", default=(), metavar="KEY=VALUE", help="in mini-diffusion's recipe, as TOML"
    )


def _register_full(actions: Commands) -> None:
    parser = _parser(actions, "full", run_full, "MGIE at full size, on prepared data", FULL)
    parser.add_argument("stage", metavar="RECIPE", help="release, paper, or the path of a recipe")
    parser.add_argument("--data", type=Path, required=True, help="a folder of `mgie data`")
    # torchrun takes --start as an abbreviation of its own --start-method.
    parser.add_argument(
        "--from", dest="start", required=True, metavar="MODEL", help="a name, a folder, or “random”"
    )
    parser.add_argument("--shard", action="store_true", help="shard the networks over all processes")
    parser.add_argument("--diffusion", choices=("clean", "release"), default="clean", help="how it starts")
    parser.add_argument("--diffusion-folder", type=Path, help="in place of InstructPix2Pix")
    parser.add_argument("--tokenizer", type=Path, help="a folder with tokenizer.model, for --from random")
    _add_recipe(parser)


def _register_stage(actions: Commands) -> None:
    parser = _parser(actions, "stage", run_stage, "one stage of the small model", STAGE)
    parser.add_argument("stage", choices=STAGES, help="which one")
    _add_dataset(parser)
    parser.add_argument("--minutes", type=positive_number, help="the recipe's if left out")
    parser.add_argument("--until", type=time_stamp, help="end at this Unix time (mini-diffusion)")
    _add_recipe(parser)


def _parser(actions: Commands, name: str, run: Run, text: str, description: str) -> CommandParser:
    parser = actions.add_parser(name, run=run, help=text, description=description)
    parser.add_argument("--folder", type=Path, required=True, metavar="DIR", help="of this run")
    parser.add_argument("--tiny", action="store_true", help="toy sizes, for a dry run on a CPU")
    return parser


def _add_dataset(parser: CommandParser) -> None:
    parser.add_argument("--stories", type=positive, default=120_000, help="in the dataset")
    parser.add_argument("--first", type=not_negative, default=0, help="number of the first story")
    parser.add_argument("--wordings", type=positive, default=WORDINGS, help="per edit")


def _add_recipe(parser: CommandParser) -> None:
    parser.add_argument("--set", nargs="+", default=(), metavar="KEY=VALUE", help="in the recipe, as TOML")
    parser.add_argument("--steps", type=positive, help="the recipe's if left out")
    parser.add_argument("--batch-size", type=positive, help="the recipe's if left out")
