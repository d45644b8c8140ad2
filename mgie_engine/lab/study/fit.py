"""Fits a table of advice to a study and measures its gain on held-out edits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mgie_engine.lab.evaluation.scenes_figures import Figure, figure
from mgie_engine.lab.study.statistics import Measure, Study, SubjectFilter, difference, score
from mgie_engine.lab.study.sweep_results import Strengths, Subject
from mgie_engine.strengths import Kind, Pictures, StrengthRule, StrengthTable, rule_for

ENOUGH = 8  # fewest edits for a finding
SURE = 3.0  # standard errors a gain must lie above 0: with some hundred comparisons two would be chance
INTERVAL = 2 * 1.96  # standard errors from end to end of a 95 % interval


def fit(study: Study, model: str, own: Strengths, part: str) -> StrengthTable:
    """Rules from the general to the special, each kept only if its gain is significantly above 0.

    A special rule must beat the general one it stands before. Gains are of `score`, in `part` of the study.
    """
    found: list[StrengthRule] = []
    for kind in (None, *Kind):
        for pictures in Pictures:
            general = _pair(found, kind, pictures) or own
            if rule := _best(study, (kind, pictures), (general, own), part):
                found.append(rule)
    special_first = sorted(found, key=lambda rule: (rule.kind is None, rule.pictures is Pictures.ANY))
    return StrengthTable(model, round(study.busy_from, 5), own, tuple(special_first))


def _pair(found: Sequence[StrengthRule], kind: Kind | None, pictures: Pictures) -> Strengths | None:
    """The pair that the rules so far give a group; the most special rule wins."""
    fitting = [r for r in found if r.kind in (None, kind) and r.pictures in (Pictures.ANY, pictures)]
    fitting.sort(key=lambda rule: (rule.kind is not None, rule.pictures is not Pictures.ANY))
    return (fitting[-1].text_cfg, fitting[-1].image_cfg) if fitting else None


def _best(
    study: Study, group: tuple[Kind | None, Pictures], bases: tuple[Strengths, Strengths], part: str
) -> StrengthRule | None:
    (kind, pictures), (general, own) = group, bases

    def which(subject: Subject) -> bool:
        is_like = Pictures.BUSY if study.is_busy(subject) else Pictures.SIMPLE
        fits_kind = kind is None or subject.wording.kind is kind
        return subject.part == part and fits_kind and pictures in (Pictures.ANY, is_like)

    best: tuple[float, Strengths] | None = None
    for pair in study.strengths:
        over = figure(study.gains(score, pair, general, which).values(), fewest=ENOUGH)
        if over and _is_sure(over) and (best is None or over.mean > best[0]):
            best = (over.mean, pair)
    if best is None:
        return None
    gains = study.gains(score, best[1], own, which).values()
    over_own = figure(gains)
    assert over_own
    mean, low, high = over_own.listed()
    return StrengthRule(kind, pictures, *best[1], (mean, low, high), len(gains))


def _is_sure(gain: Figure) -> bool:
    return gain.mean > 0 and gain.mean > SURE * (gain.high - gain.low) / INTERVAL


@dataclass(frozen=True, slots=True)
class HeldOutCheck:
    """The result of a way to choose strengths on held-out edits."""

    mean: Figure
    over_own: Figure  # against the model's own pair, edit by edit


def best_fixed(study: Study, own: Strengths, part: str) -> Strengths:
    """The one pair with the best mean score in a part; the model's own where nothing is known."""
    means = study.means(score, _part(part))
    return max(means, key=lambda pair: means[pair].mean) if means else own


def worth_checking(study: Study, table: StrengthTable, own: Strengths, part: str) -> tuple[Strengths, ...]:
    """The pairs for held-out edits: the model's own, the best, and those that auto uses."""
    halves = [study.only(study.complexity(busy=busy)) for busy in (False, True)]
    best = [best_fixed(some, own, part) for some in (study, *halves)]
    return tuple(dict.fromkeys((own, *best, *((rule.text_cfg, rule.image_cfg) for rule in table.rules))))


def better_half(study: Study, pairs: Sequence[Strengths], own: Strengths, part: str) -> tuple[Strengths, ...]:
    """The half of the pairs that did better in a part, in their old order; the model's own always stays."""
    means = {pair: found.mean for pair in pairs if (found := study.mean(score, pair, _part(part)))}
    best = sorted(means, key=lambda pair: -means[pair])[: -(-len(pairs) // 2)]
    return tuple(pair for pair in pairs if pair == own or pair in best)


def check_fixed(
    study: Study, measure: Measure, pair: Strengths, own: Strengths, part: str
) -> HeldOutCheck | None:
    """One pair for every edit."""
    return _check(study, measure, lambda subject: pair, own, part)


def check_auto(
    study: Study, measure: Measure, table: StrengthTable, own: Strengths, part: str
) -> HeldOutCheck | None:
    """The pair that the table advises for each edit; edits without a result for it are left out."""

    def chosen(subject: Subject) -> Strengths:
        rule = rule_for(subject.look, subject.wording.kind, table)
        return (rule.text_cfg, rule.image_cfg) if rule else own

    return _check(study, measure, chosen, own, part)


def _check(
    study: Study, measure: Measure, chosen: Callable[[Subject], Strengths], own: Strengths, part: str
) -> HeldOutCheck | None:
    by_pair = {pair: study.values(measure, pair, _part(part)) for pair in study.strengths}
    values = {
        edit: by_pair[pair][edit]
        for edit, subject in study.subjects.items()
        if edit in by_pair.get(pair := chosen(subject), {})
    }
    own_values = by_pair.get(own, {})
    mean, over = figure(values.values()), figure(difference(values, own_values).values())
    return HeldOutCheck(mean, over) if mean and over else None


def _part(part: str) -> SubjectFilter:
    return lambda subject: subject.part == part
