"""How often a model asks before it edits, and how often it then errs, for several bounds.

    python benchmarks/asking.py [--set seen] [--model mgie-mini]

Reads instructions that people wrote (mgie_engine/lab/scenes/human_prompts*). A reading is wrong if its
first sentence names another object, place or change than was meant. Readings that decline are never asked
about. The bound of a model (`ask_below` in its config.json) is chosen on the set "seen". Ends in one line of
JSON.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for when this is run as a script

from benchmarks.keeping.painting import load
from mgie_engine.lab.evaluation.scene_cases import SceneCase, human_prompt_cases, score_text
from mgie_engine.lab.scenes.scene_images import to_image
from mgie_engine.model.mgie import MGIE, Reading
from mgie_engine.serving.postprocess import changes_nothing
from mgie_engine.text.prompting import Prompt

BOUNDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
AT_ONCE = 16


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", default="seen", choices=("seen", "unseen", "followups"))
    parser.add_argument("--model", default="mgie-mini")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    mgie = load(arguments.model, arguments.device)
    cases = list(human_prompt_cases(mgie.config.picture_size, arguments.set))
    read: list[tuple[SceneCase, Reading]] = []
    for first in range(0, len(cases), AT_ONCE):
        some = cases[first : first + AT_ONCE]
        prompts = [Prompt(case.edit.instruction, case.history) for case in some]
        read += zip(some, mgie.read([to_image(case.before) for case in some], prompts), strict=True)
    judged = [_judged(mgie, case, reading) for case, reading in read]
    rows = [_row(judged, bound) for bound in BOUNDS]
    for row in rows:
        sys.stdout.write(f"{row}\n")
    sys.stdout.write(
        json.dumps({"benchmark": "asking", "set": arguments.set, "instructions": len(judged), "rows": rows})
        + "\n"
    )


def _judged(mgie: MGIE, case: SceneCase, reading: Reading) -> tuple[float, bool, bool]:
    """Confidence, whether it is wrong, and whether it acts."""
    acts = not changes_nothing(reading.expressive, mgie.config.refusal)
    right = score_text(case, reading.expressive).resolved
    return reading.confidence or 0.0, not right, acts


def _row(judged: list[tuple[float, bool, bool]], bound: float) -> dict[str, Any]:
    asked = [wrong for confidence, wrong, acts in judged if acts and confidence < bound]
    done = [wrong for confidence, wrong, acts in judged if acts and confidence >= bound]
    count = len(judged)
    return {
        "bound": bound,
        "asked": round(len(asked) / count, 3),
        "asked_needlessly": round(asked.count(False) / count, 3),
        "wrong_edits": round(sum(done) / count, 3),
    }


if __name__ == "__main__":
    main()
