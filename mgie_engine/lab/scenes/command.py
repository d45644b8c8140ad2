"""`mgie scenes`: generated scenes as files."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import count, islice
from pathlib import Path
from typing import Any, get_args

from mgie_engine.cli_types import Commands, add_json, not_negative, pixels, positive, print_json
from mgie_engine.lab.scenes.expressive_text import Split
from mgie_engine.lab.scenes.fact_checker import parse_facts
from mgie_engine.lab.scenes.scene_images import changed, pictures, to_image
from mgie_engine.lab.scenes.stories import Story, StoryStep, story


def register(commands: Commands) -> None:
    """Add `mgie scenes`."""
    parser = commands.add_parser("scenes", help="pictures of the drawn world, with their edits")
    actions = parser.add_subparsers(title="what to do", required=True, metavar="WHAT")
    render = actions.add_parser(
        "render",
        run=run,
        help="write edits with input, goal and mask",
        description="Write 0000_input.png, 0000_goal.png, 0000_mask.png, … and scenes.jsonl. "
        "The same seed and split give the same files.",
    )
    render.add_argument("--seed", type=not_negative, default=0, help="the first story")
    render.add_argument("--split", choices=get_args(Split), default="test", help="of the stories")
    render.add_argument("--count", type=positive, default=16, help="edits to write")
    render.add_argument("--size", type=pixels, default=256, help="pixels per side")
    render.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder; made if missing")
    add_json(render)


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Write the files, and say how many."""
    folder: Path = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    steps = islice(steps_from(arguments.seed, arguments.split), arguments.count)
    with (folder / "scenes.jsonl").open("w", encoding="utf-8") as lines:
        for number, (current_story, step) in enumerate(steps):
            name = f"{number:04d}"
            write_pictures(folder, name, current_story, step, arguments.size)
            lines.write(json.dumps({"name": name} | record(step)) + "\n")
    if arguments.json:
        print_json({"folder": folder, "edits": arguments.count})
    else:
        sys.stdout.write(f"{arguments.count} edits in {folder}\n")


def steps_from(seed: int, split: Split) -> Iterator[tuple[Story, StoryStep]]:
    """Endless edits with their stories, from story number `seed` on."""
    for number in count(seed):
        current_story = story(number, split)
        for step in current_story.steps:
            yield current_story, step


def record(step: StoryStep) -> dict[str, Any]:
    """One edit as scenes.jsonl has it."""
    edit = step.edit
    return {
        "instruction": edit.instruction,
        "expressive": edit.expressive,
        "kind": edit.kind,
        "facts": [asdict(fact) for fact in parse_facts(edit.expressive)],
        "turns": [asdict(turn) for turn in step.history],
    }


def write_pictures(folder: Path, name: str, current_story: Story, step: StoryStep, size: int) -> None:
    """Input, goal and mask of one edit as PNG files."""
    before, goal = pictures([current_story.states[step.before], current_story.states[step.after]], size)
    to_image(before).save(folder / f"{name}_input.png")
    to_image(goal).save(folder / f"{name}_goal.png")
    to_image(changed(before, goal)).save(folder / f"{name}_mask.png")
