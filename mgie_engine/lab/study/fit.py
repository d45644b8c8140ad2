"""Fits a table of advice to a study and measures its gain on held-out edits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mgie_engine.lab.evaluation.scenes_figures import Figure, figure
from mgie_engine.lab.study.statistics import Measure, Study, difference, is_fitted, is_held_out, score
from mgie_engine.lab.study.sweep_results import Strengths, Subject
from mgie_engine.strengths import Kind, Pictures, StrengthRule, StrengthTable, rule_for

ENOUGH = 8  # fewest edits for a finding
SURE = 3.0  # standard errors a gain must lie above 0: with some hundred comparisons two would be chance
INTERVAL = 2 * 1.96  # standard errors from end to end of a 95 % interval


def fit(study: Study, model: str) -> StrengthTable:
    """Rules from the general to the special, each kept only if its gain is significantly above 0.

    A special rule must beat the general one it stands before. Gains are of `score`, on the fitted edits.
    """
    found: list[StrengthRule] = []
    for kind in (None, *Kind):
        for pictures in Pictures:
            general = _pair(found, kind, pictures) or study.own
            if rule := _best(study, kind, pictures, general):
                found.append(rule)
    special_first = sorted(found, key=lambda rule: (rule.kind is None, rule.pictures is Pictures.ANY))
    return StrengthTable(model, round(study.busy_from, 5), study.own, tuple(special_first))


def _pair(found: Sequence[StrengthRule], kind: Kind | None, pictures: Pictures) -> Strengths | None:
    """The pair that the rules so far give a group; the most special rule wins."""
    fitting = [r for r in found if r.kind in (None, kind) and r.pictures in (Pictures.ANY, pictures)]
    fitting.sort(key=lambda rule: (rule.kind is not None, rule.pictures is not Pictures.ANY))
    return (fitting[-1].text_cfg, fitting[-1].image_cfg) if fitting else None


def _best(study: Study, kind: Kind | None, pictures: Pictures, general: Strengths) -> StrengthRule | None:
    def which(subject: Subject) -> bool:
        is_like = Pictures.BUSY if study.is_busy(subject) else Pictures.SIMPLE
        fits_kind = kind is None or subject.wording.kind is kind
        return is_fitted(subject) and fits_kind and pictures in (Pictures.ANY, is_like)

    best: tuple[float, Strengths] | None = None
    for pair in study.strengths:
        over = figure(study.gains(score, pair, general, which).values(), fewest=ENOUGH)
        if over and _is_sure(over) and (best is None or over.mean > best[0]):
            best = (over.mean, pair)
    if best is None:
        return None
    gains = study.gains(score, best[1], study.own, which).values()
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


def best_fixed(study: Study) -> Strengths:
    """The one pair with the best mean score on the fitted edits; the model's own where nothing is known."""
    means = study.means(score, is_fitted)
    return max(means, key=lambda pair: means[pair].mean) if means else study.own


def worth_checking(study: Study, table: StrengthTable) -> tuple[Strengths, ...]:
    """The pairs for held-out edits: the model's own, the best, and those that auto uses."""
    halves = [study.only(study.complexity(busy=busy)) for busy in (False, True)]
    best = [best_fixed(some) for some in (study, *halves)]
    return tuple(dict.fromkeys((study.own, *best, *((r.text_cfg, r.image_cfg) for r in table.rules))))


def better_half(study: Study, pairs: Sequence[Strengths]) -> tuple[Strengths, ...]:
    """The half of the pairs that did better, in their old order; the model's own always stays."""
    means = {pair: found.mean for pair in pairs if (found := study.mean(score, pair, is_fitted))}
    best = sorted(means, key=lambda pair: -means[pair])[: -(-len(pairs) // 2)]
    return tuple(pair for pair in pairs if pair == study.own or pair in best)


def check_fixed(study: Study, measure: Measure, pair: Strengths) -> HeldOutCheck | None:
    """One pair for every edit."""
    return _check(study, measure, lambda subject: pair)


def check_auto(study: Study, measure: Measure, table: StrengthTable) -> HeldOutCheck | None:
    """The pair that the table advises for each edit; edits without a result for it are left out."""

    def chosen(subject: Subject) -> Strengths:
        rule = rule_for(subject.look, subject.wording.kind, table)
        return (rule.text_cfg, rule.image_cfg) if rule else study.own

    return _check(study, measure, chosen)


def _check(study: Study, measure: Measure, chosen: Callable[[Subject], Strengths]) -> HeldOutCheck | None:
    by_pair = {pair: study.values(measure, pair, is_held_out) for pair in study.strengths}
    values = {
        edit: by_pair[pair][edit]
        for edit, subject in study.subjects.items()
        if edit in by_pair.get(pair := chosen(subject), {})
    }
    own_values = by_pair.get(study.own, {})
    mean, over = figure(values.values()), figure(difference(values, own_values).values())
    return HeldOutCheck(mean, over) if mean and over else None
