"""A tidy deletes nothing while the machine's clock may be wrong."""

from bot.policy.tidy_guard import FEW, JUMP_S, SETTLE_S, judge_tidy
from conversations.store.bot_tables import ClockEvidence

NOW = 1_700_000_000.0
MONTH_S = 31 * 24 * 3600.0


class Guard:
    """Tidies one after the other; the evidence is all that is kept between them."""

    def __init__(self) -> None:
        self.evidence: ClockEvidence | None = None

    def objection(self, now: float, uptime_s: float, old: int, stored: int, boot: str = "b") -> str | None:
        self.evidence, objection = judge_tidy(self.evidence, now, uptime_s, boot, old, stored)
        return objection


def test_a_few_old_pictures_of_many_may_go() -> None:
    guard = Guard()
    assert guard.objection(NOW, 0.0, old=50, stored=100) is None
    assert guard.objection(NOW + 3600, 3600.0, old=FEW, stored=FEW) is None


def test_after_a_jump_nothing_goes_for_a_day() -> None:
    for jump_s in (MONTH_S, -2 * JUMP_S):
        guard = Guard()
        assert guard.objection(NOW, 0.0, 1, 100) is None
        assert guard.objection(NOW + jump_s, 0.0, 1, 100) == f"the clock jumped by {jump_s:+.0f} s"
        later = NOW + jump_s + SETTLE_S
        assert guard.objection(later - 1, SETTLE_S - 1, 1, 100) == f"the clock jumped by {jump_s:+.0f} s"
        assert guard.objection(later, SETTLE_S, 1, 100) is None


def test_a_clock_that_drifts_a_little_is_no_jump() -> None:
    guard = Guard()
    assert guard.objection(NOW, 0.0, 1, 100) is None
    assert guard.objection(NOW + 7200 + 30, 7200.0, 1, 100) is None


def test_most_pictures_go_only_when_they_were_old_for_a_day_of_an_even_clock() -> None:
    guard, old = Guard(), FEW + 1
    assert guard.objection(NOW, 0.0, old, old) == "that is most of them, and the clock may be wrong"
    assert guard.objection(NOW + SETTLE_S - 1, SETTLE_S - 1, old, old) is not None
    assert guard.objection(NOW + SETTLE_S, SETTLE_S, old, old) is None
    assert guard.objection(NOW + 2 * SETTLE_S, 2 * SETTLE_S, 1, old) is None
    assert guard.objection(NOW + 3 * SETTLE_S, 3 * SETTLE_S, old, old) is not None


def test_a_wrong_clock_that_is_put_right_starts_the_day_again() -> None:
    guard, old = Guard(), 100
    assert guard.objection(NOW + MONTH_S, 0.0, old, old) is not None
    assert guard.objection(NOW + 3600, 3600.0, 0, old) is None
    assert guard.objection(NOW + MONTH_S, 7200.0, old, old) is not None
    assert guard.objection(NOW + MONTH_S + SETTLE_S, 7200.0 + SETTLE_S - 1, old, old) is not None


def test_a_machine_that_restarts_every_day_deletes_in_the_end() -> None:
    guard, on_s, off_s = Guard(), 20 * 3600.0, 4 * 3600.0
    first = [guard.objection(NOW + s, s, 90, 100, "monday") for s in (0.0, on_s)]
    second = [guard.objection(NOW + on_s + off_s + s, 60.0 + s, 90, 100, "tuesday") for s in (0.0, on_s)]
    assert [objection is None for objection in (*first, *second)] == [False, False, False, True]


def test_the_time_that_the_machine_was_off_proves_nothing() -> None:
    guard = Guard()
    assert guard.objection(NOW, 0.0, 90, 100, "before") is not None
    assert guard.objection(NOW + MONTH_S, 60.0, 90, 100, "after") is not None


def test_a_clock_that_was_set_back_while_the_machine_was_off_has_jumped() -> None:
    guard = Guard()
    assert guard.objection(NOW, 9e6, 1, 100, "before") is None
    assert guard.objection(NOW - MONTH_S, 60.0, 1, 100, "after") == f"the clock jumped by {-MONTH_S:+.0f} s"
