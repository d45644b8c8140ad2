from math import nan

import pytest

from mgie_engine.lab.evaluation.scene_cases import PictureScore, TextScore
from mgie_engine.lab.evaluation.scenes_figures import SceneResult, drift_summary, figure, share, summary


def a_row(kind="recolour", *, success=True, resolved=True, stated=4, true=4, kept=40.0):
    shown = [PictureScore(success, 0.1, kept), PictureScore(True, 0.1, kept)]
    return SceneResult(kind, TextScore(stated, true, resolved, resolved), shown, shown)


def test_a_figure_is_a_mean_within_its_interval():
    found = figure([0.0, 1.0] * 50)
    assert found
    assert found.mean == 0.5
    assert 0.38 < found.low < 0.45 < 0.55 < found.high < 0.62


def test_the_same_values_have_the_same_interval():
    assert figure([0.0, 1.0, 1.0]) == figure([0.0, 1.0, 1.0])


def test_what_is_not_known_is_left_out():
    found = figure([1.0, nan, 3.0])
    assert found
    assert found.mean == 2.0
    assert figure([nan]) is None
    assert figure([]) is None


def test_success_is_the_mean_over_sampling_seeds():
    report = summary([a_row(success=False), a_row()])
    assert report["kinds"]["recolour"]["success"][0] == 0.75
    assert report["kinds"]["all"]["count"] == 2


def test_who_states_more_counts_more():
    report = summary([a_row(stated=9, true=9), a_row(stated=1, true=0)])
    assert report["facts_true"][0] == pytest.approx(0.9)


def test_only_follow_ups_measure_resolution():
    assert summary([a_row(resolved=False)])["resolved_follow_ups"] is None
    rows = [a_row("follow-up"), a_row("follow-up", resolved=False), a_row(resolved=False)]
    assert summary(rows)["resolved_follow_ups"][0] == 0.5


def test_drift_is_what_the_last_turn_lost():
    summary = drift_summary([[40.0, 39.0, 38.0], [42.0, 42.0, 42.0]])
    assert summary["db"] == [41.0, 40.5, 40.0]
    assert summary["lost_db"][0] == 1.0


def test_a_share_of_all_is_not_certain():
    found = share([True] * 31)
    assert found is not None
    assert (found.mean, round(found.low, 2), round(found.high, 2)) == (1.0, 0.89, 1.0)
    half = share([0, 1] * 50)
    assert half is not None
    assert (round(half.low, 2), round(half.high, 2)) == (0.4, 0.6)
    assert share([]) is None
