"""A tidy deletes nothing while the machine's clock may be wrong."""

from bot.policy.tidy_guard import FEW, JUMP_S, SETTLE_S, TidyGuard

NOW = 1_700_000_000.0


def test_a_few_old_pictures_of_many_may_go() -> None:
    guard = TidyGuard()
    assert guard.objection(NOW, 0.0, old=50, stored=100) is None
    assert guard.objection(NOW + 3600, 3600.0, old=FEW, stored=FEW) is None


def test_after_a_jump_nothing_goes_for_a_day() -> None:
    for jump_s in (31 * 24 * 3600.0, -2 * JUMP_S):
        guard = TidyGuard()
        assert guard.objection(NOW, 0.0, 1, 100) is None
        assert guard.objection(NOW + jump_s, 0.0, 1, 100) == f"the clock jumped by {jump_s:+.0f} s"
        assert guard.objection(NOW + jump_s + SETTLE_S - 1, SETTLE_S - 1, 1, 100) is not None
        assert guard.objection(NOW + jump_s + SETTLE_S, SETTLE_S, 1, 100) is None


def test_a_clock_that_drifts_a_little_is_no_jump() -> None:
    guard = TidyGuard()
    assert guard.objection(NOW, 0.0, 1, 100) is None
    assert guard.objection(NOW + 7200 + 30, 7200.0, 1, 100) is None


def test_most_pictures_go_only_when_they_were_old_for_a_day_of_an_even_clock() -> None:
    guard, old = TidyGuard(), FEW + 1
    assert guard.objection(NOW, 0.0, old, old) == "that is most of them, and the clock may be wrong"
    assert guard.objection(NOW + SETTLE_S - 1, SETTLE_S - 1, old, old) is not None
    assert guard.objection(NOW + SETTLE_S, SETTLE_S, old, old) is None
    assert guard.objection(NOW + 2 * SETTLE_S, 2 * SETTLE_S, 1, old) is None
    assert guard.objection(NOW + 3 * SETTLE_S, 3 * SETTLE_S, old, old) is not None


def test_a_wrong_clock_that_is_put_right_starts_the_day_again() -> None:
    guard, old, month_s = TidyGuard(), 100, 31 * 24 * 3600.0
    assert guard.objection(NOW + month_s, 0.0, old, old) is not None
    assert guard.objection(NOW + 3600, 3600.0, 0, old) is None
    assert guard.objection(NOW + month_s, 7200.0, old, old) is not None
    assert guard.objection(NOW + month_s + SETTLE_S, 7200.0 + SETTLE_S - 1, old, old) is not None
