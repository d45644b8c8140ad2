"""Weather that comes and goes in drawn scenes: how much of it is delivered.

    python benchmarks/weather.py [--scenes 24] [--size 256] [--model mgie-mini]

Rain, snow and fog are taken out of held-out scenes, and put into them. Every edit is judged as painted and as
delivered: the error left inside the changed area as a share of doing nothing, and whether that is below a
quarter (success as elsewhere) and below a tenth, which a blurred snowy scene does not reach. Ends in one
line of JSON.
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import fmean, median
from typing import Any

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))  # for when this is run as a script

from benchmarks.keeping.painting import defaults, load, paint
from mgie_engine.lab.evaluation.scene_cases import SUCCESS, PictureScore, score_picture
from mgie_engine.lab.evaluation.scenes_running import pixels
from mgie_engine.lab.scenes.scene import random_scene
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.scene_images import pictures, to_image
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.postprocess import Painted, restored

INSTRUCTIONS = {
    ("rain", "clear"): "make it stop raining", ("clear", "rain"): "make it rain",
    ("snow", "clear"): "make it stop snowing", ("clear", "snow"): "let it snow",
    ("fog", "clear"): "remove the fog", ("clear", "fog"): "make it foggy",
}  # fmt: skip
A_TENTH = 0.1
AT_ONCE = {"cpu": 8, "cuda": 64}


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=24, help="for each change of the weather")
    parser.add_argument("--size", type=int, default=256, help="of the scenes, in pixels")
    parser.add_argument("--model", default="mgie-mini")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    mgie = load(arguments.model, arguments.device)
    rows = list[dict[str, Any]]()
    for change in INSTRUCTIONS:
        rows.append(measure(mgie, change, arguments.scenes, arguments.size))
        sys.stdout.write(f"{rows[-1]}\n")
        sys.stdout.flush()
    report = {"benchmark": "weather", "model": mgie.config.name, "rows": rows}
    sys.stdout.write(json.dumps(report) + "\n")


def measure(mgie: MGIE, change: tuple[str, str], count: int, size: int) -> dict[str, Any]:
    """One change of the weather in `count` scenes: success, and the error left."""
    old, new = change
    scores: list[tuple[PictureScore, PictureScore]] = []
    batch = AT_ONCE.get(mgie.device.type, 8)
    for first in range(0, count, batch):
        scenes = [random_scene(Random(f"weather-{n}")) for n in range(first, min(first + batch, count))]
        shown = [
            pictures([State(replace(scene, weather=weather)) for weather in change], size) for scene in scenes
        ]
        originals, goals = [to_image(before) for before, _ in shown], [goal for _, goal in shown]
        instructions = [INSTRUCTIONS[change]] * len(originals)
        made, _ = paint(mgie, originals, instructions, [()] * len(originals), defaults(mgie))
        scores += [_scores(edit, goal) for edit, goal in zip(made, goals, strict=True)]
    found: dict[str, Any] = {"change": f"{old} to {new}", "scenes": count}
    for index, name in enumerate(("painted", "delivered")):
        some = [pair[index] for pair in scores]
        found |= {
            f"{name}_success": round(fmean(one.left < SUCCESS for one in some), 3),
            f"{name}_below_a_tenth": round(fmean(one.left < A_TENTH for one in some), 3),
            f"{name}_left": round(median(one.left for one in some), 3),
        }
    return found


@torch.inference_mode()
def _scores(edit: Painted, goal: torch.Tensor) -> tuple[PictureScore, PictureScore]:
    """The painted square and the delivered picture, each against the goal at its own size."""
    small = F.interpolate(goal[None], size=edit.output.size, mode="area")[0]
    painted = score_picture(pixels(edit.model_input), small, pixels(edit.output))
    return painted, score_picture(pixels(edit.original), goal, pixels(restored(edit).picture))


if __name__ == "__main__":
    main()
