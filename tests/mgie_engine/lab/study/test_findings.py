"""What is read from a study: means, rules, held-out checks and guidelines."""

import pytest

from mgie_engine.lab.study.fit import best_fixed, check_auto, check_fixed, fit, worth_checking
from mgie_engine.lab.study.groups import edit_groups
from mgie_engine.lab.study.guidelines import Guideline, GuidelineComparison, GuidelineVerdict, guidelines
from mgie_engine.lab.study.statistics import Study, gap, kept, score, success
from mgie_engine.strengths import GENTLE, HARSH, Kind, Pictures, StrengthRule, StrengthTable
from tests.support.study_cells import OWN, a_cell, a_subject, painted

LOUD = (4.0, 1.2)
EDITS = [a_subject(n, kind="add" if n % 2 else "remove", busy=n % 4 < 2) for n in range(40)]


def loud_helps_adding(part: str = "validation") -> list:
    edits = [a_subject(n, part, kind="add" if n % 2 else "remove", busy=n % 4 < 2) for n in range(40)]
    return painted(
        edits, {OWN: lambda s: 0.5, LOUD: lambda s: 0.1 + int(s.name) / 1000 if s.kind == "add" else 0.9}
    )


# --- means ---


def test_seeds_of_an_edit_count_as_one():
    edit = a_subject()
    study = Study([a_cell(edit, left=0.1, seed=0), a_cell(edit, left=0.9, seed=1)], OWN)
    assert study.values(success, OWN) == {("validation", "0"): 0.5}


def test_the_score_falls_when_what_should_stay_does_not():
    well, badly = a_cell(a_subject(), left=0.2, kept_db=50), a_cell(a_subject(), left=0.2, kept_db=20)
    assert (score(well), score(badly)) == (0.8, 0.4)


def test_where_nothing_should_stay_only_the_goal_counts():
    cell = a_cell(a_subject(), left=0.2, kept_db=None)
    assert (score(cell), kept(cell)) == (0.8, None)


def test_gains_are_over_edits_painted_under_both():
    cells = [a_cell(a_subject(n), OWN, 0.5) for n in range(5)] + [
        a_cell(a_subject(n), LOUD, 0.1) for n in range(3)
    ]
    study = Study(cells, OWN)
    assert len(study.gains(success, LOUD, OWN)) == 3
    gain = study.gain(success, LOUD, OWN)
    assert gain
    assert gain.mean == 1.0


def test_few_edits_give_no_figure():
    assert Study([a_cell(a_subject())], OWN).mean(success, OWN) is None
    assert gap([1.0, 1.0], [0.0] * 9) is None


def test_a_gap_is_between_different_edits():
    found = gap([1.0, 0.9, 1.1], [0.0, 0.1, 0.2])
    assert found
    assert found.low > 0.5
    assert found.mean == pytest.approx(0.9)


# --- rules ---


def test_a_rule_is_found_where_a_pair_is_surely_better():
    table = fit(Study(loud_helps_adding(), OWN), "test")
    (rule,) = table.rules
    assert (rule.kind, rule.pictures, rule.text_cfg, rule.edits) == (Kind.ADD, Pictures.ANY, 4.0, 20)
    assert rule.gain[1] > 0


def test_a_rule_for_busy_pictures_stands_before_the_general_one():
    def busy_wants_more(subject):
        return 0.1 if subject.look.texture > 0.1 else 0.6

    cells = painted(EDITS, {OWN: lambda s: 0.5, LOUD: lambda s: 0.3, (8.0, 1.2): busy_wants_more})
    table = fit(Study(cells, OWN), "test")
    assert table.rules[-1].kind is None
    assert {rule.pictures for rule in table.rules if rule.text_cfg == 8.0} == {Pictures.BUSY}


def test_chance_gives_no_rule():
    cells = painted(EDITS, {OWN: lambda s: 0.5, LOUD: lambda s: 0.3 + int(s.name) % 3 * 0.2})
    assert fit(Study(cells, OWN), "test").rules == ()


def test_a_handful_of_edits_gives_no_rule():
    cells = painted(EDITS[:6], {OWN: lambda s: 0.5, LOUD: lambda s: 0.1})
    assert fit(Study(cells, OWN), "test").rules == ()


def test_what_a_table_is_worth_is_measured_on_edits_it_has_not_seen():
    study = Study(loud_helps_adding() + loud_helps_adding("test"), OWN)
    table = fit(study, "test")
    auto = check_auto(study, success, table)
    fixed = check_fixed(study, success, LOUD)
    assert auto
    assert fixed
    assert auto.over_own.mean == fixed.over_own.mean == 0.5
    assert auto.mean.low > 0.2
    better = check_auto(study, score, table)
    same = check_fixed(study, score, LOUD)
    assert better
    assert same
    assert better.mean.mean > same.mean.mean


