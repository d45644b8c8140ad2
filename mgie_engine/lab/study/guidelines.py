"""The guidelines of Extended MGIE (MagiX), each put as comparisons that a study can make.

They were found by eye on two photos with MGIE-7B. Here each states which figure should be larger on which
edits, and holds only if the whole 95 % interval of eight edits or more confirms it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mgie_engine.lab.evaluation.scenes_figures import Figure, figure
from mgie_engine.lab.study.fit import ENOUGH, best_fixed
from mgie_engine.lab.study.groups import is_scene
from mgie_engine.lab.study.statistics import (
    Measure,
    Study,
    SubjectFilter,
    difference,
    gap,
    is_held_out,
    kept,
    score,
    success_raw,
)
from mgie_engine.lab.study.sweep_results import Strengths, Subject
from mgie_engine.lab.study.tasks import LONG, SHORT
from mgie_engine.strengths import GENTLE, HARSH

NO_WORSE = -0.05  # largest loss of a share where something is claimed to be enough
SKY, ONE_COLOUR = "background", "recolour"  # kinds of scene edits


class GuidelineVerdict(StrEnum):
    """The verdict of all comparisons of a guideline."""

    HOLDS = "holds"
    DOES_NOT = "does not hold"
    DEPENDS = "depends"
    OPEN = "not shown"


@dataclass(frozen=True, slots=True)
class GuidelineComparison:
    """A difference that should lie above `floor`."""

    what: str
    found: Figure | None
    edits: int
    floor: float = 0.0
    unit: str = ""  # "dB", or "" for shares

    @property
    def verdict(self) -> GuidelineVerdict:
        """The verdict of this comparison alone."""
        if self.found is None:
            return GuidelineVerdict.OPEN
        if self.found.low > self.floor:
            return GuidelineVerdict.HOLDS
        return GuidelineVerdict.DOES_NOT if self.found.high < self.floor else GuidelineVerdict.OPEN


@dataclass(frozen=True, slots=True)
class Guideline:
    """One piece of advice with its comparisons."""

    claim: str
    comparisons: tuple[GuidelineComparison, ...]

    @property
    def verdict(self) -> GuidelineVerdict:
        """Holds where every comparison does; depends where they disagree."""
        said = {comparison.verdict for comparison in self.comparisons}
        if said == {GuidelineVerdict.HOLDS}:
            return GuidelineVerdict.HOLDS
        if GuidelineVerdict.HOLDS in said:
            return GuidelineVerdict.DEPENDS
        return GuidelineVerdict.DOES_NOT if GuidelineVerdict.DOES_NOT in said else GuidelineVerdict.OPEN


def guidelines(study: Study) -> tuple[Guideline, ...]:
    """All seven, in the order of the source."""
    return (
        _few_words(study),
        _many_words(study),
        _more_picture(study),
        _simpler_pictures(study),
        _gentler(study, SKY, "To change the sky, lower the text CFG a little and raise the image CFG."),
        _gentler(study, ONE_COLOUR, "To recolour one thing, lower the text CFG and raise the image CFG."),
        _balance(study),
    )


# --- about words ---


def _few_words(study: Study) -> Guideline:
    simple = _wording(study, lambda subject: not study.is_busy(subject))
    return Guideline(
        "In a simple picture few words are enough.",
        (_compared("few words − many words, simple pictures (score)", simple, NO_WORSE),),
    )


def _many_words(study: Study) -> Guideline:
    busy = [-value for value in _wording(study, study.is_busy)]
    large = [-value for value in _wording(study, lambda s: s.kind not in (ONE_COLOUR, "resize"))]
    return Guideline(
        "In a complex picture, or for a large change, more words help.",
        (
            _compared("many words − few words, busy pictures (score)", busy),
            _compared("many words − few words, large changes (score)", large),
        ),
    )


def _wording(study: Study, which: SubjectFilter) -> list[float]:
    """The gain of each edit with few words over many words."""
    by_part = {
        part: {name: v for (p, name), v in study.values(score, study.own, which).items() if p == part}
        for part in (SHORT, LONG)
    }
    return list(difference(by_part[SHORT], by_part[LONG]).values())


# --- about strengths ---


def _more_picture(study: Study) -> Guideline:
    """One step of image CFG up."""
    own = study.own
    pair = (own[0], _next(study, 1))

    def which(subject: Subject) -> bool:
        return not study.is_busy(subject) and is_scene(subject)

    kept_gain = _gains(study, kept, pair, own, which)
    held = _gains(study, success_raw, pair, own, which)
    step = f"image CFG {own[1]:g} → {pair[1]:g}, simple pictures"
    return Guideline(
        "In a simple picture a slightly higher image CFG keeps more of the original.",
        (
            _compared(f"{step}: what stays", kept_gain, unit="dB"),
            _compared(f"{step}: success as painted", held, NO_WORSE),
        ),
    )


def _simpler_pictures(study: Study) -> Guideline:
    scenes = study.only(is_scene)

    def compared(what: str, measure: Measure, unit: str = "") -> GuidelineComparison:
        simple, busy = (
            list(scenes.values(measure, study.own, study.complexity(busy=busy)).values())
            for busy in (False, True)
        )
        found = gap(simple, busy) if min(len(simple), len(busy)) >= ENOUGH else None
        return GuidelineComparison(what, found, len(simple) + len(busy), unit=unit)

    return Guideline(
        "A simpler picture comes out less distorted.",
        (
            compared("simple − busy pictures: what stays", kept, "dB"),
            compared("simple − busy pictures (score)", score),
        ),
    )


def _gentler(study: Study, kind: str, claim: str) -> Guideline:
    """The published pairs against each other, then one step from the model's own pair."""

    def which(subject: Subject) -> bool:
        return subject.kind == kind and is_scene(subject)

    mine = (_next(study, 0, up=False), _next(study, 1))
    comparisons = []
    for pair, base in ((GENTLE, HARSH), (mine, study.own)):
        named = f"{pair[0]:g}/{pair[1]:g} − {base[0]:g}/{base[1]:g}"
        stays, right = _gains(study, kept, pair, base, which), _gains(study, score, pair, base, which)
        comparisons += [
            _compared(f"{named}: what stays", stays, unit="dB"),
            _compared(f"{named} (score)", right),
        ]
    return Guideline(claim, tuple(comparisons))


