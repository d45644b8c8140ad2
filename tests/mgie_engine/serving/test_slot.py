"""Who waits for pictures that are still being opened."""

from concurrent.futures import Future

from conversations.settings import EditSettings
from mgie_engine.edits import EditRequest
from mgie_engine.serving.slot import TOGETHER_S, Slot, still_opening

REQUEST = EditRequest(b"", "x", EditSettings(2.0, 1.0, 6, seed=1, sampler="dpmpp_2m"))


def slot(entered_at, opened):
    opening = Future()
    if opened:
        opening.set_result(None)
    return Slot(0, REQUEST, entered_at, opening)


def test_who_came_at_once_waits_for_the_others():
    assert still_opening([slot(5.0, opened=True), slot(5.0, opened=False)], now=5.01)


def test_nobody_waits_for_a_picture_that_takes_long():
    assert not still_opening([slot(5.0, opened=False)], now=5.01 + TOGETHER_S)


def test_nobody_waits_once_all_are_open():
    assert not still_opening([slot(5.0, opened=True), slot(5.0, opened=True)], now=5.0)
