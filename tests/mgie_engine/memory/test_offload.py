import torch
from torch import nn

from mgie_engine.memory.offload import SharedDevice, one_by_one, pin

CPU = torch.device("cpu")


class Encoder(nn.Linear):
    """Counts its calls by how many rows they had."""

    def __init__(self):
        super().__init__(2, 2)
        self.rows = []

    def forward(self, inputs, times, words):  # type: ignore[override]
        self.rows.append(len(inputs))
        return type("Output", (), {"sample": super().forward(inputs) + times[:, None] + words})


def test_whoever_is_called_is_on_stage_and_alone():
    stage, one, other = SharedDevice(CPU), nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    stage.add(one, [one])
    stage.add(other, [other, other[0]])
    for network in (one, other, one):
        network(torch.ones(1, 2))
        assert stage.current is network
    other[0](torch.ones(1, 2))
    assert stage.current is other


def test_networks_come_back_with_the_numbers_they_left_with():
    stage, one, other = SharedDevice(CPU), nn.Linear(2, 2), nn.Linear(2, 2)
    before = one.weight.clone()
    for network in (one, other):
        stage.add(network, [network])
    with torch.inference_mode():
        for network in (one, other, one):
            network(torch.ones(1, 2))
    assert torch.equal(one.weight, before)


def test_rows_one_by_one_give_what_they_give_together():
    together, apart = Encoder(), Encoder()
    apart.load_state_dict(together.state_dict())
    one_by_one(apart)
    inputs, times, words = torch.rand(3, 2), torch.rand(3), torch.rand(3, 2)
    both = [unet(inputs, times, words).sample for unet in (together, apart)]
    torch.testing.assert_close(*both)
    assert (together.rows, apart.rows) == ([3], [1, 1, 1])


def test_weights_are_locked_in_memory_for_a_gpu_alone():
    assert not pin(nn.Linear(2, 2), CPU)
