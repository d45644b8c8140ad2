"""How often a model asks before it edits, how often it then errs, and the bounds that follow.

    python -m benchmarks.asking [MODEL] [--set blind]       # new instructions at several bounds
    python -m benchmarks.asking [MODEL] --choose [--write]  # choose the bounds, write them to config.json

A reading is wrong if the facts of its expressive instruction, but for what stays, are not those of the right
one. The bot asks about what is less sure than the bound (`ask_below`, for intricate instructions
`ask_below_intricate`), and about what its rules doubt, at any bound. Readings that decline are never asked
about. The bounds are chosen on instructions that judge nothing: held-out phrasings of generated test stories,
and those that people typed before the tables were last widened ("seen", "unseen" and "fresh"). They are those
that do right or rightly ask most often, where on each of the four at most 5 % are edited wrongly without
asking; without the rules, which were written in view of these sets. "blind" has instructions that nothing was
chosen on.
Every batch is reported as it is read; ends in one line of JSON, for one set with its topics at the bounds.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.keeping.painting import defaults
from benchmarks.reading import SETS, Named, human, stories
from mgie_engine.checkpoints.native import load_model
from mgie_engine.config import resolve_model
from mgie_engine.edits import EditRequest
from mgie_engine.lab.evaluation.scene_cases import score_text
from mgie_engine.lab.scenes.scene_images import to_image
from mgie_engine.model.mgie import MGIE, Reading
from mgie_engine.serving.postprocess import changes_nothing
from mgie_engine.serving.reading_doubt import doubt_about
from mgie_engine.text.intricate import is_intricate
from mgie_engine.text.prompting import Prompt

PLAIN = (0.0, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
INTRICATE = (0.8, 0.85, 0.9, 0.95)
CHOSEN_ON = ("held out", "seen", "unseen", "fresh")
MOST_WRONG = 0.05
RULES_ALONE = 1e-9  # a bound that no reading is below


class Bounds(NamedTuple):
    """The confidences below which the bot asks."""

    plain: float
    intricate: float


BOUNDS = tuple(
    Bounds(plain, intricate) for plain in PLAIN for intricate in (plain, *INTRICATE) if intricate >= plain
)


class Judged(NamedTuple):
    """One reading."""

    confidence: float
    wrong: bool
    acts: bool
    doubted: bool = False  # by the rules, whatever the bound
    intricate: bool = False
    topic: str = ""

    def asked(self, bounds: Bounds) -> bool:
        """Whether the bot asks at these bounds."""
        bound = bounds.intricate if self.intricate else bounds.plain
        return self.acts and (self.doubted or self.confidence < bound)


def main() -> None:
    """Measure and report, or choose the bounds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="mgie-mini")
    parser.add_argument("--choose", action="store_true", help="choose the bounds on the sets for that")
    parser.add_argument(
        "--write", action="store_true", help="with --choose: write them to the model's config"
    )
    parser.add_argument("--set", choices=SETS, default="blind", help="instructions to measure on")
    parser.add_argument("--edits", type=int, default=300, help="held-out edits to choose on")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    location = resolve_model(arguments.model)
    mgie = load_model(location, arguments.device)
    size = 16 if arguments.device == "cpu" else 128
    names = CHOSEN_ON if arguments.choose else (arguments.set,)
    found = {name: _judge_all(mgie, name, arguments.edits, size) for name in names}
    rows = {name: [row_at(judged, bounds) for bounds in BOUNDS] for name, judged in found.items()}
    now = Bounds(mgie.config.ask_below, max(mgie.config.ask_below, mgie.config.ask_below_intricate))
    report: dict[str, Any] = {"benchmark": "asking", "model": arguments.model, "now": now}
    for name, judged in found.items():
        report[name] = {"instructions": len(judged), "rows": rows[name]}
        for row in rows[name]:
            _say(f"{name} {row}")
    if arguments.choose:
        without_rules = [[one._replace(doubted=False) for one in judged] for judged in found.values()]
        bounds = choose([[row_at(judged, bounds) for bounds in BOUNDS] for judged in without_rules])
        report["chosen"] = bounds
        if arguments.write:
            write_bounds(location.folder / "config.json", bounds)
    else:
        judged = found[arguments.set]
        report["at_the_bounds"] = row_at(judged, now)
        report["topics"] = {topic: row_at(some, now) for topic, some in by_topic(judged).items()}
    _say(json.dumps(report))


