"""The results of a study: a line of JSON each, so that a stopped study resumes. Does not import torch."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from mgie_engine.errors import DataError
from mgie_engine.lab.scenes.expressive_text import Split
from mgie_engine.strengths import InstructionTraits, PictureComplexity

Strengths = tuple[float, float]  # text CFG, image CFG
FITTED: Split = "validation"  # what is learnt from
HELD_OUT: Split = "test"  # what is checked on


@dataclass(frozen=True, slots=True)
class Subject:
    """One edit to run under many strengths."""

    name: str  # of this edit in its part
    part: str  # "validation", "test", "short", "long", "pictures"
    kind: str  # the true kind of a scene edit; "" if unknown
    instruction: str
    wording: InstructionTraits
    look: PictureComplexity
    things: int | None  # in the picture; None if unknown


@dataclass(frozen=True, slots=True)
class SweepOutcome:
    """The scores of one picture; None where there is no goal."""

    moved: float  # mean difference from the input, 0 to 1
    success: bool | None = None
    left: float | None = None  # error left inside the changed area, as a share of doing nothing
    kept_db: float | None = None  # PSNR outside the changed area; None where hardly anything is outside

    @property
    def closeness(self) -> float | None:
        """The share of the way to the goal, 0 to 1; 0 or 1 for an edit that changes nothing."""
        if self.left is None:
            return None
        return float(bool(self.success)) if self.left == 0 else 1 - min(1.0, self.left)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """One run of one edit."""

    subject: Subject
    strengths: Strengths
    seed: int
    raw: SweepOutcome  # the model's output
    delivered: SweepOutcome  # after restoring

    @property
    def key(self) -> tuple[str, str, Strengths, int]:
        """The unique key of a line."""
        return self.subject.part, self.subject.name, self.strengths, self.seed

    def to_json(self) -> str:
        """This result as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "SweepResult":
        """The result on a line; ValueError for any other line."""
        return _validator().validate_json(line)


@cache
def _validator() -> TypeAdapter[SweepResult]:
    return TypeAdapter(SweepResult)


def read_sweep(file: Path) -> Iterator[SweepResult]:
    """Every result so far, none if there is no file; a truncated last line is left out.

    DataError names an invalid line.
    """
    if not file.exists():
        return
    lines = file.read_text("utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        if not line.endswith("\n"):
            return
        try:
            yield SweepResult.from_json(line)
        except ValueError as error:
            raise DataError(f"{file}, line {number}, is no painting of a study: {error}.") from error


def append_sweep(file: Path, cells: Iterable[SweepResult]) -> None:
    """Append results; a truncated last line is removed first."""
    with file.open("ab+") as out:
        out.seek(0)
        kept = out.read()
        out.truncate(kept.rfind(b"\n") + 1)
        out.write("".join(cell.to_json() + "\n" for cell in cells).encode())
