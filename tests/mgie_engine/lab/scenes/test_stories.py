import hashlib
import re
from dataclasses import replace

import pytest

from mgie_engine.edits import Exchange
from mgie_engine.lab.scenes.drawing import SHAPES, fits
from mgie_engine.lab.scenes.expressive_text import AS_ASKED, MOST_SENTENCES, NOTHING
from mgie_engine.lab.scenes.stories import MAX_HISTORY, story, tellings
from mgie_engine.text.cleanup import tidy
from tests.support.scene_descriptions import steps, stories

# Changes with every change of the grammar: weights trained before it do not know the new words.
WORDS = "15fe8480"


def test_one_seed_tells_one_story_for_ever():
    texts = [
        (s.edit.instruction, s.edit.expressive) for seed in range(40) for s in story(seed, "train").steps
    ]
    assert hashlib.sha256(repr(texts).encode()).hexdigest()[:8] == WORDS


def test_splits_tell_different_stories():
    assert story(1, "train") != story(1, "validation") != story(1, "test")


def test_no_test_instruction_is_ever_said_in_training():
    assert not {plain(step) for _, step in steps("train")} & {plain(step) for _, step in steps("test")}


def meaning(one_story):
    """A story without the words it is asked for in."""
    steps = [(replace(step.edit, instruction=""), step.before, step.after) for step in one_story.steps]
    return one_story.states, steps, [[turn.expressive for turn in step.history] for step in one_story.steps]


def test_a_story_worded_again_means_the_same():
    for split in ("train", "test"):
        for seed in range(400):
            first, *again = tellings(seed, split, 4)
            assert first == story(seed, split)
            assert [meaning(one_story) for one_story in again] == [meaning(first)] * 3


def test_a_story_worded_again_is_asked_for_in_other_words():
    ways = [
        {s.edit.instruction for s in alike} for wordings in retold() for alike in zip(*wordings, strict=True)
    ]
    assert sum(len(said) == 3 for said in ways) > 0.98 * len(ways)


def test_a_story_worded_again_remembers_its_own_words():
    for wordings in retold():
        for worded_steps in wordings:
            said = [step.edit.instruction for step in worded_steps]
            for index, step in enumerate(worded_steps):
                assert not step.history or step.history[-1].instruction == said[index - 1]


def test_no_held_out_instruction_is_said_when_training_stories_are_worded_again():
    held_out = {plain(step) for _, step in steps("test")}
    assert not held_out & {plain(step) for wordings in retold() for again in wordings for step in again}


def retold():
    """The steps of stories for training, each story in three wordings."""
    return [[one_story.steps for one_story in tellings(seed, "train", 3)] for seed in range(300)]


def plain(step):
    return re.sub(r"[^a-z ]", "", step.edit.instruction.lower())


def test_every_expressive_instruction_is_short_and_ends_with_a_full_stop():
    for _, step in steps():
        said = step.edit.expressive
        assert said == tidy(said) or step.edit.kind in (
            "compound",
            "local",
            "follow-up",
        )  # of several changes
        assert said.endswith(".")
        changes = MOST_SENTENCES if step.edit.kind == "compound" else 2
        assert said.count(". ") <= changes  # what stays comes last


def test_instructions_are_clean():
    for _, step in steps():
        asked = step.edit.instruction
        assert asked == " ".join(asked.split())
        unclean = r"[{}]|\b[Aa] [aeiou]|\bthe the\b|\ba an?\b|(?:^|[.:!?] )no the (?!other)"
        assert not re.search(unclean, asked), asked


def test_what_changes_nothing_says_so_and_nothing_else_does():
    for _, step in steps():
        silent = step.edit.expressive.startswith((NOTHING, AS_ASKED))
        assert silent == (step.before == step.after or step.edit.kind in ("nothing", "refuse"))


def test_refusals_leave_the_state_alone():
    for one_story, step in [*steps(kind="refuse"), *steps(kind="nothing")]:
        assert one_story.states[step.before] == one_story.states[step.after] == step.edit.goal


def test_every_scene_fits_on_a_sheet():
    for one_story in stories():
        for state in one_story.states:
            assert state.scene is None or fits(state.scene)
            assert state.sheet().shapes.shape[0] == SHAPES


def test_a_chain_remembers_the_last_turns():
    for one_story in stories():
        said = [Exchange(step.edit.instruction, step.edit.expressive) for step in one_story.steps]
        for index, step in enumerate(one_story.steps):
            assert step.history in ((), tuple(said[max(0, index - MAX_HISTORY) : index]))


@pytest.mark.parametrize("kind", ["recolour", "remove", "add", "replace", "resize", "move", "follow-up"])
def test_every_kind_is_told_often_enough(kind):
    assert len(steps(kind=kind)) > 0.03 * len(steps())
