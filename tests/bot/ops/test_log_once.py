"""Strangers cannot fill the log."""

import logging

from bot.ops.log_once import EVERY_S, KINDS, OncePerMinute


def line(text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("page", logging.WARNING, "page.py", 1, text, args, None)


def test_of_every_kind_one_line_a_minute_passes_and_says_how_many_it_stands_for() -> None:
    now = 0.0
    once = OncePerMinute(lambda: now)
    assert once.filter(line("refused %s", "a"))
    assert once.filter(line("failed"))
    for name in "bcd":
        assert not once.filter(line("refused %s", name))
    now = EVERY_S
    again = line("refused %s", "e")
    assert once.filter(again)
    assert again.getMessage() == "refused e (3 more like this in the last minutes)"


def test_kinds_without_end_cost_no_memory() -> None:
    once = OncePerMinute(lambda: 0.0)
    for number in range(3 * KINDS):
        once.filter(line(f"kind {number}"))
    assert len(once._said) <= KINDS
