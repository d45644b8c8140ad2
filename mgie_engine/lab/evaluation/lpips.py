"""LPIPS 0.1 with AlexNet (arXiv 1801.03924): how different two pictures look.

The five learnt layers come with torchmetrics. AlexNet's own weights come in no package: they are the file
alexnet-owt-7be5be79.pth of torchvision, from https://download.pytorch.org/models/.
"""

from importlib.resources import as_file, files
from pathlib import Path

import torch
from torch import Tensor, nn

from mgie_engine.checkpoints.tensors import read_tensors
from mgie_engine.errors import ModelError
from mgie_engine.lab.optional_packages import training_package

_WHERE = "AlexNet's weights: https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"
_CHANNELS = (64, 192, 384, 256, 256)
_STAGES = ((0, 2), (2, 5), (5, 8), (8, 10), (10, 12))  # layers of the trunk; each stage ends in a ReLU


class Lpips(nn.Module):
    """Distance of pictures by the features of AlexNet's five convolutions."""

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1))
        self.trunk = _trunk()
        self.weights = nn.ParameterList([torch.zeros(channels) for channels in _CHANNELS])

    @torch.inference_mode()
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances (B,) of pictures (B, 3, H, W) in 0…1; 0 is the same."""
        distance = a.new_zeros(len(a))
        a, b = ((2 * x - 1 - self.shift) / self.scale for x in (a, b))
        for (start, end), weight in zip(_STAGES, self.weights, strict=True):
            a, b = self.trunk[start:end](a), self.trunk[start:end](b)
            apart = (_unit(a) - _unit(b)) ** 2  # (B, C, h, w)
            distance = distance + (apart * weight.view(1, -1, 1, 1)).sum(1).mean((1, 2))
        return distance


def load_lpips(alexnet: Path | None) -> Lpips:
    """LPIPS with the weights in a file (or in a folder with one .pth); ModelError if they are not there."""
    if alexnet is None:
        raise ModelError(f"The metric lpips needs a file with {_WHERE}.")
    file = next(iter(sorted(alexnet.glob("*.pth"))), alexnet) if alexnet.is_dir() else alexnet
    network = Lpips()
    features = {n.removeprefix("features."): t for n, t in read_tensors([file]).items() if "features." in n}
    try:
        network.trunk.load_state_dict(features)
    except RuntimeError as error:
        raise ModelError(f"{file} does not hold {_WHERE}.") from error
    for weight, learnt in zip(network.weights, _learnt(), strict=True):
        weight.data = learnt
    return network.eval().requires_grad_(False)


def _learnt() -> list[Tensor]:
    """The weights (C,) of each stage's channels."""
    package = training_package("torchmetrics")
    with as_file(files(package) / "functional" / "image" / "lpips_models" / "alex.pth") as file:
        stored = torch.load(file, map_location="cpu", weights_only=True)
    return [stored[f"lin{stage}.model.1.weight"].flatten() for stage in range(len(_CHANNELS))]


def _trunk() -> nn.Sequential:
    """AlexNet's convolutions (arXiv 1404.5997), numbered as torchvision numbers them."""
    first, second, third, fourth, fifth = _CHANNELS
    return nn.Sequential(
        nn.Conv2d(3, first, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(first, second, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(second, third, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(third, fourth, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(fourth, fifth, 3, padding=1),
        nn.ReLU(),
    )


def _unit(features: Tensor) -> Tensor:
    """Features (B, C, h, w) of length 1 at each place."""
    return features / (features.square().sum(1, keepdim=True) + 1e-8).sqrt()
