"""`mgie evaluate scenes`: a model on generated scenes, where every edit has one right goal."""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import chain, islice
from typing import Any, get_args

from conversations.settings import EditSettings
from mgie_engine.cli_types import Commands, not_negative, picture_file, positive
from mgie_engine.lab.evaluation.scene_cases import SceneCase, draw, human_prompt_cases
from mgie_engine.lab.evaluation.scenes_figures import SceneResult, drift_summary, in_words, summary
from mgie_engine.lab.evaluation.scenes_running import SceneRunner
from mgie_engine.lab.evaluation.scenes_sheet import ContactSheetCard, contact_sheet
from mgie_engine.lab.evaluation.workers import worker_count, worker_pool
from mgie_engine.lab.scenes.expressive_text import PromptSet, Split
from mgie_engine.lab.scenes.scene_images import to_image
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.edit_options import add_model, add_settings, chosen_model, chosen_settings, settle

ON_SHEET = 40  # edits on a contact sheet
TIMED = 5  # edits timed one by one
KINDS = (
    "recolour", "remove", "add", "replace", "resize", "move", "background", "tonal", "follow-up", "ambiguous",
    "refuse", "nothing", "compound", "local",
)  # fmt: skip
SEED = 0  # default: an evaluation gives the same figures every time


def register(kinds: Commands) -> None:
    """Add `mgie evaluate scenes`."""
    parser = kinds.add_parser(
        "scenes",
        run=run,
        help="on the drawn world",
        description="Measure a model on scenes whose goals are known; figures come with 95 % intervals.",
    )
    parser.add_argument("--split", choices=get_args(Split), default="test", help="of the stories")
    parser.add_argument("--first", type=not_negative, default=0, help="the first story")
    parser.add_argument("--count", type=positive, default=200, help="edits")
    parser.add_argument("--kind", choices=KINDS, help="edits of this kind alone")
    parser.add_argument(
        "--human-prompts",
        nargs="?",
        const="seen",
        choices=get_args(PromptSet),
        help="use prompts that people wrote; the scene grammar was extended for “seen” (the default) only",
    )
    parser.add_argument("--seeds", type=positive, default=1, help="pictures painted per edit")
    parser.add_argument("--chains", type=positive, default=8, help="chains of ten idle turns")
    parser.add_argument("--batch", type=positive, help="edits painted side by side")
    parser.add_argument(
        "--sheet", type=picture_file, metavar="FILE", help=f"also show {ON_SHEET} of the edits"
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    add_settings(parser)
    add_model(parser)


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Make the edits, judge them, and print what was found."""
    override = chosen_settings(arguments)
    mgie = chosen_model(arguments, environment).load()
    settings = settle(override, mgie.config.defaults, fresh_seed=SEED)
    began = time.monotonic()
    report = measure(mgie, settings, arguments)
    report["took_s"] = round(time.monotonic() - began, 1)

    sys.stdout.write(json.dumps(report) + "\n" if arguments.json else in_words(report))


def measure(mgie: MGIE, settings: EditSettings, arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that is known of a model after the edits `arguments` asks for."""
    size, count, split = mgie.config.picture_size, arguments.count, arguments.split
    more = 0 if arguments.human_prompts else max(0, count - TIMED)
    with worker_pool(worker_count(mgie.device)) as pool_map:
        runner = SceneRunner(mgie, settings, pool_map)
        drawn = TIMED + more + arguments.chains
        stream = draw(split, size, arguments.first, drawn, arguments.kind, pool_map)
        timed = list(islice(stream, TIMED))
        some = (
            human_prompt_cases(size, arguments.human_prompts)
            if arguments.human_prompts
            else chain(timed, islice(stream, more))
        )
        rows = _judged(runner, islice(some, count), arguments)
        starts = [to_image(case.before) for case in islice(stream, arguments.chains)]
        drifts = {
            name: drift_summary(runner.drift(starts, split, delivered=name == "delivered"))
            for name in ("delivered", "raw")
        }
    params = {"model": mgie.config.name, "device": str(mgie.device), "settings": asdict(settings)}
    params |= {
        name: getattr(arguments, name)
        for name in ("split", "first", "count", "kind", "seeds", "human_prompts")
    }
    seconds = {stage: round(s, 4) for stage, s in runner.seconds_by_stage(timed).items()}
    return {**params, **summary(rows), "drift": drifts, "seconds": seconds}


def _judged(
    runner: SceneRunner, some: Iterator[SceneCase], arguments: argparse.Namespace
) -> list[SceneResult]:
    """Every edit; those for the contact sheet go there."""
    rows, shots = list[SceneResult](), list[ContactSheetCard]()
    every = max(1, arguments.count // ON_SHEET)
    for row, shot in runner.score_all(some, arguments.seeds, arguments.batch):
        if len(rows) % every == 0 and len(shots) < ON_SHEET:
            shots.append(shot)
        rows.append(row)
    if arguments.sheet:
        contact_sheet(shots).save(arguments.sheet)
    return rows
