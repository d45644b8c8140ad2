import os
from concurrent.futures.process import BrokenProcessPool

import pytest
import torch

from mgie_engine.lab.evaluation.results import TrialConfig
from mgie_engine.lab.evaluation.workers import AHEAD, worker_count, worker_pool
from mgie_engine.lab.variants.variant_scores import measure, trial_cases
from tests.support.tiny_serving import a_tiny_mgie

TRIAL = TrialConfig(count=3, ambiguous=2, seeds=2, denoising_steps=1)


def all_of(trial, pool_map):
    """The drawn cases as bytes, and what a tiny model made of them."""
    mgie = a_tiny_mgie()
    sets = trial_cases(trial, mgie.config.picture_size, pool_map)
    drawn = {
        name: [(case.before.numpy().tobytes(), case.goal.numpy().tobytes(), case.edit) for case in cases]
        for name, cases in sets.items()
    }
    return drawn, measure(mgie, sets, trial, pool_map)["sets"]


def test_a_crew_finds_what_one_alone_finds():
    with worker_pool(0) as alone, worker_pool(2) as together:
        assert all_of(TRIAL, together) == all_of(TRIAL, alone)
        many = range(2 * AHEAD + 3)
        assert list(together(abs, many)) == list(many)


def test_a_crew_that_lost_someone_says_so():
    with worker_pool(1) as pool_map, pytest.raises(BrokenProcessPool):
        list(pool_map(os._exit, [1]))


def test_a_model_on_the_cpu_works_alone():
    assert worker_count(torch.device("cpu")) == 0
    assert worker_count(torch.device("cuda", 1)) == torch.get_num_threads()
