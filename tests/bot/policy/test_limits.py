"""The rules for people are arithmetic."""

import pytest

from bot.policy.limits import Limits, RateLimiter, is_fresh, objection_to_queueing, objection_to_words

LIMITS = Limits(waiting_per_person=3, waiting=5, instruction_chars=10, requests=2, window_s=12, head_ttl_s=60)


@pytest.mark.parametrize(("words", "fine"), [("", False), ("x", True), ("x" * 10, True), ("x" * 11, False)])
def test_words_have_a_length(words, fine):
    assert (objection_to_words(words, LIMITS) is None) is fine


@pytest.mark.parametrize(
    ("own", "waiting", "fine"), [(0, 0, True), (2, 4, True), (3, 3, False), (0, 5, False)]
)
def test_the_line_has_room_for_so_many(own, waiting, fine):
    assert (objection_to_queueing(own, waiting, LIMITS) is None) is fine


def test_a_window_slides():
    pace = RateLimiter().after(0, LIMITS).after(5, LIMITS)
    assert pace.objection(6, LIMITS) == "That was quick: 2 requests in 12 s. Try again in 6 s."
    assert pace.objection(12, LIMITS) is None
    assert not pace.is_idle(16.9, LIMITS)
    assert pace.is_idle(17, LIMITS)


def test_a_pace_forgets_what_left_the_window():
    pace = RateLimiter()
    for second in range(100):
        pace = pace.after(float(second), LIMITS)
    assert len(pace.times) == 12


def test_a_head_is_fresh_for_a_while():
    assert is_fresh((0.0, 40.0), 99.0, LIMITS)
    assert not is_fresh((0.0, 40.0), 100.0, LIMITS)
