"""Train the paper's baselines and settings alike, one after another, and try each on the same test edits:

    python -m mgie_engine.training.variants --folder DIR [--start MODEL --parts vae] [--steps N]

DIR may hold vae.safetensors, mllm.safetensors and the vocabulary of another run (or the first two as
start-*.safetensors); a language model that is not there is trained first. Everything goes to DIR/variants:
a folder of weights and a log per variant, and results.json. The exit code is 1 while some have no result: run
it again to go on.
"""

import argparse
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from mgie_engine.data.resuming import agree
from mgie_engine.evaluation.trials import add_trial, trial_of
from mgie_engine.tokenizer import Tokenizer
from mgie_engine.training import packing
from mgie_engine.training.__main__ import make_world
from mgie_engine.training.mini import mini_config, tiny_config
from mgie_engine.training.recipe import Recipe
from mgie_engine.training.run import Run
from mgie_engine.training.variants.job import Job, prepare
from mgie_engine.training.world import World

TINY: dict[str, Any] = {"compile": False, "log_every": 1, "precision": "no"}


def main() -> None:
    given = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_float32_matmul_precision("high")
    given.folder.mkdir(parents=True, exist_ok=True)
    changes = {name: v for name in ("steps", "batch_size", "stories") if (v := getattr(given, name))}
    recipe = Recipe.read("variants", **changes, **(TINY if given.tiny else {}))
    run = _run(given, recipe)
    language = Recipe.read("mini-mllm", minutes=given.language_minutes, **(TINY if given.tiny else {}))
    prepare(run, replace(language, batch_size=given.batch_size or language.batch_size))
    job = Job(run, Tokenizer.read(given.folder), trial_of(given), given.minutes_each, given.copies)
    raise SystemExit(0 if job.do(given.variants) else 1)


def _run(given: argparse.Namespace, recipe: Recipe) -> Run:
    """The run, its world told and its starting weights laid out, unless an earlier call did that."""
    folder, told = given.folder, {"stories": recipe.stories}
    if given.start and not (folder / "start-vae.safetensors").is_file():
        packing.unpack(given.start, folder, given.parts)
    if not (folder / "world.json").is_file():
        for other in (folder / "world").glob("train-*.npz"):  # of another run, or broken off
            other.unlink()
        make_world(folder, recipe.stories)
    agree(folder / "world.json", told)
    world = World.load(sorted((folder / "world").glob("train-*.npz")))
    config = (tiny_config if given.tiny else mini_config)(len(Tokenizer.read(folder)))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Run(config, recipe, world, folder, device, until=given.until)


def _arguments() -> argparse.Namespace:
    layout, name = argparse.RawDescriptionHelpFormatter, "python -m mgie_engine.training.variants"
    parser = argparse.ArgumentParser(name, None, __doc__, formatter_class=layout)
    parser.add_argument("--folder", type=Path, required=True, help="of this run")
    parser.add_argument("--variants", nargs="+", default=(), metavar="NAME", help="these alone")
    parser.add_argument("--start", help="model whose parts to begin with: a name or a folder")
    parser.add_argument("--parts", nargs="+", choices=("vae", "mllm"), default=("vae",), help="which of them")
    parser.add_argument("--steps", type=int, help="of each variant")
    parser.add_argument("--minutes-each", type=float, help="as many steps as fit, measured before the first")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--stories", type=int)
    parser.add_argument("--language-minutes", type=float, default=3.0, help="for the first language model")
    parser.add_argument(
        "--until", type=float, help="begin no variant that will not be done at this Unix time"
    )
    parser.add_argument("--copies", type=Path, metavar="DIR", help="copy the results here after each variant")
    parser.add_argument("--tiny", action="store_true", help="toy sizes, for a dry run on a CPU")
    add_trial(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
