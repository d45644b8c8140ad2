import os
from concurrent.futures.process import BrokenProcessPool

import pytest
import torch

from mgie_engine.lab.evaluation.results import Trial
from mgie_engine.lab.evaluation.workers import AHEAD, crew, hands
from mgie_engine.lab.variants.variant_scores import measure, trial_cases
from tests.support.tiny_serving import a_tiny_mgie

TRIAL = Trial(count=3, ambiguous=2, seeds=2, denoising_steps=1)


def all_of(trial, spread):
    """The drawn cases as bytes, and what a tiny model made of them."""
    mgie = a_tiny_mgie()
    sets = trial_cases(trial, mgie.config.picture_size, spread)
    drawn = {
        name: [(case.before.numpy().tobytes(), case.goal.numpy().tobytes(), case.edit) for case in cases]
        for name, cases in sets.items()
    }
    return drawn, measure(mgie, sets, trial, spread)["sets"]


def test_a_crew_finds_what_one_alone_finds():
    with crew(0) as alone, crew(2) as together:
        assert all_of(TRIAL, together) == all_of(TRIAL, alone)
        many = range(2 * AHEAD + 3)
        assert list(together(abs, many)) == list(many)


def test_a_crew_that_lost_someone_says_so():
    with crew(1) as spread, pytest.raises(BrokenProcessPool):
        list(spread(os._exit, [1]))


def test_a_model_on_the_cpu_works_alone():
    assert hands(torch.device("cpu")) == 0
    assert hands(torch.device("cuda", 1)) == torch.get_num_threads()
