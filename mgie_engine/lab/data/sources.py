"""Which layout a folder of examples has."""

from collections.abc import Callable, Iterator
from pathlib import Path

from mgie_engine.lab.data import shards
from mgie_engine.lab.data.examples import EditExample
from mgie_engine.lab.data.public_datasets import SESSIONS, TURNS, magicbrush, pix2pix

LAYOUTS: dict[str, Callable[[Path], Iterator[EditExample]]] = {"ipr2pr": pix2pix, "magicbrush": magicbrush}


def examples_of(folder: Path) -> Iterator[EditExample]:
    """The examples of a folder: our parquet files, MagicBrush's layout, or else InstructPix2Pix's."""
    if any(folder.glob("examples-*.parquet")):
        return shards.read_examples(folder)
    if (folder / SESSIONS).is_file() or (folder / TURNS).is_file():
        return magicbrush(folder)
    return pix2pix(folder)
