"""`mgie evaluate variants`: the paper's baselines and settings on the same test edits."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch

from mgie_engine.cli_types import Commands, add_json, print_result
from mgie_engine.errors import DataError
from mgie_engine.lab.docs_inject import write_docs
from mgie_engine.lab.evaluation.results import RESULTS, TRAINING, Results, add_trial, read_results, trial_of
from mgie_engine.lab.evaluation.workers import worker_count, worker_pool
from mgie_engine.lab.json_files import read_json
from mgie_engine.lab.variants.variant_io import load_variant
from mgie_engine.lab.variants.variant_scores import measure, trial_cases
from mgie_engine.lab.variants.variants_report import PLACE, PLOT, to_markdown, to_svg


def register(kinds: Commands) -> None:
    """Add `mgie evaluate variants`."""
    parser = kinds.add_parser(
        "variants",
        run=run,
        help="the paper's comparison",
        description="Test every variant below DIR that has no result yet on the same edits and seeds, then "
        "print the table of all. `mgie train variants` trains and tests them in one go.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds variants, their results, or both")
    parser.add_argument("--docs", type=Path, metavar="PAGE.md", help="put table and plot into this page, too")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where they run")
    add_trial(parser)
    add_json(parser)


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Test the variants without a result, then report on all."""
    file = arguments.folder / RESULTS
    known = read_results(file)["variants"] if file.is_file() else {}
    missing = [place.parent for place in sorted(arguments.folder.glob("*/variant.json"))]
    missing = [folder for folder in missing if folder.name not in known]
    if missing:
        try_all(missing, arguments)
    if not file.is_file():
        raise DataError(f"{arguments.folder} holds neither variants nor {RESULTS}.")

    found = read_results(file)
    if not found["variants"]:
        raise DataError(f"{file} holds no variant's results.")
    print_result(arguments, json.dumps(found), to_markdown(found))
    if arguments.docs:
        write_docs(arguments.docs, PLACE, to_markdown(found), {PLOT: to_svg(found)})


def try_all(folders: list[Path], arguments: argparse.Namespace) -> None:
    """Test the variants in folders on the edits that the arguments select, and store the results."""
    trial = trial_of(arguments)
    results = Results(arguments.folder / RESULTS, read_json(arguments.folder / TRAINING), trial)
    results.read()
    sets = None
    with worker_pool(worker_count(torch.device(arguments.device))) as pool_map:
        for folder in folders:
            variant, mgie = load_variant(folder, arguments.device)
            sets = sets or trial_cases(trial, mgie.config.picture_size, pool_map)
            results.add(variant.name, asdict(variant) | measure(mgie, sets, trial, pool_map))
