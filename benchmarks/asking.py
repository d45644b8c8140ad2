"""How often a model asks before it edits, how often it then errs, and the bound that follows (`ask_below`).

    python -m benchmarks.asking [MODEL] [--set blind]       # new instructions at several bounds
    python -m benchmarks.asking [MODEL] --choose [--write]  # choose the bound, write it to config.json

A reading is wrong if the facts of its expressive instruction, but for what stays, are not those of the right
one. Readings that decline are never asked about. The bound is chosen on instructions that judge nothing:
held-out phrasings of generated test stories, and those that people typed before the tables were last widened
("seen" and "fresh"). It is the least bound at which, on each of the three, at most 5 % are edited wrongly
without asking; if none is, the one with the fewest. "blind" has instructions that nothing was chosen on.
Every batch is reported as it is read; ends in one line of JSON.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.reading import Named, human, stories
from mgie_engine.checkpoints.native import load_model
from mgie_engine.config import resolve_model
from mgie_engine.lab.evaluation.scene_cases import SceneCase, score_text
from mgie_engine.lab.scenes.human_prompts import WITH_TOPICS
from mgie_engine.lab.scenes.scene_images import to_image
from mgie_engine.model.mgie import MGIE, Reading
from mgie_engine.serving.postprocess import changes_nothing
from mgie_engine.text.prompting import Prompt

BOUNDS = (0.0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995)
CHOSEN_ON = ("held out", "seen", "fresh")
MOST_WRONG = 0.05


class Judged(NamedTuple):
    """One reading."""

    confidence: float
    wrong: bool
    acts: bool


def main() -> None:
    """Measure and report, or choose the bound."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="mgie-mini")
    parser.add_argument("--choose", action="store_true", help="choose the bound on the sets for that")
    parser.add_argument("--write", action="store_true", help="with --choose: write it to the model's config")
    parser.add_argument("--set", choices=WITH_TOPICS, default="blind", help="new instructions to measure on")
    parser.add_argument("--edits", type=int, default=300, help="held-out edits to choose on")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    location = resolve_model(arguments.model)
    mgie = load_model(location, arguments.device)
    size = 16 if arguments.device == "cpu" else 128
    names = CHOSEN_ON if arguments.choose else (arguments.set,)
    found = {name: _judge_all(mgie, name, arguments.edits, size) for name in names}
    rows = {name: [row_at(judged, bound) for bound in BOUNDS] for name, judged in found.items()}
    report: dict[str, Any] = {"benchmark": "asking", "model": arguments.model, "now": mgie.config.ask_below}
    for name, judged in found.items():
        report[name] = {"instructions": len(judged), "rows": rows[name]}
        for row in rows[name]:
            _say(f"{name} {row}")
    if arguments.choose:
        report["ask_below"] = bound = choose(list(rows.values()))
        if arguments.write:
            write_bound(location.folder / "config.json", bound)
    else:
        report["at_the_bound"] = row_at(found[arguments.set], mgie.config.ask_below)
    _say(json.dumps(report))


def choose(sets: Sequence[Sequence[dict[str, float]]]) -> float:
    """The least bound that keeps wrong edits rare in every set (rows by `BOUNDS`), or makes them rarest."""
    worst = {rows[0]["bound"]: max(row["wrong_edits"] for row in rows) for rows in zip(*sets, strict=True)}
    good = [bound for bound, wrong in worst.items() if wrong <= MOST_WRONG]
    found: float = min(good) if good else min(worst, key=lambda bound: (worst[bound], bound))
    return found


def write_bound(file: Path, bound: float) -> None:
    """Put the bound into a model's config; the rest stays."""
    config = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(config | {"ask_below": bound}, indent=2) + "\n", "utf-8")


def row_at(judged: Sequence[Judged], bound: float) -> dict[str, float]:
    """Shares of all instructions; rightly asked is asked about a wrong reading."""
    asked = [one.wrong for one in judged if one.acts and one.confidence < bound]
    done = [one.wrong for one in judged if not (one.acts and one.confidence < bound)]
    wrong = sum(one.wrong for one in judged if one.acts and one.confidence >= bound)
    count = len(judged)
    return {
        "bound": bound,
        "asked": round(len(asked) / count, 3),
        "asked_needlessly": round(asked.count(False) / count, 3),
        "wrong_edits": round(wrong / count, 3),
        "right_or_rightly_asked": round((done.count(False) + asked.count(True)) / count, 3),
        "right_or_asked": round((done.count(False) + len(asked)) / count, 3),
    }


def _judge_all(mgie: MGIE, name: str, edits: int, size: int) -> list[Judged]:
    some: Iterator[Named] = stories(edits) if name == "held out" else human(name)
    judged = list[Judged]()
    while batch := list(islice(some, size)):
        images = [to_image(case.before) for _, case in batch]
        readings = mgie.read(images, [Prompt(case.edit.instruction, case.history) for _, case in batch])
        judged += [_judged(mgie, case, one) for (_, case), one in zip(batch, readings, strict=True)]
        _say(f"{name}: {len(judged)} read, {sum(one.wrong for one in judged)} wrong")
    return judged


def _judged(mgie: MGIE, case: SceneCase, reading: Reading) -> Judged:
    acts = not changes_nothing(reading.expressive, mgie.config.refusal)
    return Judged(reading.confidence or 0.0, not score_text(case, reading.expressive).resolved, acts)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
