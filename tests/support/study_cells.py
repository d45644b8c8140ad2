"""Paintings made up for tests: edits whose outcome under each pair the test decides."""

from collections.abc import Callable, Mapping

from mgie_engine.lab.study.sweep_results import Strengths, Subject, SweepOutcome, SweepResult
from mgie_engine.strengths import InstructionTraits, Kind, PictureComplexity

OWN: Strengths = (2.0, 1.2)


def a_subject(number: int = 0, part: str = "validation", *, kind: str = "add", busy: bool = False) -> Subject:
    """An edit of a simple or a busy picture."""
    look = PictureComplexity(0.2 if busy else 0.01, 3.0)
    kinds = {"add": Kind.ADD, "remove": Kind.REMOVE, "recolour": Kind.COLOUR, "background": Kind.SCENERY}
    return Subject(
        f"{number}",
        part,
        kind,
        f"{kind} it",
        InstructionTraits(kinds.get(kind, Kind.OTHER), 3, 0),
        look,
        3 + busy * 3,
    )


def a_cell(
    subject: Subject, pair: Strengths = OWN, left: float = 0.5, kept_db: float | None = 30.0, seed: int = 0
) -> SweepResult:
    """One painting: so much of the way left, so much kept, as painted and as delivered."""
    outcome = SweepOutcome(0.1, left < 0.25, left, kept_db)
    return SweepResult(subject, pair, seed, outcome, outcome)


def painted(
    subjects: list[Subject], left: Mapping[Strengths, Callable[[Subject], float]]
) -> list[SweepResult]:
    """Every edit under every pair; how much is left is said per pair and edit."""
    return [a_cell(subject, pair, of(subject)) for subject in subjects for pair, of in left.items()]
