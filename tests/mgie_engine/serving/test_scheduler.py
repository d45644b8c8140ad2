"""What the loop does next."""

import pytest

from mgie_engine.serving.scheduler import ALONE_S, next_loop_step, preview_steps


def test_everybody_who_paints_makes_a_step():
    assert next_loop_step([], [3, 1, 2], step_s=0.1).paint == (3, 1, 2)


def test_the_oldest_newcomer_reads_first():
    assert next_loop_step([5, 6], [], step_s=0.1).read == (5,)


def test_reading_beside_painters_takes_no_longer_than_their_step():
    assert next_loop_step([5], [1], step_s=0.1).read_for_s == 0.1


def test_reading_alone_goes_on_for_a_while():
    assert next_loop_step([5], [], step_s=0.1).read_for_s == ALONE_S


def test_with_nobody_there_is_nothing_to_do():
    turn = next_loop_step([], [], step_s=0.1)
    assert (turn.read, turn.paint) == ((), ())


def test_readers_that_share_each_token_go_on_together_the_oldest_first():
    assert next_loop_step([5, 6, 7], [1], step_s=0.1, rows=2).read == (5, 6)


@pytest.mark.parametrize("painters", range(1, 9))
def test_beside_painters_a_shared_reading_takes_at_most_half_as_long_again(painters: int):
    """Tokens of 4 ms, two and one on its way, between steps that grow with the painters."""
    step_s, token_s, tokens = 0.004 + 0.006 * painters, 0.004, 97
    passed_s, read = 0.0, 0
    while read < tokens:
        until_s = passed_s + next_loop_step([9], list(range(painters)), step_s, rows=8).read_for_s
        while read < tokens and passed_s < until_s:
            passed_s, read = passed_s + 3 * token_s, read + 3
        passed_s += step_s
    assert passed_s <= 1.5 * tokens * token_s


def test_only_a_crowd_of_readers_shares_the_device_with_painters():
    alone = next_loop_step([9], [1], step_s=0.1, rows=8, may_overlap=True)
    crowd = next_loop_step([7, 8, 9], [1], step_s=0.1, rows=8, may_overlap=True)
    assert (alone.overlap, crowd.overlap) == (False, True)
    assert crowd.read_for_s == 0


def test_nothing_overlaps_where_the_device_cannot_or_nobody_paints():
    assert not next_loop_step([7, 8, 9], [1], step_s=0.1, rows=8).overlap
    assert not next_loop_step([7, 8, 9], [], step_s=0.1, rows=8, may_overlap=True).overlap


def test_painters_make_a_step_in_every_turn_however_many_read():
    assert next_loop_step([4, 5, 6], [1, 2], step_s=0.1, rows=8).paint == (1, 2)


@pytest.mark.parametrize(
    ("steps", "expected"), [(100, {35, 70}), (20, {7, 14}), (3, {1, 2}), (2, {1}), (1, set())]
)
def test_previews_are_few_and_never_of_the_last_step(steps: int, expected: set[int]):
    assert preview_steps(steps, (0.35, 0.7)) == expected
