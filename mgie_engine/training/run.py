"""What every stage shares: where it runs, and how edits become batches of token rows."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mgie_engine.config import ModelConfig
from mgie_engine.prompting import IGNORED
from mgie_engine.training.objective import Texts
from mgie_engine.training.recipe import Recipe
from mgie_engine.training.trainer import Trainer
from mgie_engine.training.world import INVENTORY, MAX_TOKENS, World

SHORT = 192  # tokens of the narrower of two batch widths: two, because each is compiled on its own


@dataclass(frozen=True, slots=True)
class Run:
    """Where and how a stage runs."""

    config: ModelConfig
    recipe: Recipe
    world: World
    folder: Path
    device: torch.device
    rank: int = 0  # which of the processes that train together
    until: float | None = None  # seconds since the epoch: when to end, if not after the recipe's minutes

    @property
    def seed(self) -> int:
        """Differs between processes: for what they draw."""
        return self.recipe.seed + self.rank

    @property
    def minutes_left(self) -> float | None:
        """Until `until`."""
        return None if self.until is None else (self.until - time.time()) / 60

    def trainer(self, modules: nn.ModuleDict) -> Trainer:
        return Trainer(self.recipe, modules, self.folder, cpu=self.device.type == "cpu")

    def compiled(self, module: nn.Module) -> Any:
        """The module as a callable, compiled if the recipe says so."""
        if not self.recipe.compile:
            return module
        mode = "reduce-overhead" if self.recipe.graphs else None
        return torch.compile(module, dynamic=False, mode=mode)


def there(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device, without waiting for what the device has still to do."""
    if device.type == "cuda" and not tensor.is_cuda:
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


@dataclass(frozen=True, slots=True)
class Draw:
    """Draws edits so that the texts of a batch are all short or all long."""

    buckets: tuple[NDArray[np.int64], ...]
    shares: tuple[float, ...]
    rng: np.random.Generator

    @classmethod
    def of(cls, world: World, seed: int, *, inventories: bool) -> "Draw":
        wanted = np.ones(len(world.kind), bool) if inventories else world.kind != INVENTORY
        is_short = world.length <= SHORT
        buckets = tuple(np.flatnonzero(wanted & which) for which in (is_short, is_short == 0))
        kept = tuple(bucket for bucket in buckets if len(bucket))
        total = sum(map(len, kept))
        return cls(kept, tuple(len(bucket) / total for bucket in kept), np.random.default_rng(seed))

    def edits(self, size: int) -> NDArray[np.int64]:
        """Indices (size,) of edits."""
        bucket = self.buckets[self.rng.choice(len(self.buckets), p=self.shares)]
        return self.rng.choice(bucket, size)


class TextTable:
    """The token columns of a world on the device."""

    def __init__(self, world: World, device: torch.device) -> None:
        names = ("ids", "length", "asked", "picture_at", "states_at")
        self.columns = {name: torch.from_numpy(getattr(world, name)).to(device) for name in names}
        self.lengths = torch.from_numpy(world.length)

    def texts(self, edits: Tensor, pixels: Tensor) -> Texts:
        """Rows of edits (B,) with their normalised pixels, padded to one of two widths.

        Edits are best on the CPU: asking a device for the longest would wait for all it has still to do.
        """
        width = SHORT if int(self.lengths[edits.cpu()].max()) <= SHORT else MAX_TOKENS
        rows = there(edits, self.columns["ids"].device)
        column = {name: values[rows] for name, values in self.columns.items()}
        ids = column["ids"][:, :width].long()
        place = torch.arange(width, device=ids.device)[None]
        real = place < column["length"][:, None]
        taught = real & (place >= column["asked"][:, None])
        labels = ids.masked_fill(~taught, IGNORED)
        return Texts(ids, labels, real, column["picture_at"].long(), column["states_at"].long(), pixels)
