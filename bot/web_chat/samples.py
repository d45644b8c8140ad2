"""The pictures a newcomer may try, read once from the folder `bot/samples`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "samples"


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture to try: its file, its title, and words that suit it."""

    path: Path
    title: str
    instructions: tuple[str, ...]

    @property
    def name(self) -> str:
        """The sample's name in addresses and events: the file name without its ending."""
        return self.path.stem


def read_samples(folder: Path = FOLDER) -> Mapping[str, Sample]:
    """All samples by name, in the order of `samples.toml`; FileNotFoundError where a picture is missing."""
    rows = tomllib.loads((folder / "samples.toml").read_text(encoding="utf-8"))["sample"]
    samples = (Sample(folder / row["file"], row["title"], tuple(row["instructions"])) for row in rows)
    found = {sample.name: sample for sample in samples}
    for sample in found.values():
        sample.path.stat()
    return found
