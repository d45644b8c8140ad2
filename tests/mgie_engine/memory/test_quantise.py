import importlib.util

import pytest
import torch
from torch import nn

from mgie_engine.memory.quantise import Int8Linear, Nf4Linear, replace_linear

GENERATOR = torch.Generator().manual_seed(0)
WEIGHT = torch.randn(96, 64, generator=GENERATOR)
INPUTS = torch.randn(5, 64, generator=GENERATOR)

needs_bitsandbytes = pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None, reason="the extra mgie[quantised] is not installed"
)


def likeness(one, other):
    return torch.cosine_similarity(one.float().flatten(), other.float().flatten(), dim=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_eight_bits_say_nearly_the_same(dtype):
    said = Int8Linear(WEIGHT.to(dtype))(INPUTS.to(dtype))
    assert said.dtype == dtype
    assert likeness(said, INPUTS @ WEIGHT.T) > 0.9995


@needs_bitsandbytes
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_four_bits_say_almost_the_same(dtype):
    said = Nf4Linear(WEIGHT.to(dtype))(INPUTS.to(dtype))
    assert said.dtype == dtype
    assert likeness(said, INPUTS @ WEIGHT.T) > 0.99


def test_eight_bits_survive_activations_whose_sums_leave_fp16():
    said = Int8Linear(torch.full((2, 4096), 0.01).half())(torch.full((1, 4096), 100.0).half())
    assert said.tolist() == [[pytest.approx(4096, rel=0.01)] * 2]


def test_what_was_eight_bits_before_loses_nothing_more():
    once = Int8Linear(WEIGHT)
    twice = Int8Linear(once.steps.float() * once.scale)
    assert torch.equal(once.steps, twice.steps)


def test_a_quarter_of_the_bytes_is_kept():
    kept = sum(tensor.nbytes for tensor in Int8Linear(WEIGHT).state_dict().values())
    assert kept < WEIGHT.nbytes / 3.5


def test_a_linear_is_replaced_where_its_weight_is():
    network = nn.Sequential(nn.ModuleDict({"q_proj": nn.Linear(64, 96, bias=False)}))
    replace_linear(network, "0.q_proj.weight", WEIGHT, Int8Linear)
    assert isinstance(network.get_submodule("0.q_proj"), Int8Linear)
