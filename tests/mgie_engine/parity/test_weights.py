"""The rule, and that our networks have exactly the published tensors."""

import pytest

from mgie_engine.checkpoints.native import build, places
from tests.mgie_engine.parity.golden import rule


def test_networks_have_the_published_tensors_under_their_names(numbers):
    networks = build(numbers.config)
    shapes = {
        name: list(networks.parts()[part].state_dict()[local].shape)
        for name, (part, local) in places(networks).items()
    }
    assert shapes == {name: entry["shape"] for name, entry in numbers.parameters.items()}


def test_the_rule_makes_the_recorded_weights(numbers):
    for name, entry in numbers.parameters.items():
        weight = rule.param(name, entry["shape"]).astype("float64")
        assert weight.sum() == pytest.approx(entry["sum"], abs=1e-4)
        assert abs(weight).sum() == pytest.approx(entry["abs_sum"], rel=1e-6)
