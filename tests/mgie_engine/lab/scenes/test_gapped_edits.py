"""Two edits in one clause, and what is not meant: true of the pictures, and the same in other words."""

import pytest

from mgie_engine.lab.scenes.gapped_edits import gapped
from mgie_engine.lab.scenes.gapped_tones import gapped_tones, tones_not_wanted
from mgie_engine.lab.scenes.paired_edits import paired
from mgie_engine.lab.scenes.scene import random_scene
from mgie_engine.lab.scenes.scene_edits import State
from tests.support.edits_in_other_words import true_in_other_words


@pytest.mark.parametrize("maker", [gapped, paired, gapped_tones, tones_not_wanted])
def test_what_is_said_is_true_and_does_not_depend_on_the_wording(maker):
    def start(rng):
        return (
            State(random_scene(rng)) if maker in (gapped, paired) else State(None, photo=rng.getrandbits(30))
        )

    made = len(list(true_in_other_words(maker, start, "gapped", 120)))
    assert made > 50
