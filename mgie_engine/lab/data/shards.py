"""Examples in a folder of parquet files: written one file at a time, read back as a stream.

Each file is whole or not there. Pictures are stored encoded, in row groups small enough to be read one by
one, with the metadata by which the `datasets` library knows them for pictures.
"""

import io
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from conversations.atomic_write import write_atomically
from mgie_engine.edits import Exchange
from mgie_engine.errors import DataError
from mgie_engine.lab.data.examples import EditExample, encoded
from mgie_engine.lab.optional_packages import training_package

ROWS_PER_GROUP = 16
_TEXTS = ("id", "session", "instruction", "expressive", "caption")
_PICTURES = ("before", "after")
_TEXT_FEATURE = {"dtype": "string", "_type": "Value"}
_FEATURES = {
    **dict.fromkeys(_TEXTS, _TEXT_FEATURE),
    "history": {
        "feature": {"instruction": _TEXT_FEATURE, "expressive": _TEXT_FEATURE},
        "_type": "List",
    },
    **{name: {"_type": "Image"} for name in _PICTURES},
}


@cache
def schema() -> Any:
    """The columns of a shard (pyarrow.Schema)."""
    pa = training_package("pyarrow")
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    turn = pa.struct([("instruction", pa.string()), ("expressive", pa.string())])
    return pa.schema(
        [
            *((name, pa.string()) for name in _TEXTS),
            ("history", pa.list_(turn)),
            *((name, picture) for name in _PICTURES),
        ],
        metadata={"huggingface": json.dumps({"info": {"features": _FEATURES}})},
    )


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group: the smallest unit that is read at once."""

    file: Path
    number: int
    rows: int


def shard_file(folder: Path, number: int) -> Path:
    """Where the shard `number` (from 0) lies."""
    return folder / f"examples-{number:06d}.parquet"


def shard_files(folder: Path) -> list[Path]:
    """A folder's shards in order; DataError if there are none."""
    if found := sorted(folder.glob("examples-*.parquet")):
        return found
    raise DataError(f"The folder {folder} holds no examples-*.parquet.")


def write_shard(file: Path, examples: Sequence[EditExample]) -> None:
    """Write examples to a file, whole or not at all; the same examples always give the same bytes."""
    rows = [_as_row(example) for example in examples]
    table = training_package("pyarrow").Table.from_pylist(rows, schema())
    file_in_memory = io.BytesIO()
    _parquet().write_table(table, file_in_memory, row_group_size=ROWS_PER_GROUP, compression="zstd")
    write_atomically(file, file_in_memory.getvalue())


def shard_ids(file: Path) -> list[str]:
    """The ids in a shard, without its pictures."""
    with _opened(file) as parquet:
        return [str(name) for name in parquet.read(columns=["id"])["id"].to_pylist()]


def row_groups(folder: Path) -> list[RowGroup]:
    """Every row group of a folder's shards, in order."""
    found = list[RowGroup]()
    for file in shard_files(folder):
        with _opened(file) as parquet:
            rows = [parquet.metadata.row_group(i).num_rows for i in range(parquet.num_row_groups)]
        found += [RowGroup(file, number, count) for number, count in enumerate(rows)]
    return found


def deal(
    groups: Sequence[RowGroup], *, seed: int | None = None, rank: int = 0, world: int = 1
) -> list[RowGroup]:
    """The groups that one of `world` readers reads in one pass; together the readers read each group once.

    The order is the files', or shuffled by `seed`, which must be the same for every reader.
    """
    order = list(groups)
    if seed is not None:
        random.Random(seed).shuffle(order)
    return order[rank::world]


def stream(groups: Sequence[RowGroup], *, seed: int | None = None, skip: int = 0) -> Iterator[EditExample]:
    """The examples of groups after the first `skip`; with a seed, each group's rows are shuffled.

    What is skipped is read only where a group is skipped in part, so a reader that goes on loses no time.
    """
    for place, group in enumerate(groups):
        if skip >= group.rows:
            skip -= group.rows
            continue
        rows = _rows(group)
        if seed is not None:
            random.Random(f"{seed}/{place}").shuffle(rows)
        yield from map(_as_example, rows[skip:])
        skip = 0


def read_examples(folder: Path) -> Iterator[EditExample]:
    """Every example of a folder, in order."""
    return stream(row_groups(folder))


def _rows(group: RowGroup) -> list[dict[str, Any]]:
    with _opened(group.file) as parquet:
        try:
            rows: list[dict[str, Any]] = parquet.read_row_group(group.number).to_pylist()
        except _unreadable() as error:
            raise DataError(f"{group.file} is damaged: {error}") from error
    return rows


def _parquet() -> Any:
    return training_package("pyarrow.parquet")


def _unreadable() -> tuple[type[Exception], ...]:
    """What pyarrow raises for a file that it cannot read."""
    return training_package("pyarrow").ArrowException, OSError


def _opened(file: Path) -> Any:
    """The file as pyarrow.parquet.ParquetFile; DataError where it is damaged or has other columns."""
    open_file = _parquet().ParquetFile
    try:
        parquet = open_file(file)
    except _unreadable() as error:
        raise DataError(f"{file} is damaged or no parquet file: {error}") from error
    if not parquet.schema_arrow.equals(schema()):
        parquet.close()
        raise DataError(f"{file} has other columns than editing examples have.")
    return parquet


def _as_row(example: EditExample) -> dict[str, Any]:
    turns = [asdict(turn) for turn in example.history]
    pictures = {name: {"bytes": encoded(getattr(example, name)), "path": None} for name in _PICTURES}
    return {name: getattr(example, name) for name in _TEXTS} | {"history": turns} | pictures


def _as_example(row: Mapping[str, Any]) -> EditExample:
    history = tuple(Exchange(**turn) for turn in row["history"])
    pictures = {name: row[name]["bytes"] for name in _PICTURES}
    return EditExample(**{name: row[name] for name in _TEXTS}, history=history, **pictures)
