"""Batches of prepared examples for full-size training: their order and their random draws.

Everything is determined by the recipe's seed, the process and the number of the batch, so a resumed run gets
the same batches as an uninterrupted one. Pictures are decoded on background threads.
"""

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from mgie_engine.config import Behaviour, VisionSizes
from mgie_engine.errors import DataError
from mgie_engine.lab.data import shards
from mgie_engine.lab.data.examples import EditExample, opened
from mgie_engine.lab.data.shards import RowGroup
from mgie_engine.lab.evaluation.workers import in_order
from mgie_engine.lab.training.context import to_device
from mgie_engine.lab.training.objective import TextBatch, collate_texts
from mgie_engine.preprocess import clip_pixels, crop_resize, training_crop, vae_pixels
from mgie_engine.text.prompting import Example as Text
from mgie_engine.text.prompting import Prompt, Prompter


@dataclass(frozen=True, slots=True)
class EncodedExample:
    """An example as tensors."""

    text: Text
    seen: Tensor  # (3, S, S) for the CLIP tower
    before: Tensor  # (3, P, P) in -1…1
    after: Tensor  # (3, P, P) in -1…1


@dataclass(frozen=True, slots=True)
class NoiseSample:
    """The random draws of a batch of B items."""

    sample: Tensor  # (B, C, h, w) standard normal: which of the goal's latents
    noise: Tensor  # (B, C, h, w) standard normal
    timesteps: Tensor  # (B,) int64
    drop: Tensor  # (B,) uniform in 0…1


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """B items and their random draws, on one device."""

    texts: TextBatch
    before: Tensor  # (B, 3, P, P)
    after: Tensor  # (B, 3, P, P)
    noise_sample: NoiseSample

    def to(self, device: torch.device) -> "TrainingBatch":
        """The same on a device, copied asynchronously."""
        return TrainingBatch(
            _moved(self.texts, device),
            to_device(self.before, device),
            to_device(self.after, device),
            _moved(self.noise_sample, device),
        )


@dataclass(frozen=True, slots=True)
class ExampleEncoder:
    """Encodes examples and collates batches."""

    prompter: Prompter
    vision: VisionSizes
    side: int  # of the generated pictures, in pixels
    max_length: int = 512  # tokens

    def item(self, example: EditExample) -> EncodedExample:
        """The centre square of the pictures, and the text; DataError without an expressive instruction."""
        if not example.expressive:
            raise DataError(f"{example.id} has no expressive instruction yet: `mgie data prepare` writes it.")
        before, after = opened(example.before), opened(example.after)
        return EncodedExample(
            self.text(example),
            clip_pixels(crop_resize(before, 512), self.vision),
            vae_pixels(training_crop(before, self.side)),
            vae_pixels(training_crop(after, self.side)),
        )

    def text(self, example: EditExample) -> Text:
        """The text for the language model. If it is too long, the oldest turns are dropped, then its end.

        An instruction that leaves no room for the picture is halved until it does.
        """
        history, asked = list(example.history), example.instruction
        if self.prompter.behaviour is Behaviour.RELEASE:
            return self.prompter.example(Prompt(asked, tuple(history)), example.expressive, self.max_length)
        while True:
            text = self.prompter.example(Prompt(asked, tuple(history)), example.expressive, 10**6)
            if history and len(text.ids) > self.max_length:
                history.pop(0)
            elif self.prompter.tokenizer.picture_end not in text.ids[: self.max_length]:
                asked = asked[: len(asked) // 2]
            else:
                return Text(text.ids[: self.max_length], text.labels[: self.max_length])

    def batch(self, items: Sequence[EncodedExample], noise_sample: NoiseSample) -> TrainingBatch:
        """Items side by side, texts padded to the longest."""
        seen = torch.stack([item.seen for item in items])
        text = collate_texts(
            [item.text for item in items], seen, self.prompter.tokenizer, self.prompter.image_tokens
        )
        before = torch.stack([item.before for item in items])
        return TrainingBatch(text, before, torch.stack([item.after for item in items]), noise_sample)


@dataclass(frozen=True, slots=True)
class BatchLoader:
    """The batches of one of `world` processes."""

    folder: Path
    encoder: ExampleEncoder
    latents: tuple[int, int, int]  # channels, height, width
    timesteps: int
    size: int  # items per batch
    seed: int
    rank: int = 0
    world: int = 1
    threads: int = 4

    def batches(self, skip: int = 0) -> Generator[TrainingBatch, None, None]:
        """Endless batches on the CPU after the first `skip`; each pass over the data has another order."""
        examples = passes(shards.row_groups(self.folder), self.seed, self.rank, self.world, skip * self.size)
        with ThreadPoolExecutor(self.threads, thread_name_prefix="feeding") as pool:
            items = in_order(pool, self.encoder.item, examples, 2 * self.size)
            for number in count(skip):
                yield self.encoder.batch(list(islice(items, self.size)), self.noise_sample(number))

    def noise_sample(self, number: int) -> NoiseSample:
        """The random draws of batch `number`."""
        rng = np.random.default_rng([self.seed, self.rank, number])
        shape = (self.size, *self.latents)
        sample, noise = (torch.from_numpy(rng.standard_normal(shape, np.float32)) for _ in range(2))
        steps = torch.from_numpy(rng.integers(0, self.timesteps, self.size))
        return NoiseSample(sample, noise, steps, torch.from_numpy(rng.random(self.size, np.float32)))


def passes(
    groups: Sequence[RowGroup], seed: int, rank: int = 0, world: int = 1, skip: int = 0
) -> Iterator[EditExample]:
    """Pass after pass over the data, after the first `skip` examples; in each, readers share the groups.

    DataError if there are fewer groups than readers.
    """
    if len(groups) < world:
        raise DataError(f"The data have {len(groups)} row groups, too few for {world} processes.")
    for turn in count(seed):
        dealt = shards.deal(groups, seed=turn, rank=rank, world=world)
        rows = sum(group.rows for group in dealt)
        if skip >= rows:
            skip -= rows
            continue
        yield from shards.stream(dealt, seed=turn, skip=skip)
        skip = 0


Columns = TypeVar("Columns", TextBatch, NoiseSample)


def _moved(columns: Columns, device: torch.device) -> Columns:
    moved = [to_device(getattr(columns, field.name), device) for field in fields(columns)]
    return type(columns)(*moved)
