"""Writes examples to shards and adds expressive instructions.

A language model that sees the picture describes the edit at length; another one shortens the text. Finished
shards are kept, so a stopped run resumes and gives the same files as an uninterrupted one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from PIL import Image
from tqdm import tqdm

from mgie_engine.edits import Exchange
from mgie_engine.errors import DataError
from mgie_engine.lab.data.examples import EditExample, opened, session_chunks, sessions
from mgie_engine.lab.data.shards import shard_file, shard_ids, write_shard
from mgie_engine.lab.json_files import require_same_config

PLAN = "plan.json"  # beside the shards: how they were made


class Describer(Protocol):
    """Describes at length the picture after an edit."""

    @property
    def name(self) -> str: ...

    def describe(self, pictures: Sequence[Image.Image], instructions: Sequence[str]) -> list[str]: ...


class Summariser(Protocol):
    """Shortens paragraphs."""

    @property
    def name(self) -> str: ...

    def summarise(self, texts: Sequence[str]) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class ShardConfig:
    """The settings that determine the bytes of the shards; a folder holds shards of one config."""

    describer: str = ""  # "" where no expressive instructions are written
    summariser: str = ""
    shard_size: int = 256  # examples in a file; a session that is under way is finished
    batch_size: int = 8  # examples a language model sees at once


@dataclass(frozen=True, slots=True)
class ShardProgress:
    """The size of a run."""

    shards: int
    examples: int
    kept: int  # of the examples: those found finished


def prepare_shards(
    examples: Iterable[EditExample],
    folder: Path,
    describer: Describer,
    summariser: Summariser,
    plan: ShardConfig,
) -> ShardProgress:
    """Write examples with expressive instructions to shards.

    DataError if the folder holds shards of other examples or of another plan.
    """

    def written(portion: list[EditExample]) -> list[EditExample]:
        batches = batched(portion, plan.batch_size)
        texts = [text for batch in batches for text in express(batch, describer, summariser)]
        return with_history([replace(e, expressive=t) for e, t in zip(portion, texts, strict=True)])

    return write_shards(examples, folder, written, plan)


def write_shards(
    examples: Iterable[EditExample],
    folder: Path,
    change: Callable[[list[EditExample]], list[EditExample]],
    plan: ShardConfig,
) -> ShardProgress:
    """Write what `change` makes of each portion of the examples, unless its shard is there already."""
    require_same_config(folder / PLAN, asdict(plan))
    done = ShardProgress(0, 0, 0)
    bar = tqdm(unit=" examples", disable=None)
    for number, portion in enumerate(session_chunks(examples, plan.shard_size)):
        kept = _is_finished(shard_file(folder, number), portion)
        if not kept:
            write_shard(shard_file(folder, number), change(portion))
        done = ShardProgress(number + 1, done.examples + len(portion), done.kept + kept * len(portion))
        bar.update(len(portion))
    bar.close()
    if shard_file(folder, done.shards).exists():
        raise DataError(f"{shard_file(folder, done.shards)} holds more than the source does.")
    return done


def express(batch: Sequence[EditExample], describer: Describer, summariser: Summariser) -> list[str]:
    """The expressive instructions of a few examples."""
    pictures = [opened(example.before) for example in batch]
    return summariser.summarise(describer.describe(pictures, [example.instruction for example in batch]))


def with_history(examples: Iterable[EditExample]) -> list[EditExample]:
    """The examples with the earlier turns of their sessions as they are now."""
    turns_so_far = list[EditExample]()
    for turns in sessions(examples):
        history: tuple[Exchange, ...] = ()
        for turn in turns:
            turns_so_far.append(replace(turn, history=history))
            history += (Exchange(turn.instruction, turn.expressive),)
    return turns_so_far


def batched(examples: Iterable[EditExample], size: int) -> Iterator[list[EditExample]]:
    """Lists of `size` examples; the last may be shorter."""
    rest = iter(examples)
    while batch := list(islice(rest, size)):
        yield batch


def _is_finished(file: Path, portion: Sequence[EditExample]) -> bool:
    if not file.exists():
        return False
    if shard_ids(file) != [example.id for example in portion]:
        raise DataError(f"{file} was made from other examples; choose another folder.")
    return True
