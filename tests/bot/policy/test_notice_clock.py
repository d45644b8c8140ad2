"""Operators are told at once, after 24, 42 and 48 hours, then daily."""

from bot.policy.notice_clock import is_due
from conversations.shares import HOUR_S


def test_reminders_of_one_notice_over_five_days() -> None:
    told: list[float] = []
    for hour in range(120):
        if is_due(0.0, told[-1] * HOUR_S if told else None, hour * HOUR_S):
            told.append(hour)
    assert told == [0, 24, 42, 48, 72, 96]


def test_a_bot_that_was_off_is_reminded_once() -> None:
    assert is_due(0.0, 0.0, 43 * HOUR_S)
    assert not is_due(0.0, 43 * HOUR_S, 44 * HOUR_S)
