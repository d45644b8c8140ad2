"""How often a model reads instructions rightly: typed by people, by topic and turn, and of held-out stories.

    python -m benchmarks.reading [MODEL] [--sets blind blind-talks] [--split 400] [--device cuda]

An instruction is read rightly if the facts of its expressive instruction, but for what stays, are those of
the right one. Prints a line per set while it goes on and ends in one line of JSON: read rightly, of how many.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count, islice
from typing import cast, get_args

from torch import Tensor

from mgie_engine.checkpoints.native import load_model
from mgie_engine.config import resolve_model
from mgie_engine.edits import Exchange
from mgie_engine.lab.evaluation.scene_cases import SceneCase, score_text
from mgie_engine.lab.scenes.expressive_text import PromptSet
from mgie_engine.lab.scenes.human_prompts import TALKS, WITH_TOPICS, human_prompts, talk_turns, topic_prompts
from mgie_engine.lab.scenes.scene_edits import Edit, State
from mgie_engine.lab.scenes.scene_images import pictures, to_image
from mgie_engine.lab.scenes.stories import story
from mgie_engine.model.mgie import MGIE
from mgie_engine.text.prompting import Prompt

Named = tuple[str, SceneCase]
SETS = get_args(PromptSet)


def human(which: str) -> Iterator[Named]:
    """Every instruction of a set that people typed, with its name, topic or turn."""
    if which in WITH_TOPICS:
        named = ((f"{which} {topic}", one) for topic, one in topic_prompts(which))
    elif which in TALKS:
        named = ((f"{which} turn {number}", one) for number, one in talk_turns(which))
    else:
        named = ((which, one) for one in human_prompts(cast("PromptSet", which)))
    for name, (start, edit, history) in named:
        yield name, _case(start, edit, history)


def stories(wanted: int) -> Iterator[Named]:
    """The first edits of the test split, by kind."""
    edits = ((told, step) for told in (story(seed, "test") for seed in count()) for step in told.steps)
    for told, step in islice(edits, wanted):
        yield f"test {step.edit.kind}", _case(told.states[step.before], step.edit, step.history)


def _case(start: State, edit: Edit, history: tuple[Exchange, ...]) -> SceneCase:
    """The goal's pixels do not matter for reading."""
    before = _picture(start)
    return SceneCase(edit, start, history, before, before)


@lru_cache(maxsize=64)
def _picture(state: State) -> Tensor:
    return pictures([state])[0]


def read(mgie: MGIE, some: Iterator[Named], shown: bool, size: int) -> dict[str, list[int]]:
    """Right and all, by name."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    while batch := list(islice(some, size)):
        images = [to_image(case.before) for _, case in batch]
        readings = mgie.read(images, [Prompt(case.edit.instruction, case.history) for _, case in batch])
        for (name, case), reading in zip(batch, readings, strict=True):
            right = score_text(case, reading.expressive).resolved
            found[name][0] += right
            found[name][1] += 1
            if shown and not right:
                _say(f"{name} | {case.edit.instruction} | {reading.expressive} | {case.edit.expressive}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="mgie-mini")
    parser.add_argument("--split", type=int, default=0, help="edits of the test split")
    parser.add_argument("--sets", nargs="*", choices=SETS, default=SETS, help="of typed instructions")
    parser.add_argument("--shown", action="store_true", help="print what is misread")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    mgie = load_model(resolve_model(arguments.model), arguments.device)
    size = 16 if arguments.device == "cpu" else 128
    found = dict[str, list[int]]()
    for which in arguments.sets:
        found |= (now := read(mgie, human(which), arguments.shown, size))
        _say(f"{which} {dict(now)}")
    found |= read(mgie, stories(arguments.split), arguments.shown, size)
    _say(json.dumps({"model": arguments.model, **found, **summed(found)}))


def summed(found: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Right and all of the sets by topic, the talks, their third and later turns, and the test split."""
    sums = {
        name: [0, 0] for name in (*WITH_TOPICS, *TALKS, *(f"{name} from turn 3" for name in TALKS), "test")
    }
    for name, (right, edits) in found.items():
        which, _, rest = name.partition(" ")
        late = [f"{which} from turn 3"] if which in TALKS and int(rest[-1]) > 2 else []
        for total in (which, *late):
            if total in sums:
                sums[total] = [sums[total][0] + right, sums[total][1] + edits]
    return sums


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