def _balance(study: Study) -> Guideline:
    """The best pair for simple pictures and that for busy ones, against the best for all; held out."""
    fixed = best_fixed(study)
    gains: list[float] = []
    for busy in (False, True):
        half = study.only(study.complexity(busy=busy))
        pair = best_fixed(half)
        gains += half.gains(score, pair, fixed, is_held_out).values()
    what = "a pair each for simple and busy pictures − one for all (score, held out)"
    return Guideline("The right balance depends on how complex the picture is.", (_compared(what, gains),))


# --- helpers ---


def _gains(
    study: Study, measure: Measure, pair: Strengths, base: Strengths, which: SubjectFilter
) -> list[float]:
    if pair == base:  # no other value was run
        return []
    return list(study.gains(measure, pair, base, which).values())


def _compared(what: str, values: Sequence[float], floor: float = 0.0, unit: str = "") -> GuidelineComparison:
    return GuidelineComparison(what, figure(values, fewest=ENOUGH), len(values), floor, unit)


def _next(study: Study, axis: int, *, up: bool = True) -> float:
    """The next value of an axis that was run with the model's own value of the other axis; else its own."""
    own = study.own
    tried = sorted({pair[axis] for pair in study.strengths if pair[1 - axis] == own[1 - axis]})
    beyond = [value for value in tried if (value > own[axis]) == up and value != own[axis]]
    return own[axis] if not beyond else min(beyond) if up else max(beyond)
