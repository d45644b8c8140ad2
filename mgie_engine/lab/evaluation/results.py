"""The same test edits for every model of a comparison, and the file its results lie in. Knows no torch."""

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args

from filelock import FileLock

from conversations.atomic_write import write_atomically
from conversations.settings import SettingsOverride, checked
from mgie_engine.cli_types import CommandParser, not_negative, positive
from mgie_engine.errors import DataError
from mgie_engine.lab.json_files import read_json
from mgie_engine.lab.scenes.expressive_text import Split

RESULTS, TRAINING = "results.json", "training.json"  # in a folder of variants
ALL, AMBIGUOUS = "all", "ambiguous"  # the sets of edits

# Of one variant, as JSON has it: its title, settings, and an entry per edit and set.
Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TrialConfig:
    """The test edits of every variant."""

    split: Split = "test"
    first: int = 0  # story
    count: int = 300  # edits of all kinds
    ambiguous: int = 300  # edits that only the picture explains
    seeds: int = 1  # pictures generated per edit
    denoising_steps: int | None = None  # like the two strengths the model's own where None
    text_cfg: float | None = None
    image_cfg: float | None = None


def add_trial(parser: CommandParser) -> None:
    """Add an option per field of a trial."""
    texts = {
        "first": "the first story",
        "count": "edits of all kinds",
        "ambiguous": "edits whose meaning only the picture tells",
        "seeds": "pictures painted per edit",
    }
    parser.add_argument(
        "--split", choices=get_args(Split), default=TrialConfig().split, help="of the stories"
    )
    for name, text in texts.items():
        default = getattr(TrialConfig(), name)
        kind = positive if name == "seeds" else not_negative
        parser.add_argument(f"--{name}", type=kind, default=default, help=text)
    for option, number in (("--denoising-steps", positive), ("--text-cfg", float), ("--image-cfg", float)):
        parser.add_argument(option, type=number, help="the model's own if left out")


def trial_of(arguments: argparse.Namespace) -> TrialConfig:
    """The trial that the options of `add_trial` ask for; SettingsRefused for a setting out of range."""
    trial = TrialConfig(**{field.name: getattr(arguments, field.name) for field in fields(TrialConfig)})
    checked(SettingsOverride(trial.text_cfg, trial.image_cfg, trial.denoising_steps))
    return trial


@dataclass(frozen=True, slots=True)
class Results:
    """The file in which the results of all variants lie. Several processes may add to it."""

    file: Path
    training: Mapping[str, Any]  # what they have in common
    trial: TrialConfig
    order: Sequence[str] = ()  # of the names; others come last, as they were found

    def read(self) -> dict[str, Result]:
        """Results by name of the variant, in the order found; DataError if they are of other training
        or other edits.
        """
        if not self.file.is_file():
            return {}
        found = read_results(self.file)
        for name, mine in (("training", dict(self.training)), ("trial", asdict(self.trial))):
            if found[name] != mine:
                raise DataError(f"{self.file} is of another {name}: {found[name]}, not {mine}.")
        known: dict[str, Result] = found["variants"]
        return known

    def add(self, name: str, result: Result, copies: Path | None = None) -> None:
        """Write one more; the file is whole at any time. A folder for copies gets the file, too."""
        places = {name: place for place, name in enumerate(self.order)}
        with FileLock(f"{self.file}.lock"):
            known = self.read() | {name: result}
            ordered = sorted(known, key=lambda name: places.get(name, len(places)))
            data = {"training": dict(self.training), "trial": asdict(self.trial)}
            data["variants"] = {name: known[name] for name in ordered}
            write_atomically(self.file, (json.dumps(data) + "\n").encode())
            if copies:
                shutil.copy(self.file, copies)


def read_results(file: Path) -> dict[str, Any]:
    """Training, trial and variants of a file of results; DataError if it is none."""
    found = read_json(file)
    if not isinstance(found, dict) or {"training", "trial", "variants"} - found.keys():
        raise DataError(f"{file} holds no results of variants.")
    return found
