"""Shared by every stage: the context it runs in, and how texts become batches of token rows."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mgie_engine.config import ModelConfig
from mgie_engine.lab.training.dataset import INVENTORY, MAX_TOKENS, SceneDataset
from mgie_engine.lab.training.objective import TextBatch
from mgie_engine.lab.training.recipe import Recipe
from mgie_engine.lab.training.trainer import Trainer
from mgie_engine.text.prompting import IGNORED
from mgie_engine.text.tokenizer import Tokenizer

SHORT = 192  # tokens of the narrower of two batch widths: two, because each is compiled on its own


@dataclass(frozen=True, slots=True)
class StageContext:
    """Config, recipe, dataset and device of a stage."""

    config: ModelConfig
    recipe: Recipe
    dataset: SceneDataset
    folder: Path
    device: torch.device
    rank: int = 0  # which of the processes that train together
    until: float | None = None  # seconds since the epoch: when to end, if not after the recipe's minutes

    @property
    def seed(self) -> int:
        """The seed of this process's random draws."""
        return self.recipe.seed + self.rank

    @property
    def minutes_left(self) -> float | None:
        """Until `until`."""
        return None if self.until is None else (self.until - time.time()) / 60

    def trainer(self, modules: nn.ModuleDict) -> Trainer:
        return Trainer(self.recipe, modules, self.folder, cpu=self.device.type == "cpu")

    def table(self) -> "TextTable":
        """The dataset's texts, with the recipe's `word_noise` in the instructions."""
        share = self.recipe.options.get("word_noise", 0.0)
        noise = WordNoise(Tokenizer.read(self.folder), share, self.device) if share else None
        return TextTable(self.dataset, self.device, noise)

    def compiled(self, module: nn.Module) -> Any:
        """The module as a callable, compiled if the recipe asks for it."""
        if not self.recipe.compile:
            return module
        mode = "reduce-overhead" if self.recipe.graphs else None
        return torch.compile(module, dynamic=False, mode=mode)


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device, copied asynchronously."""
    if device.type == "cuda" and not tensor.is_cuda:
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


@dataclass(frozen=True, slots=True)
class TextSampler:
    """Samples texts so that a batch is all short or all long; every edit is sampled equally often."""

    buckets: tuple[NDArray[np.int64], ...]
    shares: tuple[float, ...]
    rng: np.random.Generator

    @classmethod
    def of(cls, dataset: SceneDataset, seed: int, *, inventories: bool) -> "TextSampler":
        wordings = np.bincount(dataset.edit)
        again = (
            wordings.max() // wordings[dataset.edit]
        )  # an inventory has one text, other edits have several
        wanted = np.ones(len(dataset.edit), bool) if inventories else dataset.kind[dataset.edit] != INVENTORY
        is_short = dataset.length <= SHORT
        buckets = tuple(
            np.repeat(np.flatnonzero(wanted & which), again[wanted & which])
            for which in (is_short, is_short == 0)
        )
        kept = tuple(bucket for bucket in buckets if len(bucket))
        total = sum(map(len, kept))
        return cls(kept, tuple(len(bucket) / total for bucket in kept), np.random.default_rng(seed))

    def texts(self, size: int) -> NDArray[np.int64]:
        """Indices (size,) of texts."""
        bucket = self.buckets[self.rng.choice(len(self.buckets), p=self.shares)]
        return self.rng.choice(bucket, size)


class WordNoise:
    """Replaces a share of the pieces of instructions by other pieces of words, drawn on the device."""

    def __init__(self, tokenizer: Tokenizer, share: float, device: torch.device) -> None:
        self.share = share
        others = [i for i in range(tokenizer.pieces.get_piece_size()) if _is_of_words(tokenizer, i)]
        self.others = torch.tensor(others, device=device)
        self.is_other = torch.zeros(len(tokenizer), dtype=torch.bool, device=device)
        self.is_other[self.others] = True

    def __call__(self, ids: Tensor, begin: Tensor, end: Tensor) -> Tensor:
        """Token rows (B, L) with noise between the places begin (B,) and end (B,), this one left out."""
        place = torch.arange(ids.shape[1], device=ids.device)
        inside = (place >= begin[:, None]) & (place < end[:, None])
        drawn = torch.rand(ids.shape, device=ids.device) < self.share
        other = self.others[torch.randint(len(self.others), ids.shape, device=ids.device)]
        return torch.where(inside & drawn & self.is_other[ids], other, ids)


def _is_of_words(tokenizer: Tokenizer, i: int) -> bool:
    """Whether a piece has letters and stands for them: not for a byte, and for nothing special."""
    pieces = tokenizer.pieces
    if pieces.is_control(i) or pieces.is_unknown(i) or pieces.is_byte(i):
        return False
    return any(character.isalpha() for character in pieces.id_to_piece(i))


class TextTable:
    """The token columns of a dataset on the device."""

    def __init__(self, dataset: SceneDataset, device: torch.device, noise: WordNoise | None = None) -> None:
        names = ("ids", "length", "asked", "instruction_at", "picture_at", "states_at")
        self.columns = {name: torch.from_numpy(getattr(dataset, name)).to(device) for name in names}
        self.lengths = torch.from_numpy(dataset.length)
        self.noise = noise

    def texts(self, rows: Tensor, pixels: Tensor) -> TextBatch:
        """Texts (B,) with the normalised pixels of their pictures, padded to one of two widths.

        Rows should be on the CPU: reading the longest length from a GPU would synchronise with it.
        """
        width = SHORT if int(self.lengths[rows.cpu()].max()) <= SHORT else MAX_TOKENS
        here = to_device(rows, self.columns["ids"].device)
        column = {name: values[here] for name, values in self.columns.items()}
        ids = column["ids"][:, :width].long()
        place = torch.arange(width, device=ids.device)[None]
        real = place < column["length"][:, None]
        taught = real & (place >= column["asked"][:, None])
        labels = ids.masked_fill(~taught, IGNORED)
        picture_at = column["picture_at"].long()
        if self.noise:
            ids = self.noise(ids, column["instruction_at"], picture_at - 1)
        return TextBatch(ids, labels, real, picture_at, column["states_at"].long(), pixels)
