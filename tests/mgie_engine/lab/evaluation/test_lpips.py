"""LPIPS against torchmetrics' own."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torchmetrics.functional.image import lpips as published

from mgie_engine.errors import ModelError
from mgie_engine.lab.evaluation.lpips import Lpips, load_lpips

ENDS = (2, 5, 8, 10, 12)  # of AlexNet's stages


class Published(published._LPIPS):
    """torchmetrics' LPIPS on a given trunk; its own constructor needs torchvision."""

    def __init__(self, trunk: nn.Sequential, lins: list[torch.Tensor]) -> None:
        nn.Module.__init__(self)
        self.L, self.spatial, self.resize = 5, False, None
        self.scaling_layer = published.ScalingLayer()
        self.trunk = trunk
        self.lins = nn.ModuleList(published.NetLinLayer(len(lin)) for lin in lins)
        for layer, lin in zip(self.lins, lins, strict=True):
            layer.get_submodule("model.0").weight.data = lin.view(1, -1, 1, 1)

    @property
    def net(self):
        return self

    def forward(self, *inputs, **options):
        if len(inputs) == 2:
            return super().forward(*inputs, **options)
        return [self.trunk[:end](inputs[0]) for end in ENDS]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like torchvision's, random."""
    file = tmp_path_factory.mktemp("alexnet") / "alexnet.pth"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trunk = Lpips().trunk
    stored = {f"features.{name}": value for name, value in trunk.state_dict().items()}
    torch.save(stored | {"classifier.6.bias": torch.zeros(10)}, file)
    return file


@pytest.fixture(scope="module")
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, 70, 90, generator=generator), torch.rand(2, 3, 70, 90, generator=generator)


def test_distances_are_torchmetrics(weights: Path, pair):
    network = load_lpips(weights)
    reference = Published(network.trunk, list(network.weights)).eval()
    with torch.inference_mode():
        expected = reference(*pair, normalize=True).flatten()
    assert network(*pair).tolist() == pytest.approx(expected.tolist(), rel=1e-5)


def test_the_same_picture_is_at_no_distance(weights: Path, pair):
    assert load_lpips(weights.parent)(pair[0], pair[0]).tolist() == [0, 0]


def test_without_alexnet_it_says_where_to_get_it(tmp_path: Path):
    torch.save({"features.0.weight": torch.zeros(3)}, tmp_path / "wrong.pth")
    for file in (None, tmp_path / "wrong.pth"):
        with pytest.raises(ModelError, match=r"download\.pytorch\.org"):
            load_lpips(file)
    with pytest.raises(ModelError, match="is missing"):
        load_lpips(tmp_path / "nothing.pth")
