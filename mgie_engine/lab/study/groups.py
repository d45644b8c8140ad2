"""Groups of edits: by kind, by complexity of picture and words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mgie_engine.lab.study.statistics import Study, SubjectFilter, is_fitted, is_held_out
from mgie_engine.lab.study.sweep_results import Subject

PICTURES = "pictures"  # the part of a user's own pictures
FEW_THINGS = 4  # objects of a scene, which has 2 to 8
MEASURED: tuple[tuple[str, Callable[[Subject], float]], ...] = (
    ("texture", lambda subject: subject.look.texture),
    ("entropy", lambda subject: subject.look.entropy),
    ("words", lambda subject: subject.wording.words),
    ("constraints", lambda subject: subject.wording.constraints),
)


@dataclass(frozen=True, slots=True)
class EditGroup:
    """Edits that are analysed together."""

    name: str
    which: SubjectFilter
    family: str  # groups of one chart: "all", "kinds", "complexity", "pictures"


def is_scene(subject: Subject) -> bool:
    """Whether it is an ordinary edit of a generated scene."""
    return is_fitted(subject) or is_held_out(subject)


def edit_groups(study: Study) -> Iterator[EditGroup]:
    """Own pictures; the fitted edits of generated scenes: all, each kind, each half by complexity.

    Held-out edits are left out: they are not run under every pair, so their means cannot be compared.
    """
    subjects = study.subjects.values()
    if any(subject.part == PICTURES for subject in subjects):
        yield EditGroup(PICTURES, lambda subject: subject.part == PICTURES, PICTURES)
    scenes = [subject for subject in subjects if is_fitted(subject)]
    if not scenes:
        return
    yield EditGroup("all", is_fitted, "all")
    for kind in sorted({subject.kind for subject in scenes}):
        yield _of_kind(kind)
    yield from _halves("things", lambda s: float("nan") if s.things is None else s.things, FEW_THINGS + 1)
    for name, value in MEASURED:
        yield from _halves(name, value, _middle([value(subject) for subject in scenes]))


def _middle(values: Sequence[float]) -> float:
    """The median, or the next value above the least where that is the median."""
    middle = sorted(values)[len(values) // 2]
    return middle if middle > min(values) else min((v for v in values if v > middle), default=middle)


def _of_kind(kind: str) -> EditGroup:
    return EditGroup(kind, lambda subject: is_fitted(subject) and subject.kind == kind, "kinds")


def _halves(name: str, value: Callable[[Subject], float], middle: float) -> Iterator[EditGroup]:
    """Edits below and from a middle value; edits without the value (nan) are in neither."""

    def below(subject: Subject) -> bool:
        return is_fitted(subject) and value(subject) < middle

    def from_there(subject: Subject) -> bool:
        return is_fitted(subject) and value(subject) >= middle

    yield EditGroup(f"{name} below {middle:g}", below, "complexity")
    yield EditGroup(f"{name} from {middle:g}", from_there, "complexity")
