"""Edits per second and seconds by stage, for 1, 2 and 4 edits at once on this machine.

    python benchmarks/engine.py [--model mgie-mini] [--edits 4] [--steps N] [--memory MODE]

Ends in one line of JSON. The engine runs in this process, after one edit to warm up.
"""

import argparse
import io
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from conversations.settings import EditSettings, SettingsWish
from mgie_engine.config import models_home
from mgie_engine.edits import EditRequest, EditResult
from mgie_engine.errors import EngineError
from mgie_engine.serving.choice import ModelChoice
from mgie_engine.serving.command import settle

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
    settings = settle(SettingsWish(steps=arguments.steps), config.defaults, fresh_seed=7)
    requests = [a_request(number, settings) for number in range(arguments.edits)]
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


def a_request(number: int, settings: EditSettings) -> EditRequest:
    """Make a picture of a ball on a table redder; the picture depends on `number`."""
    picture = Image.new("RGB", (512, 384), "khaki")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 250, 512, 384), "sienna")
    draw.ellipse((60 + 70 * (number % 5), 150, 160 + 70 * (number % 5), 250), "royalblue")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return EditRequest(file.getvalue(), "make the ball red", settings)


if __name__ == "__main__":
    main()
