import re
from collections import Counter, defaultdict
from dataclasses import replace
from random import Random

from mgie_engine.lab.scenes.ambiguous_edits import ambiguous, has_odd_one
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import FRONT, Cell, Scene, SceneObject, random_scene
from mgie_engine.lab.scenes.scene_edits import State
from tests.support.scene_descriptions import steps


def test_at_least_one_edit_in_25_is_ambiguous():
    for split in ("train", "test"):
        assert len(steps(split, "ambiguous")) >= 0.04 * len(steps(split))


def test_a_blind_guess_is_hardly_ever_right():
    """The most frequent change for each instruction is the best that a model without eyes could learn."""
    answers = defaultdict(Counter)
    for seed in range(12000):
        rng = Random(seed)
        edit = ambiguous(RngStreams.of(rng, "train"), State(random_scene(rng)))
        if edit:
            words = re.sub(r"[^a-z ]", "", edit.instruction.lower())
            answers[words][edit.expressive.partition(". ")[0]] += 1
    often = [counts for counts in answers.values() if sum(counts.values()) >= 8]
    assert len(often) >= 5
    assert sum(max(counts.values()) for counts in often) < 0.25 * sum(
        sum(counts.values()) for counts in often
    )


def test_the_right_one_of_two_takes_the_colour_of_the_left_one():
    left, right = (
        SceneObject("tree", colour, "small", Cell(FRONT, x)) for colour, x in (("red", 0), ("pink", 3))
    )
    state = State(Scene((right, left)))
    said = {
        edit.expressive
        for seed in range(80)
        if (edit := ambiguous(RngStreams.of(Random(seed), "train"), state))
    }
    place = "in front on the far right"
    assert f"The small pink tree {place} turns red. The red tree in front on the far left stays." in said


def test_the_odd_one_takes_the_colour_of_the_others():
    trees = [SceneObject("tree", "red", "small", Cell(FRONT, x)) for x in range(3)]
    state = State(Scene((*trees[:2], replace(trees[2], colour="pink"))))
    edits = [edit for seed in range(80) if (edit := ambiguous(RngStreams.of(Random(seed), "train"), state))]
    assert State(Scene(tuple(trees))) in [edit.goal for edit in edits]


def test_what_is_alike_has_no_odd_one():
    trees = tuple(SceneObject("tree", "red", "small", Cell(FRONT, x)) for x in range(3))
    assert not has_odd_one(Scene(trees))
    assert has_odd_one(Scene((*trees[:2], replace(trees[2], colour="pink"))))


def test_an_empty_scene_has_nothing_to_look_at():
    assert ambiguous(RngStreams.of(Random(0), "train"), State(Scene(()))) is None
