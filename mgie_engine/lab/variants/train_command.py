"""`mgie train variants`: train the paper's baselines and settings alike, and test each on the same edits."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mgie_engine.cli_types import Commands, positive, positive_number, time_stamp
from mgie_engine.lab.evaluation.results import add_trial, trial_of
from mgie_engine.lab.training import packing
from mgie_engine.lab.training.recipe import Recipe
from mgie_engine.lab.training.stages import make_dataset
from mgie_engine.lab.variants.variant import PARTS
from mgie_engine.lab.variants.variant_config import VariantRunConfig, configure_process, run_variants

DESCRIPTION = """DIR may hold vae.safetensors, mllm.safetensors, unet.safetensors and the vocabulary of
another run (the first three also as start-*.safetensors). A missing language model is trained first; a
missing U-Net starts from random weights. Each visible GPU trains a share of the variants, one after another.
DIR/variants gets a folder of weights and a log per variant, and results.json. The exit code is 1 while some
variants have no result: run the command again to go on."""
TINY: dict[str, Any] = {"compile": False, "log_every": 1, "precision": "no"}


def register(actions: Commands) -> None:
    """Add `mgie train variants`."""
    parser = actions.add_parser("variants", run=run, help="the paper's baselines", description=DESCRIPTION)
    parser.add_argument("--folder", type=Path, required=True, metavar="DIR", help="of this run")
    parser.add_argument("--variants", nargs="+", default=(), metavar="NAME", help="these alone")
    parser.add_argument(
        "--start", metavar="MODEL", help="model whose parts to begin with: a name or a folder"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS[:1], help="which of them")
    parser.add_argument("--steps", type=positive, help="per variant")
    parser.add_argument(
        "--minutes-each", type=positive_number, help="as many steps as fit, measured before the first"
    )
    parser.add_argument("--batch-size", type=positive, help="the recipe's if left out")
    parser.add_argument("--stories", type=positive, help="the recipe's if left out")
    parser.add_argument(
        "--language-minutes", type=positive_number, default=3.0, help="for the first language model"
    )
    parser.add_argument(
        "--until", type=time_stamp, help="start no variant that would end after this Unix time"
    )
    parser.add_argument("--copies", type=Path, metavar="DIR", help="copy the results here after each variant")
    parser.add_argument("--processes", type=positive, help="side by side (default: one per visible GPU)")
    parser.add_argument("--tiny", action="store_true", help="toy sizes, for a dry run on a CPU")
    add_trial(parser)


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Train and test what has no result yet; exit code 1 while some have none."""
    configure_process()
    names = ("steps", "batch_size", "stories")
    changes = {name: value for name in names if (value := getattr(arguments, name))}
    tiny = TINY if arguments.tiny else {}
    recipe = Recipe.read("variants", **changes, **tiny)
    language = Recipe.read("mini-mllm", minutes=arguments.language_minutes, **tiny)
    language = replace(language, batch_size=arguments.batch_size or language.batch_size)
    _prepare(arguments, recipe.stories)
    config = VariantRunConfig(
        arguments.folder,
        recipe,
        trial_of(arguments),
        arguments.minutes_each,
        arguments.until,
        arguments.copies,
        arguments.tiny,
    )
    if not run_variants(config, language, arguments.variants, arguments.processes):
        raise SystemExit(1)


def _prepare(arguments: argparse.Namespace, stories: int) -> None:
    """Write the starting weights and a dataset, unless an earlier call did."""
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.start and not (folder / "start-vae.safetensors").is_file():
        packing.unpack(arguments.start, folder, arguments.parts)
    if not (folder / "world.json").is_file():
        for other in (folder / "world").glob("train-*.npz"):  # of another run, or unfinished
            other.unlink()
        make_dataset(folder, stories)
