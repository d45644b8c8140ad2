"""Tensors onto a device, in order."""

import torch

from mgie_engine.checkpoints.uploading import uploaded


def test_tensors_come_in_order_and_in_their_type():
    wanted = [(lambda value=value: torch.full((2,), value), torch.float16) for value in (1.0, 2.0, 3.0)]
    found = list(uploaded(wanted, torch.device("cpu")))
    assert [float(tensor[0]) for tensor in found] == [1.0, 2.0, 3.0]
    assert {tensor.dtype for tensor in found} == {torch.float16}
