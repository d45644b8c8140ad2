"""Two edits in one clause, and what is not meant: true of the pictures, and the same in other words."""

from random import Random

import pytest

from mgie_engine.lab.scenes.expressive_text import AS_ASKED
from mgie_engine.lab.scenes.fact_checker import fact_holds, parse_facts
from mgie_engine.lab.scenes.gapped_edits import gapped
from mgie_engine.lab.scenes.gapped_tones import gapped_tones, tones_not_wanted
from mgie_engine.lab.scenes.paired_edits import paired
from mgie_engine.lab.scenes.rng import RecordingRandom, ReplayingRandom, RngStreams
from mgie_engine.lab.scenes.scene import random_scene
from mgie_engine.lab.scenes.scene_edits import State


@pytest.mark.parametrize("maker", [gapped, paired, gapped_tones, tones_not_wanted])
def test_what_is_said_is_true_and_does_not_depend_on_the_wording(maker):
    made = 0
    for seed in range(120):
        rng = Random(f"gapped-{seed}")
        start = (
            State(random_scene(rng)) if maker in (gapped, paired) else State(None, photo=rng.getrandbits(30))
        )
        taped = RecordingRandom(rng)
        edit = maker(RngStreams(taped, rng, "train"), start)
        again = maker(RngStreams(ReplayingRandom(taped.tape), Random(seed), "test"), start)
        assert (edit is None) == (again is None)
        if edit and again:
            made += 1
            assert (edit.expressive, edit.goal) == (again.expressive, again.goal)
            assert all(fact_holds(fact, start, edit.goal) for fact in parse_facts(edit.expressive))
            assert (edit.goal == start) == (edit.expressive == AS_ASKED)
    assert made > 50
