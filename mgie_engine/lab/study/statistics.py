"""Statistics of a study: paired means over edits with 95 % intervals by bootstrap."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from statistics import median
from typing import TypeVar

import numpy as np

from mgie_engine.lab.evaluation.scenes_figures import RESAMPLES, Figure, figure
from mgie_engine.lab.study.sweep_results import FITTED, HELD_OUT, Strengths, Subject, SweepResult

KEPT_WELL_DB = 40.0  # from here on the difference is invisible
FEW = 3  # fewest edits for a figure

Measure = Callable[[SweepResult], float | None]
SubjectFilter = Callable[[Subject], bool]
Edit = tuple[str, str]  # part and name
Name = TypeVar("Name")


# By the criterion of `mgie evaluate scenes`, whether the delivered picture and the raw output are the goal.
success: Measure = attrgetter("delivered.success")
success_raw: Measure = attrgetter("raw.success")
# PSNR (dB) outside the changed area: of the raw output (the strengths alone), and after restoring.
kept: Measure = attrgetter("raw.kept_db")
kept_delivered: Measure = attrgetter("delivered.kept_db")
moved: Measure = attrgetter("raw.moved")  # mean change of the raw output, 0 to 1


def score(cell: SweepResult) -> float | None:
    """One figure: the share of the way to the goal times how well the rest was kept, 0 to 1."""
    close, kept_db = cell.delivered.closeness, cell.delivered.kept_db
    if close is None:
        return None
    return close * (1.0 if kept_db is None else min(1.0, max(0.0, kept_db) / KEPT_WELL_DB))


def everything(subject: Subject) -> bool:
    """Any edit."""
    return True


def is_fitted(subject: Subject) -> bool:
    """The edits to learn from."""
    return subject.part == FITTED


def is_held_out(subject: Subject) -> bool:
    """The edits to check on."""
    return subject.part == HELD_OUT


class Study:
    """The results of a study of a model, whose own pair of strengths is `own`."""

    def __init__(self, cells: Iterable[SweepResult], own: Strengths) -> None:
        self.own = own
        self._cells: dict[Edit, dict[Strengths, list[SweepResult]]] = defaultdict(lambda: defaultdict(list))
        self.subjects: dict[Edit, Subject] = {}
        for cell in cells:
            edit = (cell.subject.part, cell.subject.name)
            self.subjects[edit] = cell.subject
            self._cells[edit][cell.strengths].append(cell)
        fitted = list(filter(is_fitted, self.subjects.values()))
        looks = [subject.look.texture for subject in fitted or self.subjects.values()]
        self.busy_from = median(looks) if looks else 0.0

    def only(self, which: SubjectFilter) -> "Study":
        """The study of these edits alone; what counts as busy stays."""
        kept = (by for edit, by in self._cells.items() if which(self.subjects[edit]))
        part = Study((cell for by in kept for cells in by.values() for cell in cells), self.own)
        part.busy_from = self.busy_from
        return part

    def __len__(self) -> int:
        """The number of results."""
        return sum(len(cells) for by in self._cells.values() for cells in by.values())

    @property
    def strengths(self) -> tuple[Strengths, ...]:
        """Every pair with results, by image CFG, then text CFG."""
        return tuple(sorted({pair for by in self._cells.values() for pair in by}, key=lambda p: (p[1], p[0])))

    def complexity(self, *, busy: bool) -> "SubjectFilter":
        """Edits of busy pictures, or of simple ones."""
        return lambda subject: self.is_busy(subject) == busy

    def is_busy(self, subject: Subject) -> bool:
        """Whether a picture has at least the median texture."""
        return subject.look.texture >= self.busy_from

    def values(
        self, measure: Measure, pair: Strengths, which: SubjectFilter = everything
    ) -> dict[Edit, float]:
        """The measure of each edit under a pair, averaged over its seeds; edits without one left out."""
        found: dict[Edit, float] = {}
        for edit, by in self._cells.items():
            known = [value for cell in by.get(pair, ()) if (value := measure(cell)) is not None]
            if known and which(self.subjects[edit]):
                found[edit] = float(np.mean(known))
        return found

    def mean(self, measure: Measure, pair: Strengths, which: SubjectFilter = everything) -> Figure | None:
        """The mean under a pair; None for fewer than three edits."""
        return figure(self.values(measure, pair, which).values(), fewest=FEW)

    def means(self, measure: Measure, which: SubjectFilter = everything) -> dict[Strengths, Figure]:
        """The mean under every pair with results for all of these edits, so that the means are comparable."""
        values = {pair: self.values(measure, pair, which).values() for pair in self.strengths}
        most = max(map(len, values.values()), default=0)
        return {p: found for p, v in values.items() if len(v) == most and (found := figure(v, fewest=FEW))}

    def gains(
        self, measure: Measure, pair: Strengths, over: Strengths, which: SubjectFilter = everything
    ) -> dict[Edit, float]:
        """How much better each edit is under a pair than under another."""
        return difference(self.values(measure, pair, which), self.values(measure, over, which))

    def gain(
        self, measure: Measure, pair: Strengths, over: Strengths, which: SubjectFilter = everything
    ) -> Figure | None:
        """The mean gain over edits with results for both; None for fewer than three."""
        return figure(self.gains(measure, pair, over, which).values(), fewest=FEW)


def difference(these: Mapping[Name, float], those: Mapping[Name, float]) -> dict[Name, float]:
    """The differences by name."""
    return {name: value - those[name] for name, value in these.items() if name in those}


def gap(these: Sequence[float], those: Sequence[float]) -> Figure | None:
    """The difference of two means over different edits; None where either has fewer than three."""
    if min(len(these), len(those)) < FEW:
        return None
    rng = np.random.default_rng(0)
    a, b = np.asarray(these), np.asarray(those)
    drawn = [side[rng.integers(0, len(side), (RESAMPLES, len(side)))].mean(1) for side in (a, b)]
    low, high = np.percentile(drawn[0] - drawn[1], (2.5, 97.5))
    return Figure(float(a.mean() - b.mean()), float(low), float(high))
