"""What the levels same and fast lose against exact, and what they gain: guidance, pictures, seconds.

    python -m benchmarks.levels --model mgie-mini --edits 20
    python -m benchmarks.levels --model /a/folder --edits 4 --steps 20
    python -m benchmarks.levels --pictures FOLDER        drawn there at the first time, for another machine

Every edit has the reading that exact gives it, so that only numbers differ. Ends in one line of JSON.
"""

import argparse
import io
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for when this is run as a script

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from conversations.settings import EditSettings, SettingsOverride
from mgie_engine.config import models_home
from mgie_engine.edits import EditRequest
from mgie_engine.memory.modes import Mode
from mgie_engine.model.mgie import finish
from mgie_engine.serving import precision_levels
from mgie_engine.serving.edit_options import settle
from mgie_engine.serving.engine import Engine, edit_with
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.pictures import for_the_model, open_picture
from mgie_engine.serving.precision_levels import Level
from mgie_engine.text.prompting import Prompt

WORDS = "The thing in the picture takes another colour, and everything else stays."


def main() -> None:
    """Make the edits at every level and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="mgie-mini")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--memory", default="auto")
    parser.add_argument("--edits", type=int, default=20)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--pictures", type=Path, help="a folder of drawn scenes")
    given = parser.parse_args()
    drawn = scenes(given.edits, given.pictures)
    home = models_home(os.environ)
    built = ModelChoice(given.model, home, given.device, None, given.memory, Level.SAME).build()
    exact = Engine(built.model)
    config = exact.model.config
    settings = settle(SettingsOverride(steps=given.steps, keep="off"), config.defaults, fresh_seed=7)
    whole = [EditRequest(image, instruction, settings, reading=WORDS) for image, instruction in drawn]
    pictures, exact_s = made(exact, whole)
    report: dict[str, Any] = {"benchmark": "levels", "model": config.name, "steps": settings.steps}
    report |= {"device": str(exact.model.device), "edits": len(whole), "exact_s": exact_s}
    for level in (Level.SAME, Level.FAST):
        prepared = precision_levels.prepare(exact.model, Mode.FP32, level)  # type: ignore[arg-type]
        if prepared.fast is None:
            report[level] = {"problem": prepared.notes[-1]}
            continue
        cosines = [guidance_cosine(exact, prepared.fast, request) for request in whole]
        with Engine(exact.model, fast=prepared.fast, level=level) as engine:
            others, seconds = made(engine, whole)
        loss = [decibels(one, other) for one, other in zip(pictures, others, strict=True)]
        report[level] = {
            "seconds": seconds,
            "guidance_cosine_least": round(min(cosines), 6),
            "db_median": round(statistics.median(loss), 1),
            "db_least": round(min(loss), 1),
        }
    sys.stdout.write(json.dumps(report) + "\n")


def scenes(count: int, folder: Path | None) -> list[tuple[bytes, str]]:
    """Drawn scenes as PNG with an instruction each; kept in a folder, and taken from it if they are there."""
    names = [f"{number:02}" for number in range(count)]
    if folder and all((folder / f"{name}.png").exists() for name in names):
        return [
            ((folder / f"{name}.png").read_bytes(), (folder / f"{name}.txt").read_text()) for name in names
        ]
    from benchmarks.engine import some_requests

    unused = EditSettings(1.0, 1.0, 1, 0, "dpmpp_2m")
    drawn = [(request.image, request.instruction) for request in some_requests(count, unused)]
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        for name, (image, instruction) in zip(names, drawn, strict=True):
            (folder / f"{name}.png").write_bytes(image)
            (folder / f"{name}.txt").write_text(instruction)
    return drawn


def made(engine: Engine, asked: list[EditRequest]) -> tuple[list[np.ndarray], float]:
    """The pictures, and the seconds of one edit in the median."""
    found, seconds = [], []
    edit_with(engine, asked[0], lambda _: None)
    for request in asked:
        began = time.monotonic()
        result = edit_with(engine, request, lambda _: None)
        seconds.append(time.monotonic() - began)
        found.append(np.asarray(Image.open(io.BytesIO(result.image)).convert("RGB"), dtype=np.float64))
    return found, round(statistics.median(seconds), 3)


def guidance_cosine(exact: Engine, fast: Any, request: Any) -> float:
    """Of what both levels tell the U-Net."""
    mgie: Any = exact.model
    square = for_the_model(open_picture(request.image), mgie.config.picture_size)
    prompt = Prompt(request.instruction, reading=request.reading)
    plain = mgie.read([square], [prompt])[0].guidance
    read = finish(fast.reading(square, fast.see(square), prompt)).guidance
    torch.cuda.synchronize() if read.is_cuda else None
    return float(F.cosine_similarity(read.flatten().double(), plain.flatten().double(), 0))


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal to noise of two pictures; 100 where they are equal."""
    error = float(np.square(one - other).mean())
    return 100.0 if error == 0 else float(10 * np.log10(255**2 / error))


if __name__ == "__main__":
    main()
