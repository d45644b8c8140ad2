"""Expressive instructions, written shard by shard."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mgie_engine.edits import Exchange
from mgie_engine.errors import DataError
from mgie_engine.lab.data import shards
from mgie_engine.lab.data.examples import EditExample
from mgie_engine.lab.data.prepare import ShardConfig, ShardProgress, prepare_shards
from mgie_engine.lab.data.public_datasets import magicbrush, pix2pix
from tests.support.data_layouts import magicbrush_folder, pix2pix_folder

PLAN = ShardConfig("loud", "short", shard_size=2, batch_size=3)


class Loud:
    """Describes in capitals, and remembers how many it was shown at once; is killed after `lives` calls."""

    name = "loud"

    def __init__(self, lives: int = 1000) -> None:
        self.lives = lives
        self.batches = list[int]()

    def describe(self, pictures: Sequence[object], instructions: Sequence[str]) -> list[str]:
        if len(self.batches) == self.lives:
            raise KeyboardInterrupt
        self.batches.append(len(pictures))
        return [instruction.upper() for instruction in instructions]


class Short:
    """Puts "so: " in front."""

    name = "short"

    def summarise(self, texts: Sequence[str]) -> list[str]:
        return ["so: " + text for text in texts]


def run(
    source: Iterator[EditExample], folder: Path, loud: Loud | None = None, plan: ShardConfig = PLAN
) -> ShardProgress:
    """The size of a run."""
    return prepare_shards(source, folder, loud or Loud(), Short(), plan)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def pix(tmp_path: Path) -> Path:
    """A folder with six pairs."""
    return pix2pix_folder(tmp_path / "pix", prompts=3)


def test_texts_go_through_both_models(tmp_path: Path, pix: Path):
    run(pix2pix(pix), tmp_path / "out")
    texts = [e.expressive for e in shards.read_examples(tmp_path / "out")]
    assert texts == [f"so: MAKE IT {c}" for c in ("RED", "RED", "GREEN", "GREEN", "BLUE", "BLUE")]


def test_pictures_are_kept_as_they_were(tmp_path: Path, pix: Path):
    run(pix2pix(pix), tmp_path / "out")
    first = next(shards.read_examples(tmp_path / "out"))
    assert first.before == (pix / "0000100" / "700_0.jpg").read_bytes()


def test_a_run_that_was_killed_goes_on_and_gives_the_same_files(tmp_path: Path, pix: Path):
    run(pix2pix(pix), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(pix2pix(pix), tmp_path / "twice", Loud(lives=2))
    assert len(shards.shard_files(tmp_path / "twice")) == 2
    second = Loud()
    assert run(pix2pix(pix), tmp_path / "twice", second) == ShardProgress(shards=3, examples=6, kept=4)
    assert second.batches == [2]
    assert contents(tmp_path / "twice") == contents(tmp_path / "whole")


def test_models_see_no_more_than_a_batch_at_once(tmp_path: Path, pix: Path):
    loud = Loud()
    run(pix2pix(pix), tmp_path / "out", loud, ShardConfig("loud", "short", shard_size=5, batch_size=2))
    assert loud.batches == [2, 2, 1, 1]


def test_later_turns_know_what_was_said_before(tmp_path: Path):
    run(magicbrush(magicbrush_folder(tmp_path / "brush")), tmp_path / "out")
    third = next(e for e in shards.read_examples(tmp_path / "out") if e.id == "77-output3")
    assert third.history == (Exchange("turn 1", "so: TURN 1"), Exchange("turn 2", "so: TURN 2"))


def test_shards_may_be_the_source(tmp_path: Path, pix: Path):
    run(pix2pix(pix), tmp_path / "one")
    run(shards.read_examples(tmp_path / "one"), tmp_path / "two")
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_a_folder_holds_the_work_of_one_plan(tmp_path: Path, pix: Path):
    run(pix2pix(pix), tmp_path / "out")
    with pytest.raises(DataError, match="was begun with"):
        run(pix2pix(pix), tmp_path / "out", plan=ShardConfig("loud", "short", shard_size=3))


def test_a_folder_holds_the_examples_of_one_source(tmp_path: Path, pix: Path):
    run(pix2pix(pix), tmp_path / "out")
    with pytest.raises(DataError, match="made from other examples"):
        run(magicbrush(magicbrush_folder(tmp_path / "brush")), tmp_path / "out")
    with pytest.raises(DataError, match="holds more"):
        run(pix2pix(pix2pix_folder(tmp_path / "less", prompts=2)), tmp_path / "out")
