from itertools import islice
from math import isnan

import pytest
import torch

from mgie_engine.lab.evaluation.scene_cases import SceneCase, cases, psnr, score_picture, score_text
from mgie_engine.lab.scenes.scene import FRONT, Cell, Scene, SceneObject
from mgie_engine.lab.scenes.scene_edits import State, recolour_to
from mgie_engine.lab.scenes.scene_images import pictures
from mgie_engine.lab.scenes.tonal import tone_edit

BALL = SceneObject("ball", "red", "large", Cell(FRONT, 0))
START = State(Scene((BALL,)))


def a_case(edit):
    before, goal = pictures([START, edit.goal], 48)
    return SceneCase(edit, START, (), before, goal)


RECOLOUR = a_case(recolour_to(START, BALL, "blue", "make it blue"))
IDLE = a_case(recolour_to(START, BALL, "red", "make it red"))


def judged(case, result):
    return score_picture(case.before, case.goal, result)


def test_the_goal_itself_succeeds():
    shown = judged(RECOLOUR, RECOLOUR.goal)
    assert (shown.success, shown.left, shown.kept_db) == (True, 0.0, 80.0)


def test_doing_nothing_fails_and_leaves_everything_to_do():
    shown = judged(RECOLOUR, RECOLOUR.before)
    assert not shown.success
    assert shown.left == pytest.approx(1.0)


def test_most_of_the_way_is_enough_and_half_of_it_is_just_so():
    def at(share):
        return judged(RECOLOUR, torch.lerp(RECOLOUR.before, RECOLOUR.goal, share))

    assert at(0.6).success
    assert at(0.5).left == pytest.approx(0.25, abs=1e-4)
    assert not at(0.4).success


def test_what_should_stay_is_measured_outside_the_change():
    spoilt = RECOLOUR.goal.clone()
    spoilt[:, :8] += 0.1
    assert judged(RECOLOUR, spoilt).success
    assert 20 < judged(RECOLOUR, spoilt).kept_db < 40


def test_an_idle_instruction_succeeds_when_nothing_changes():
    assert judged(IDLE, IDLE.before).success
    assert not judged(IDLE, IDLE.before * 0.9).success


def test_where_all_changes_nothing_is_kept():
    edit = tone_edit(START, (("invert", "plain"),), "invert")
    assert edit
    assert isnan(judged(a_case(edit), a_case(edit).goal).kept_db)


def test_the_true_words_are_true():
    said = score_text(RECOLOUR, RECOLOUR.edit.expressive)
    assert (said.true, said.resolved, said.word_for_word) == (said.stated, True, True)


def test_another_thing_said_is_not_resolved():
    said = score_text(RECOLOUR, RECOLOUR.edit.expressive.replace("blue", "green"))
    assert not said.resolved
    assert said.true == said.stated - 1


def test_gibberish_is_one_false_fact():
    said = score_text(RECOLOUR, "Bananas everywhere.")
    assert (said.stated, said.true, said.resolved) == (1, 0, False)


def test_psnr_is_in_decibels():
    assert psnr(torch.full((4, 4), 0.01)) == pytest.approx(20.0)


def test_cases_come_in_the_order_of_their_stories():
    first = list(islice(cases("test", 16), 5))
    again = list(islice(cases("test", 16), 5))
    assert [case.edit for case in first] == [case.edit for case in again]
    assert all(torch.equal(a.before, b.before) for a, b in zip(first, again, strict=True))
