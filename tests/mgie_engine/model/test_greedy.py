import torch

from mgie_engine.model.greedy import Memory
from mgie_engine.model.mllm import causal_mask


def repeats(ids, n):
    return Memory(ids, n).repeats()


def test_a_run_of_three_is_not_written_twice():
    assert repeats([1, 2, 3, 1, 2], 3) == {3}
    assert repeats([1, 2, 3, 1, 2, 4, 1, 2], 3) == {3, 4}


def test_a_run_only_starts_once_there_are_enough_tokens():
    assert repeats([1, 2], 3) == set()
    assert repeats([], 3) == set()


def test_single_tokens_and_no_rule_at_all():
    assert repeats([1, 2, 3], 1) == {1, 2, 3}
    assert repeats([1, 1, 1], 0) == set()


def test_a_memory_grows_by_what_is_written():
    memory = Memory([7, 8, 9], 3)
    for token in (7, 8):
        memory.add(token)
    assert memory.repeats() == {9}


def test_padding_is_seen_by_nobody_but_itself():
    left, right = causal_mask(torch.tensor([[False, True, True], [True, True, False]]))[:, 0].int().tolist()
    assert left == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert right == [[1, 0, 0], [1, 1, 0], [1, 1, 0]]


def test_the_mask_of_the_last_queries_is_the_end_of_the_whole():
    real = torch.tensor([[False, True, True, True], [True, True, False, True]])
    assert torch.equal(causal_mask(real, 2), causal_mask(real)[:, :, -2:])
