from collections import Counter
from typing import get_args

import pytest

from mgie_engine.lab.scenes.expressive_text import PromptSet
from mgie_engine.lab.scenes.fact_checker import UNREADABLE, fact_holds, parse_facts
from mgie_engine.lab.scenes.human_prompts import (
    WITH_TOPICS,
    held_out_words,
    human_prompts,
    plain_words,
    topic_prompts,
)
from tests.support.scene_descriptions import steps


def test_there_are_twenty_instructions_of_every_frequent_kind():
    count = Counter(prompt.edit.kind for prompt in human_prompts())
    assert all(
        count[kind] >= 20
        for kind in (
            "recolour", "remove", "replace", "add", "resize", "move", "background", "tonal", "refuse",
        )
    )  # fmt: skip


@pytest.mark.parametrize("which", get_args(PromptSet))
def test_every_instruction_comes_to_what_it_says(which):
    for start, edit, _ in human_prompts(which):
        facts = parse_facts(edit.expressive)
        assert all(fact_holds(fact, start, edit.goal) and fact.attribute != UNREADABLE for fact in facts)
        assert (edit.goal == start) == (edit.kind in ("refuse", "nothing"))


def test_no_instruction_is_one_that_is_made_up():
    made_up = {step.edit.instruction.lower() for _, step in steps()}
    assert not made_up & {prompt.edit.instruction.lower() for prompt in human_prompts()}


def test_the_second_turn_of_a_conversation_begins_where_the_first_one_ends():
    for start, edit, (first,) in human_prompts("followups"):
        assert first.instruction != edit.instruction
        assert parse_facts(first.expressive)
        assert start.scene
        assert not edit.was or edit.was in start.scene.objects


@pytest.mark.parametrize("which", WITH_TOPICS)
def test_a_set_by_topic_is_large_covers_every_topic_and_is_held_out(which):
    said = [(topic, prompt.edit.instruction) for topic, prompt in topic_prompts(which)]
    count = Counter(topic for topic, _ in said)
    assert len({plain_words(text) for _, text in said}) == len(said) >= 150
    assert {plain_words(text) for _, text in said} <= held_out_words()
    assert all(
        count[topic] >= least
        for topic, least in {
            "compound": 20,
            "negation": 16,
            "counting": 10,
            "correction": 10,
            "address": 36,
        }.items()
    ), count


def test_no_blind_instruction_is_in_another_set():
    others = {
        plain_words(prompt.edit.instruction)
        for which in ("seen", "unseen", "followups", "fresh")
        for prompt in human_prompts(which)
    }
    assert not others & {plain_words(prompt.edit.instruction) for prompt in human_prompts("blind")}


@pytest.mark.parametrize(("which", "turns"), [("talks", 50), ("blind-talks", 50)])
def test_talks_have_five_turns(which, turns):
    assert len(list(human_prompts(which))) == turns
