"""What the loop does next."""

import pytest

from mgie_engine.serving.scheduler import ALONE_S, next_loop_step, preview_steps


def test_everybody_who_paints_makes_a_step():
    assert next_loop_step([], [3, 1, 2], step_s=0.1).paint == (3, 1, 2)


def test_the_oldest_newcomer_reads_first():
    assert next_loop_step([5, 6], [], step_s=0.1).read == 5


def test_reading_beside_painters_takes_no_longer_than_their_step():
    assert next_loop_step([5], [1], step_s=0.1).read_for_s == 0.1


def test_reading_alone_goes_on_for_a_while():
    assert next_loop_step([5], [], step_s=0.1).read_for_s == ALONE_S


def test_with_nobody_there_is_nothing_to_do():
    turn = next_loop_step([], [], step_s=0.1)
    assert (turn.read, turn.paint) == (None, ())


@pytest.mark.parametrize(
    ("steps", "expected"), [(100, {35, 70}), (20, {7, 14}), (3, {1, 2}), (2, {1}), (1, set())]
)
def test_previews_are_few_and_never_of_the_last_step(steps: int, expected: set[int]):
    assert preview_steps(steps, (0.35, 0.7)) == expected
