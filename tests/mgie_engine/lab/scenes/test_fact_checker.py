from dataclasses import replace

import pytest

from mgie_engine.lab.scenes.fact_checker import UNREADABLE, Fact, fact_holds, parse_facts
from mgie_engine.lab.scenes.scene import FRONT, Cell, Scene, SceneObject
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.restore.tones import ToneSpec
from tests.support.scene_descriptions import steps

BALL = SceneObject("ball", "red", "large", Cell(FRONT, 0))
HERE = State(Scene((BALL,)))
BLUE = State(Scene((replace(BALL, colour="blue"),)))
SAID = "The large red ball in front on the far left turns blue."


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_expressive_instruction_states_only_true_facts(split):
    for one_story, step in steps(split):
        before, after = one_story.states[step.before], one_story.states[step.after]
        for fact in parse_facts(step.edit.expressive):
            assert fact_holds(fact, before, after), (step.edit.expressive, fact)


def test_what_changes_is_stated():
    for one_story, step in steps():
        before, after = one_story.states[step.before], one_story.states[step.after]
        if before != after:
            assert any(not fact_holds(fact, before, before) for fact in parse_facts(step.edit.expressive))


def test_a_sentence_is_read_attribute_by_attribute():
    place = "in front on the far left"
    assert parse_facts(SAID) == [
        Fact("before", place, "size", "large"),
        Fact("before", place, "colour", "red"),
        Fact("before", place, "kind", "ball"),
        Fact("after", place, "colour", "blue"),
    ]


def test_one_wrong_word_is_one_false_fact():
    wrong = SAID.replace("large", "small")
    assert [fact_holds(fact, HERE, BLUE) for fact in parse_facts(wrong)] == [False, True, True, True]


def test_a_wrong_place_makes_everything_said_of_it_false():
    wrong = SAID.replace("left", "right")
    assert not any(fact_holds(fact, HERE, BLUE) for fact in parse_facts(wrong))


@pytest.mark.parametrize("text", ["", "Bananas.", "The ball turns blue.", SAID[:-8] + "ultramarine."])
def test_what_cannot_be_read_is_false(text):
    facts = parse_facts(text)
    assert [fact.attribute for fact in facts] == [UNREADABLE]
    assert not fact_holds(facts[0], HERE, BLUE)


@pytest.mark.parametrize(("obj", "is_true"), [("large blue ball", True), ("large green ball", False)])
def test_a_sentence_may_follow_one_that_changed_the_thing(obj, is_true):
    moved = State(Scene((replace(BALL, colour="blue", cell=Cell(FRONT, 1)),)))
    text = f"{SAID} The {obj} moves from in front on the far left to in front left of the middle."
    assert all(fact_holds(fact, HERE, moved) for fact in parse_facts(text)) == is_true


def test_nothing_changes_is_false_of_an_edit():
    said = parse_facts("Nothing changes.")
    assert [fact_holds(fact, HERE, HERE) for fact in said] == [True]
    assert [fact_holds(fact, HERE, BLUE) for fact in said] == [False]


def test_an_absent_kind_must_be_absent():
    assert all(fact_holds(fact, HERE, HERE) for fact in parse_facts("Nothing changes. I see no tree here."))
    assert not all(
        fact_holds(fact, HERE, HERE) for fact in parse_facts("Nothing changes. I see no ball here.")
    )


def test_a_tone_must_be_the_one_that_was_given():
    brighter = replace(HERE, tones=(ToneSpec("brighter", 1.0),))
    assert all(fact_holds(fact, HERE, brighter) for fact in parse_facts("The whole picture gets brighter."))
    assert not any(
        fact_holds(fact, HERE, brighter) for fact in parse_facts("The whole picture gets much brighter.")
    )
    assert not any(fact_holds(fact, HERE, brighter) for fact in parse_facts("The whole picture gets louder."))
