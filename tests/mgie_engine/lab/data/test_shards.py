"""Shards of examples."""

import io
from pathlib import Path

import pytest

from mgie_engine.edits import Exchange
from mgie_engine.errors import DataError
from mgie_engine.lab.data import shards
from mgie_engine.lab.data.examples import EditExample, opened, session_chunks
from tests.support.fakes import a_picture


def an_example(number: int, session: str = "") -> EditExample:
    """A small example."""
    before, after = a_picture(colour="red"), a_picture(colour="blue")
    history = (Exchange("be red", "It is red."),) if session else ()
    return EditExample(f"e{number}", f"do {number}", before, after, "It is done.", "done", session, history)


def write(folder: Path, *counts: int) -> list[EditExample]:
    """Shards with so many examples each."""
    examples = [an_example(number) for number in range(sum(counts))]
    rest = iter(examples)
    for number, count in enumerate(counts):
        shards.write_shard(shards.shard_file(folder, number), [next(rest) for _ in range(count)])
    return examples


def test_what_is_written_is_read(tmp_path: Path):
    examples = [an_example(1), an_example(2, "talk")]
    shards.write_shard(shards.shard_file(tmp_path, 0), examples)
    assert list(shards.read_examples(tmp_path)) == examples


def test_the_same_examples_give_the_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        shards.write_shard(tmp_path / name, [an_example(1)])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_picture_that_is_missing_leaves_no_file(tmp_path: Path):
    with pytest.raises(DataError, match=r"nothing\.png cannot be read"):
        shards.write_shard(
            tmp_path / "a", [EditExample("x", "do", tmp_path / "nothing.png", tmp_path / "nothing.png")]
        )
    assert list(tmp_path.iterdir()) == []


def test_readers_share_an_epoch_without_overlap(tmp_path: Path):
    examples = write(tmp_path, 40, 20)
    found = shards.row_groups(tmp_path)
    hands = [shards.deal(found, seed=3, rank=rank, world=2) for rank in range(2)]
    read = [e.id for hand in hands for e in shards.stream(hand, seed=3)]
    assert sorted(read) == sorted(e.id for e in examples)
    assert read != [e.id for e in examples]


def test_the_shuffle_follows_the_seed(tmp_path: Path):
    write(tmp_path, 40)

    def order(seed: int) -> list[str]:
        return [e.id for e in shards.stream(shards.deal(shards.row_groups(tmp_path), seed=seed), seed=seed)]

    assert order(1) == order(1) != order(2)


@pytest.mark.parametrize("skip", [0, 5, 16, 23, 40, 99])
@pytest.mark.parametrize("seed", [None, 4])
def test_a_stream_goes_on_where_it_stopped(tmp_path: Path, skip: int, seed: int | None):
    write(tmp_path, 40)
    hand = shards.deal(shards.row_groups(tmp_path), seed=seed)
    whole = [e.id for e in shards.stream(hand, seed=seed)]
    assert [e.id for e in shards.stream(hand, seed=seed, skip=skip)] == whole[skip:]


def test_a_damaged_shard_is_named(tmp_path: Path):
    shards.shard_file(tmp_path, 0).write_bytes(b"PAR1 but no more")
    with pytest.raises(DataError, match=r"examples-000000\.parquet is damaged"):
        list(shards.read_examples(tmp_path))


def test_sessions_are_not_split():
    examples = [an_example(1), an_example(2, "a"), an_example(3, "a"), an_example(4, "b"), an_example(5)]
    assert [[e.id for e in portion] for portion in session_chunks(examples, 2)] == [
        ["e1", "e2", "e3"],
        ["e4", "e5"],
    ]


def test_a_picture_is_checked_when_it_is_opened():
    assert opened(a_picture(7, 5)).size == (7, 5)
    with pytest.raises(DataError, match="damaged or none"):
        opened(b"no picture")


def test_a_cut_off_picture_is_an_error():
    with pytest.raises(DataError, match="damaged or incomplete"):
        opened(io.BytesIO(a_picture(200, 200)).getvalue()[:150])
