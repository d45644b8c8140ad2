"""Train the paper's baselines and settings alike, and try each on the same test edits:

    python -m mgie_engine.lab.variants --folder DIR [--start MODEL --parts vae mllm unet] [--steps N]

DIR may hold vae.safetensors, mllm.safetensors, unet.safetensors and the vocabulary of another run (the first
three also as start-*.safetensors); a missing language model is trained first, a missing U-Net is a random
one. Every visible GPU takes a share of the variants, one after another. Everything goes to DIR/variants: a
folder of weights and a log per variant, and results.json. The exit code is 1 while some have no result: run
it again to go on.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from mgie_engine.errors import EngineError
from mgie_engine.lab.evaluation.results import add_trial, trial_of
from mgie_engine.lab.training import packing
from mgie_engine.lab.training.__main__ import make_dataset
from mgie_engine.lab.training.recipe import Recipe
from mgie_engine.lab.variants.variant_config import VariantRunConfig, configure_process, run_variants
from mgie_engine.lab.variants.variant_worker import PARTS

TINY: dict[str, Any] = {"compile": False, "log_every": 1, "precision": "no"}


def main() -> None:
    given = _arguments()
    configure_process()
    changes = {name: v for name in ("steps", "batch_size", "stories") if (v := getattr(given, name))}
    recipe = Recipe.read("variants", **changes, **(TINY if given.tiny else {}))
    language = Recipe.read("mini-mllm", minutes=given.language_minutes, **(TINY if given.tiny else {}))
    language = replace(language, batch_size=given.batch_size or language.batch_size)
    _lay_out(given, recipe.stories)
    order = VariantRunConfig(
        given.folder, recipe, trial_of(given), given.minutes_each, given.until, given.copies, given.tiny
    )
    raise SystemExit(0 if run_variants(order, language, given.variants, given.processes) else 1)


def _lay_out(given: argparse.Namespace, stories: int) -> None:
    """The starting weights and a world, unless an earlier call did that."""
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    if given.start and not (folder / "start-vae.safetensors").is_file():
        packing.unpack(given.start, folder, given.parts)
    if not (folder / "world.json").is_file():
        for other in (folder / "world").glob("train-*.npz"):  # of another run, or broken off
            other.unlink()
        make_dataset(folder, stories)


def _arguments() -> argparse.Namespace:
    layout, name = argparse.RawDescriptionHelpFormatter, "python -m mgie_engine.lab.variants"
    parser = argparse.ArgumentParser(name, None, __doc__, formatter_class=layout)
    parser.add_argument("--folder", type=Path, required=True, help="of this run")
    parser.add_argument("--variants", nargs="+", default=(), metavar="NAME", help="these alone")
    parser.add_argument("--start", help="model whose parts to begin with: a name or a folder")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS[:1], help="which of them")
    parser.add_argument("--steps", type=int, help="of each variant")
    parser.add_argument("--minutes-each", type=float, help="as many steps as fit, measured before the first")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--stories", type=int)
    parser.add_argument("--language-minutes", type=float, default=3.0, help="for the first language model")
    parser.add_argument(
        "--until", type=float, help="begin no variant that will not be done at this Unix time"
    )
    parser.add_argument("--copies", type=Path, metavar="DIR", help="copy the results here after each variant")
    parser.add_argument("--processes", type=int, help="side by side (default: one on each visible GPU)")
    parser.add_argument("--tiny", action="store_true", help="toy sizes, for a dry run on a CPU")
    add_trial(parser)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except EngineError as error:
        sys.exit(str(error))