def choose(sets: Sequence[Sequence[dict[str, float]]]) -> Bounds:
    """The bounds that do or rightly ask most over all sets (rows by bounds), wrong edits being rare in each.

    Where none keep them rare, those that make them rarest.
    """
    worst, well = dict[Bounds, float](), dict[Bounds, float]()
    for rows in zip(*sets, strict=True):
        bounds = Bounds(rows[0]["plain"], rows[0]["intricate"])
        worst[bounds] = max(row["wrong_edits"] for row in rows)
        well[bounds] = sum(row["right_or_rightly_asked"] for row in rows)
    good = [bounds for bounds, wrong in worst.items() if wrong <= MOST_WRONG]
    if good:
        return max(good, key=lambda bounds: (round(well[bounds], 3), -bounds.plain, -bounds.intricate))
    return min(worst, key=lambda bounds: (worst[bounds], bounds))


def write_bounds(file: Path, bounds: Bounds) -> None:
    """Put the bounds into a model's config; the rest stays."""
    config = json.loads(file.read_text("utf-8"))
    config |= {"ask_below": bounds.plain, "ask_below_intricate": bounds.intricate}
    file.write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def row_at(judged: Sequence[Judged], bounds: Bounds) -> dict[str, float]:
    """Shares of all instructions; rightly asked is asked about a wrong reading."""
    asked = [one.wrong for one in judged if one.asked(bounds)]
    done = [one.wrong for one in judged if not one.asked(bounds)]
    wrong = sum(one.wrong for one in judged if one.acts and not one.asked(bounds))
    count = len(judged)
    return {
        **bounds._asdict(),
        "read_rightly": round(sum(not one.wrong for one in judged) / count, 3),
        "asked": round(len(asked) / count, 3),
        "asked_needlessly": round(asked.count(False) / count, 3),
        "wrong_edits": round(wrong / count, 3),
        "right_or_rightly_asked": round((done.count(False) + asked.count(True)) / count, 3),
        "right_or_asked": round((done.count(False) + len(asked)) / count, 3),
    }


def by_topic(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """The readings of each topic."""
    found: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        found[one.topic].append(one)
    return found


def _judge_all(mgie: MGIE, name: str, edits: int, size: int) -> list[Judged]:
    some: Iterator[Named] = stories(edits) if name == "held out" else human(name)
    judged = list[Judged]()
    while batch := list(islice(some, size)):
        images = [to_image(case.before) for _, case in batch]
        readings = mgie.read(images, [Prompt(case.edit.instruction, case.history) for _, case in batch])
        judged += [_judged(mgie, named, one) for named, one in zip(batch, readings, strict=True)]
        _say(f"{name}: {len(judged)} read, {sum(one.wrong for one in judged)} wrong")
    return judged


def _judged(mgie: MGIE, named: Named, reading: Reading) -> Judged:
    name, case = named
    acts = not changes_nothing(reading.expressive, mgie.config.refusal)
    request = EditRequest(b"", case.edit.instruction, defaults(mgie))
    rules = replace(mgie.config, ask_below=RULES_ALONE, ask_below_intricate=0.0)
    doubt = doubt_about(reading, request, rules)
    return Judged(
        reading.confidence or 0.0,
        not score_text(case, reading.expressive).resolved,
        acts,
        doubt is not None,
        is_intricate(case.edit.instruction),
        name.partition(" ")[2],
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
