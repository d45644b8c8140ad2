"""Exclusion, negation and self-correction: true of the pictures, and the same in other words."""

import re
from random import Random

import pytest

from mgie_engine.lab.scenes.expressive_text import where
from mgie_engine.lab.scenes.left_out_edits import all_things_but, rest_of_kind
from mgie_engine.lab.scenes.left_out_tones import tone_but_part
from mgie_engine.lab.scenes.negated_edits import negated
from mgie_engine.lab.scenes.phrasing import dress_without_rest
from mgie_engine.lab.scenes.revised_edits import revised
from mgie_engine.lab.scenes.revised_tones import revised_tone
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import grouped_scene, random_scene
from mgie_engine.lab.scenes.scene_edits import State
from tests.support.edits_in_other_words import true_in_other_words

TRIALS = 300
ON_PHOTOS = (tone_but_part, revised_tone)


def start(rng, maker):
    if maker in ON_PHOTOS:
        return State(None, photo=rng.getrandbits(30))
    return State(grouped_scene(rng) if maker is rest_of_kind else random_scene(rng))


def made(maker, split="train"):
    for seed in range(TRIALS):
        rng = Random(f"revised-{seed}")
        before = start(rng, maker)
        edit = maker(RngStreams.of(rng, split), before)
        if edit:
            yield before, edit


@pytest.mark.parametrize(
    "maker", [rest_of_kind, all_things_but, tone_but_part, negated, revised, revised_tone]
)
def test_what_is_said_is_true_and_does_not_depend_on_the_wording(maker):
    found = 0
    for edit in true_in_other_words(maker, lambda rng: start(rng, maker), "revised", TRIALS):
        found += 1
        assert not re.search(r"[{}|]", edit.instruction), edit.instruction
    assert found > TRIALS / 6


@pytest.mark.parametrize("maker", [rest_of_kind, all_things_but])
def test_what_is_left_out_is_all_that_stays(maker):
    counts = set()
    for before, edit in made(maker):
        touched = [obj for obj in before.drawn.objects if obj not in edit.goal.drawn.objects]
        among = before.drawn.of(touched[0].kind) if maker is rest_of_kind else before.drawn.objects
        left = [obj for obj in among if obj not in touched]
        named = {f"The {obj.colour} {obj.kind} {where(obj.cell)} stays." for obj in left}
        assert set(re.findall(r"The [^.]* stays\.", edit.expressive)) == named
        counts.add(len(left))
    assert counts == ({1} if maker is rest_of_kind else {1, 2})


def test_a_tone_is_of_all_but_the_part_that_is_named():
    regions = {edit.goal.tones[-1].region for _, edit in made(tone_but_part)}
    assert {"not sky", "not reds", "background"} <= regions
    assert all(region.startswith("not ") or region == "background" for region in regions)
    assert any(edit.goal.tones[-1].name == "sepia" for _, edit in made(tone_but_part))


def test_nothing_is_added_that_takes_the_meaning_back():
    rng = Random(5)
    said = [dress_without_rest(rng, "remove everything but the tree") for _ in range(TRIALS * 5)]
    assert not [text for text in said if re.search("the rest|else|do it", text.lower())]
    assert len(set(said)) > TRIALS
