"""Things that are counted: which of a kind is meant, and what happens to each."""

import re
from collections import defaultdict
from random import Random

import pytest

from mgie_engine.lab.scenes import counted_edits, group_edits
from mgie_engine.lab.scenes.counted_edits import each_its_own
from mgie_engine.lab.scenes.counted_words import numbered
from mgie_engine.lab.scenes.edit_generators import several
from mgie_engine.lab.scenes.expressive_text import MOST_SENTENCES, there
from mgie_engine.lab.scenes.fact_checker import UNREADABLE, fact_holds, parse_facts
from mgie_engine.lab.scenes.group_edits import groups_of, some
from mgie_engine.lab.scenes.phrasing import table, templates
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import FRONT, Cell, Scene, SceneObject, grouped_scene
from mgie_engine.lab.scenes.scene_edits import State

TRIALS = 400
BALLS = tuple(
    SceneObject("ball", colour, "medium", Cell(FRONT, column))
    for column, colour in enumerate(("red", "blue", "green"))
)
ROW = State(Scene((BALLS[2], BALLS[0], BALLS[1])))


@pytest.fixture(autouse=True)
def _undressed(monkeypatch):
    """Instructions without typing habits."""
    for module in (group_edits, counted_edits):
        monkeypatch.setattr(module, "dress", lambda rng, text: text)


def made(maker, state, split="train", trials=TRIALS):
    rng = Random(8)
    return [edit for _ in range(trials) if (edit := maker(RngStreams.of(rng, split), state))]


def touched(edit):
    return [obj for obj in BALLS if obj not in edit.goal.drawn.objects]


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("maker", [some, each_its_own, several])
def test_each_thing_that_changes_has_a_true_sentence_of_its_own(maker, split):
    rng, found = Random(5), 0
    for _ in range(TRIALS):
        before = State(grouped_scene(rng))
        edit = maker(RngStreams.of(rng, split), before)
        if edit is None:
            continue
        found += 1
        facts = parse_facts(edit.expressive)
        assert all(fact_holds(fact, before, edit.goal) and fact.attribute != UNREADABLE for fact in facts)
        changed = [obj for obj in before.drawn.objects if obj not in edit.goal.drawn.objects]
        assert all(f"The {there(obj)} " in edit.expressive for obj in changed)
        assert edit.expressive.count(". ") == len(changed) <= MOST_SENTENCES
    assert found > TRIALS / 2


def test_the_number_is_counted_from_the_left_or_as_it_says():
    ordinals, seen = ("first", "second", "third"), set()
    streams = RngStreams.of(Random(2), "train")
    for place in (0, 1, 2) * TRIALS:
        said = re.fullmatch(r"(?:the )?(\w+) \w+( from the right)?", numbered(streams, BALLS, place))
        if said and said[1] in ordinals:
            assert said[1] == ordinals[2 - place if said[2] else place]
            seen.add((said[1], bool(said[2])))
    assert len(seen) == 2 * len(ordinals)


def test_the_first_two_the_last_two_and_the_outer_ones_are_meant_by_their_words():
    for edit in made(some, ROW, trials=3000):
        if (
            re.search(r"\b(first|left|leftmost) (two|2)\b", edit.instruction)
            and "from the right" not in edit.instruction
        ):
            assert touched(edit) == [BALLS[0], BALLS[1]], edit.instruction
        if re.search(r"\b(last|right|rightmost|final) (two|2)\b", edit.instruction):
            assert touched(edit) == [BALLS[1], BALLS[2]], edit.instruction
        if re.search(r"\b(outer|outermost|outside)\b", edit.instruction):
            assert touched(edit) == [BALLS[0], BALLS[2]], edit.instruction


def test_no_instruction_that_counts_has_two_readings():
    meant = defaultdict(set)
    for maker in (some, each_its_own):
        for edit in made(maker, ROW, trials=4000):
            meant[edit.instruction.lower()].add(edit.expressive)
    assert not {said: readings for said, readings in meant.items() if len(readings) > 1}


def test_a_group_has_its_things_in_the_order_of_the_columns():
    assert groups_of(ROW.drawn) == [list(BALLS)]


def test_every_kind_of_words_has_more_ways_for_training_than_are_held_out():
    for kind in table("counting"):
        assert len(templates(kind, "train", "counting")) > 2 * len(templates(kind, "test", "counting"))
