"""A study in Markdown: the heat map, the best pair of every group, the guidelines, and what auto does."""

from collections.abc import Iterator, Sequence

from mgie_engine.lab.evaluation.scenes_figures import Figure, points
from mgie_engine.lab.study.fit import HeldOutCheck
from mgie_engine.lab.study.groups import edit_groups
from mgie_engine.lab.study.guidelines import Guideline, GuidelineComparison
from mgie_engine.lab.study.statistics import kept, score, success
from mgie_engine.lab.study.study_report import StudyReport, checks_of, file_name, maps
from mgie_engine.lab.templating import render

Row = Sequence[str]


def to_markdown(report: StudyReport, pictures: str = "") -> str:
    """The report as Markdown; heat maps are linked relative to `pictures`, a folder or ""."""
    study = report.study
    prefix = f"{pictures}/" if pictures else ""
    files = [(family, f"{prefix}{file_name(family)}") for family, _ in maps(report)]
    heading = (
        f"{report.model}, own strengths {_pair(report.study.own)}: {len(study)} paintings of "
        f"{len(study.subjects)} edits. {report.took}"
    )
    text = render(
        "study.md",
        heading=heading.rstrip(),
        shown=files[:1],
        linked=files[1:],
        best=list(_best_rows(report)),
        guidelines=list(_guideline_rows(report.guidelines)),
        rules=list(_rule_rows(report)),
        checks=list(_check_rows(report)),
    )
    return text.strip() + "\n"


def _best_rows(report: StudyReport) -> Iterator[Row]:
    """Per group: its own pair against the pair with the best score."""
    study, own = report.study, report.study.own
    for group in edit_groups(study):
        means = study.means(score, group.which)
        if own not in means:
            continue
        best = max(means, key=lambda pair: means[pair].mean)
        own_cells, best_cells = (
            (_share(study.mean(success, pair, group.which)), _db(study.mean(kept, pair, group.which)))
            for pair in (own, best)
        )
        count = str(len(study.values(score, own, group.which)))
        gain = points(study.gain(score, best, own, group.which))
        yield group.name, count, *own_cells, _pair(best), *best_cells, gain


def _guideline_rows(found: Sequence[Guideline]) -> Iterator[Row]:
    for guideline in found:
        claim, verdict = guideline.claim, f"**{guideline.verdict}**"
        for comparison in guideline.comparisons:
            yield claim, verdict, comparison.what, _difference(comparison), str(comparison.edits)
            claim = verdict = ""


def _rule_rows(report: StudyReport) -> Iterator[Row]:
    for rule in report.table.rules:
        pair = _pair((rule.text_cfg, rule.image_cfg))
        yield rule.kind or "any", rule.pictures, pair, points(Figure(*rule.gain)), str(rule.edits)


def _check_rows(report: StudyReport) -> Iterator[Row]:
    for name, found in checks_of(report):
        if found[0][1]:
            by_measure = dict(found)
            yield name, *_check(by_measure["success"]), *_check(by_measure["score"])


def _check(found: HeldOutCheck | None) -> Row:
    return (_share(found.mean), points(found.over_own, 2)) if found else ("–", "–")


def _pair(pair: tuple[float, float]) -> str:
    return f"{pair[0]:g}/{pair[1]:g}"


def _share(found: Figure | None) -> str:
    return "–" if found is None else f"{100 * found.mean:.0f} %"


def _db(found: Figure | None) -> str:
    return "–" if found is None else f"{found.mean:.1f} dB"


def _difference(comparison: GuidelineComparison) -> str:
    found = comparison.found
    if found is None:
        return "too few"
    if comparison.unit:
        return f"{found.mean:+.1f} {comparison.unit} ({found.low:+.1f} … {found.high:+.1f})"
    return points(found)