def test_the_best_fixed_pair_is_one_that_every_edit_was_painted_under():
    cells = painted(EDITS, {OWN: lambda s: 0.5, LOUD: lambda s: 0.4})
    cells += painted(EDITS[:5], {(9.0, 1.0): lambda s: 0.0})
    assert best_fixed(Study(cells, OWN)) == LOUD


def test_nothing_held_out_nothing_checked():
    assert check_fixed(Study(loud_helps_adding(), OWN), success, OWN) is None


def test_worth_checking_are_the_models_own_the_best_for_all_simple_and_busy_pictures_and_what_auto_follows():
    soft, followed = (1.0, 1.2), (5.0, 1.2)
    helps = {False: LOUD, True: soft}  # by whether the picture is busy; each harms the other pictures
    left = {pair: lambda s, p=pair: 0.2 if helps[s.look.texture > 0.1] == p else 0.9 for pair in (LOUD, soft)}
    study = Study(painted(EDITS, {OWN: lambda s: 0.5, **left}), OWN)
    rule = StrengthRule(Kind.ADD, Pictures.ANY, *followed, (0.1, 0.05, 0.15), 20)
    table = StrengthTable("tiny", 0.1, OWN, (rule,))
    assert worth_checking(study, table) == (OWN, LOUD, soft, followed)


# --- guidelines ---


def a_comparison(values: tuple[float, float, float], floor: float = 0.0) -> GuidelineComparison:
    from mgie_engine.lab.evaluation.scenes_figures import Figure

    return GuidelineComparison("a − b", Figure(*values), 9, floor)


@pytest.mark.parametrize(
    ("comparisons", "verdict"),
    [
        ([(0.2, 0.1, 0.3)], GuidelineVerdict.HOLDS),
        ([(-0.2, -0.3, -0.1)], GuidelineVerdict.DOES_NOT),
        ([(0.0, -0.1, 0.1)], GuidelineVerdict.OPEN),
        ([(0.2, 0.1, 0.3), (0.0, -0.1, 0.1)], GuidelineVerdict.DEPENDS),
        ([(0.2, 0.1, 0.3), (-0.2, -0.3, -0.1)], GuidelineVerdict.DEPENDS),
        ([(0.0, -0.1, 0.1), (-0.2, -0.3, -0.1)], GuidelineVerdict.DOES_NOT),
    ],
)
def test_a_verdict_needs_the_whole_interval(comparisons, verdict):
    assert Guideline("claim", tuple(map(a_comparison, comparisons))).verdict is verdict


def test_enough_means_not_much_worse():
    assert a_comparison((-0.01, -0.04, 0.02), floor=-0.05).verdict is GuidelineVerdict.HOLDS


def test_the_published_pairs_are_compared_on_skies():
    skies = [a_subject(n, kind="background") for n in range(10)]
    study = Study(painted(skies, {OWN: lambda s: 0.5, GENTLE: lambda s: 0.2, HARSH: lambda s: 0.8}), OWN)
    sky = next(g for g in guidelines(study) if "sky" in g.claim)
    better = next(c for c in sky.comparisons if c.what.startswith("7/2 − 8.5/0.7 (score)"))
    assert better.verdict is GuidelineVerdict.HOLDS


def test_few_words_are_compared_with_many_for_the_same_instruction():
    cells = [a_cell(a_subject(n, part), left=left) for n in range(9) for part, left in
             (("short", 0.2), ("long", 0.6))]  # fmt: skip
    study = Study(cells, OWN)
    study.busy_from = 1.0
    few, many, *_ = guidelines(study)
    assert (few.verdict, many.verdict) == (GuidelineVerdict.HOLDS, GuidelineVerdict.DOES_NOT)


def test_an_empty_study_shows_nothing():
    assert {g.verdict for g in guidelines(Study([], OWN))} == {GuidelineVerdict.OPEN}


# --- groups ---


def test_halves_by_complexity_hold_every_edit_once_and_held_out_edits_nowhere():
    study = Study([a_cell(edit) for edit in [*EDITS, a_subject(0, "test")]], OWN)
    by_name = {group.name: sum(map(group.which, study.subjects.values())) for group in edit_groups(study)}
    assert by_name["all"] == 40
    assert by_name["add"] == by_name["remove"] == 20
    assert by_name["things below 5"] + by_name["things from 5"] == 40
    assert by_name["texture below 0.2"] == by_name["texture from 0.2"] == 20


def test_pictures_of_yours_are_a_group_of_their_own():
    study = Study([a_cell(a_subject(0, "pictures"))], OWN)
    assert [group.family for group in edit_groups(study)] == ["pictures"]


def test_a_handful_of_edits_tests_no_guideline():
    skies = [a_subject(n, kind="background", busy=n % 2 == 0) for n in range(7)]
    study = Study(painted(skies, {OWN: lambda s: 0.5, GENTLE: lambda s: 0.2, HARSH: lambda s: 0.8}), OWN)
    assert {g.verdict for g in guidelines(study)} == {GuidelineVerdict.OPEN}
