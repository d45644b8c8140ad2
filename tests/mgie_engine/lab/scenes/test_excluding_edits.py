from random import Random

import pytest

from mgie_engine.lab.scenes.excluding_edits import all_but
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import grouped_scene
from mgie_engine.lab.scenes.scene_edits import State

TRIALS = 300


@pytest.mark.parametrize("split", ["train", "test"])
def test_all_of_a_kind_change_but_one_and_the_text_says_which(split):
    rng, found = Random(3), 0
    for _ in range(TRIALS):
        before = State(grouped_scene(rng))
        edit = all_but(RngStreams.of(rng, split), before)
        if edit is None:
            continue
        found += 1
        old, new = before.drawn.objects, edit.goal.drawn.objects
        touched = [obj for obj in old if obj not in new]
        (kind,) = {obj.kind for obj in touched}
        (left,) = [obj for obj in old if obj.kind == kind and obj not in touched]
        assert edit.expressive.endswith("stays.")
        assert edit.expressive.rpartition("The ")[2].startswith(f"{left.colour} {kind} ")
        assert edit.expressive.count(". ") == len(touched)
    assert found > TRIALS / 4


def test_half_of_the_removals_say_what_is_kept_not_what_goes():
    rng = Random(4)
    made = [all_but(RngStreams.of(rng, "train"), State(grouped_scene(rng))) for _ in range(TRIALS)]
    removals = [edit.instruction.lower() for edit in made if edit and "is removed" in edit.expressive]
    kept = [
        said for said in removals if any(word in said for word in ("keep", "stay", "only", "just", "remain"))
    ]
    assert 0.25 < len(kept) / len(removals) < 0.75
    assert not any(said.startswith("everything") for said in removals)
