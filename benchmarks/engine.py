"""Edits per second and seconds by stage, for 1, 2 and 4 edits at once on this machine.

    python benchmarks/engine.py [--model mgie-mini] [--edits 4] [--steps N] [--memory MODE]

Ends in one line of JSON. The engine runs in this process, after one edit to warm up.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from conversations.settings import EditSettings, SettingsOverride
from mgie_engine.config import models_home
from mgie_engine.edits import EditRequest, EditResult
from mgie_engine.errors import EngineError
from mgie_engine.lab.evaluation.scene_cases import cases
from mgie_engine.lab.scenes.scene_images import to_image
from mgie_engine.serving.edit_options import settle
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.pictures import to_png

if TYPE_CHECKING:
    from mgie_engine.serving.engine import Engine

COMPANIES = (1, 2, 4)  # edits at once


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="mgie-mini")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--memory", default="auto", help="a memory mode")
    parser.add_argument("--edits", type=int, default=4, help="edits to make for each number at once")
    parser.add_argument("--steps", type=int, help="denoising steps; the model's default if left out")
    arguments = parser.parse_args()
    home = models_home(os.environ)
    began = time.monotonic()
    engine = ModelChoice(arguments.model, home, arguments.device, memory=arguments.memory).build()
    loading_s = time.monotonic() - began
    config = engine.model.config
    settings = settle(SettingsOverride(steps=arguments.steps), config.defaults, fresh_seed=7)
    requests = some_requests(arguments.edits, settings)
    with engine:
        measure(engine, requests[:1], 1)
        companies = {str(company): measure(engine, requests, company) for company in COMPANIES}
    report = {
        "benchmark": "engine",
        "model": config.name,
        "device": str(engine.model.device),
        "memory": arguments.memory,
        "cores": os.cpu_count(),
        "steps": settings.steps,
        "sampler": settings.sampler,
        "loading_s": round(loading_s, 2),
        "at_once": companies,
    }
    sys.stdout.write(json.dumps(report) + "\n")


def measure(engine: "Engine", requests: Sequence[EditRequest], at_once: int) -> dict[str, Any]:
    """Make all edits, `at_once` of them side by side."""
    waiting, results = list(enumerate(requests)), list[EditResult]()
    began = time.monotonic()
    while waiting or engine.busy:
        while waiting and engine.under_way < at_once:
            engine.admit(*waiting.pop())
        for _, news in engine.step():
            if isinstance(news, EngineError):
                raise news
            results += [news] if isinstance(news, EditResult) else []
    wall_s = time.monotonic() - began
    stages = {stage: [result.seconds[stage] for result in results] for stage in results[0].seconds}
    return {
        "edits_per_s": round(len(results) / wall_s, 3),
        "latency_s": round(statistics.median(sum(result.seconds.values()) for result in results), 3),
        "stages_s": {stage: round(statistics.median(seconds), 3) for stage, seconds in stages.items()},
    }


def some_requests(count: int, settings: EditSettings) -> list[EditRequest]:
    """As many instructions to recolour a thing of a drawn scene of 512 pixels."""
    some = islice(cases("test", size=512, kind="recolour"), count)
    return [EditRequest(to_png(to_image(case.before)), case.edit.instruction, settings) for case in some]


if __name__ == "__main__":
    main()
