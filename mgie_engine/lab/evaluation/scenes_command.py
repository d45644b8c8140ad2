"""`mgie evaluate scenes`: a model on the drawn world, where every edit has one right goal."""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, get_args

from conversations.settings import EditSettings, SettingsOverride, checked
from mgie_engine.cli_types import not_negative, picture_file, positive
from mgie_engine.lab.scenes.expressive_text import Split, Typed
from mgie_engine.serving.command import add_model, add_settings, chosen_model, settle

if TYPE_CHECKING:
    from PIL.Image import Image

    from mgie_engine.lab.evaluation.scene_cases import Case
    from mgie_engine.lab.evaluation.scenes_figures import Row
    from mgie_engine.lab.evaluation.workers import Spread
    from mgie_engine.model.mgie import MGIE

ON_SHEET = 40  # edits on a contact sheet
TIMED = 5  # edits timed one by one
KINDS = (
    "recolour", "remove", "add", "replace", "resize", "move", "background", "tonal", "follow-up", "ambiguous",
    "refuse", "nothing",
)  # fmt: skip
SEED = 0  # where no seed is wished: an evaluation shall give the same figures twice


def register(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `mgie evaluate scenes`."""
    parser = kinds.add_parser(
        "scenes",
        help="on the drawn world",
        description="Measure a model on scenes whose goals are known; figures come with 95 % intervals.",
    )
    parser.add_argument("--split", choices=get_args(Split), default="test", help="default: %(default)s")
    parser.add_argument("--first", type=not_negative, default=0, help="the first story (default: 0)")
    parser.add_argument("--count", type=positive, default=200, help="edits (default: %(default)s)")
    parser.add_argument("--kind", choices=KINDS, help="edits of this kind alone")
    parser.add_argument(
        "--typed",
        nargs="?",
        const="typed",
        choices=get_args(Typed),
        help="try what people typed in their own words; no phrasing was made for “unheard”, nor for “talks”",
    )
    parser.add_argument("--seeds", type=positive, default=1, help="pictures painted per edit (default: 1)")
    parser.add_argument("--chains", type=positive, default=8, help="chains of ten idle turns (default: 8)")
    parser.add_argument("--batch", type=positive, help="edits painted side by side")
    parser.add_argument(
        "--sheet", type=picture_file, metavar="FILE", help=f"also show {ON_SHEET} of the edits"
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    add_settings(parser)
    add_model(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Make the edits, judge them, and print what was found."""
    wish = checked(
        SettingsOverride(**{knob: getattr(arguments, knob) for knob in asdict(SettingsOverride())})
    )
    mgie = chosen_model(arguments, environment).load()
    settings = settle(wish, mgie.config.defaults, fresh_seed=SEED)
    began = time.monotonic()
    report = measure(mgie, settings, arguments)
    report["took_s"] = round(time.monotonic() - began, 1)

    from mgie_engine.lab.evaluation.scenes_figures import in_words

    sys.stdout.write(json.dumps(report) + "\n" if arguments.json else in_words(report))


def measure(mgie: "MGIE", settings: EditSettings, arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that is known of a model after the edits `arguments` asks for."""
    from mgie_engine.lab.evaluation.scene_cases import draw, typed_cases
    from mgie_engine.lab.evaluation.scenes_figures import summary
    from mgie_engine.lab.evaluation.scenes_running import seconds_by_stage
    from mgie_engine.lab.evaluation.workers import crew, hands
    from mgie_engine.lab.scenes.scene_images import to_image

    size, count = mgie.config.picture_size, arguments.count
    more = 0 if arguments.typed else max(0, count - TIMED)
    with crew(hands(mgie.device)) as spread:
        drawn = TIMED + more + arguments.chains
        stream = draw(arguments.split, size, arguments.first, drawn, arguments.kind, spread)
        timed = list(islice(stream, TIMED))
        some = typed_cases(size, arguments.typed) if arguments.typed else chain(timed, islice(stream, more))
        rows = _judged(mgie, islice(some, count), settings, arguments, spread)
        starts = [to_image(case.before) for case in islice(stream, arguments.chains)]
        drifts = _drifts(mgie, starts, settings, arguments.split, spread)
    told = {"model": mgie.config.name, "device": str(mgie.device), "settings": asdict(settings)}
    told |= {name: getattr(arguments, name) for name in ("split", "first", "count", "kind", "seeds", "typed")}
    seconds = {stage: round(s, 4) for stage, s in seconds_by_stage(mgie, timed, settings).items()}
    return {**told, **summary(rows), "drift": drifts, "seconds": seconds}


def _judged(
    mgie: "MGIE",
    some: "Iterator[Case]",
    settings: EditSettings,
    arguments: argparse.Namespace,
    spread: "Spread",
) -> "list[Row]":
    """Every edit; those for the contact sheet go there."""
    from mgie_engine.lab.evaluation.scenes_figures import Row
    from mgie_engine.lab.evaluation.scenes_running import at_once, judge_all
    from mgie_engine.lab.evaluation.scenes_sheet import Shot, sheet

    batch = arguments.batch or at_once(mgie.device)
    rows, shots = list[Row](), list[Shot]()
    every = max(1, arguments.count // ON_SHEET)
    for row, shot in judge_all(mgie, some, settings, arguments.seeds, batch, spread):
        if len(rows) % every == 0 and len(shots) < ON_SHEET:
            shots.append(shot)
        rows.append(row)
    if arguments.sheet:
        sheet(shots).save(arguments.sheet)
    return rows


def _drifts(
    mgie: "MGIE", starts: "Sequence[Image]", settings: EditSettings, split: Split, spread: "Spread"
) -> dict[str, Any]:
    from mgie_engine.lab.evaluation.scenes_figures import drift_summary
    from mgie_engine.lab.evaluation.scenes_running import drift

    return {
        name: drift_summary(drift(mgie, starts, settings, split, spread, delivered=name == "delivered"))
        for name in ("delivered", "raw")
    }
