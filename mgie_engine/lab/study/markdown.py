"""A study in Markdown: the heat map, the best pair of every group, the guidelines, and what auto does."""

from collections.abc import Sequence

from mgie_engine.lab.evaluation.scenes_figures import Figure, points
from mgie_engine.lab.study.fit import HeldOutCheck
from mgie_engine.lab.study.groups import edit_groups
from mgie_engine.lab.study.guidelines import Guideline, GuidelineComparison
from mgie_engine.lab.study.statistics import kept, score, success
from mgie_engine.lab.study.study_report import StudyReport, checks_of, file_name, maps
from mgie_engine.strengths import StrengthRule


def to_markdown(report: StudyReport, pictures: str = "") -> str:
    """The report for people; heat maps are named relative to `pictures`, a folder or ""."""
    study = report.study
    lines = [
        f"{report.model}, own strengths {report.own[0]:g}/{report.own[1]:g}: {len(study)} paintings of "
        f"{len(study.subjects)} edits. {report.took}".rstrip(),
        "",
        *_heat_lines(report, pictures),
        *_best_lines(report),
        *_guideline_lines(report.guidelines),
        *_advice_lines(report),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _heat_lines(report: StudyReport, pictures: str) -> list[str]:
    """Each sheet of heat maps; all edits together are shown, the others linked."""
    prefix = f"{pictures}/" if pictures else ""
    files = {family: f"{prefix}{file_name(family)}" for family, _ in maps(report)}
    shown = [f"![Success and what stays: {family}]({file})" for family, file in list(files.items())[:1]]
    linked = [f"[by {family}]({file})" for family, file in list(files.items())[1:]]
    return [*shown, "", *([f"The same {' and '.join(linked)}.", ""] if linked else [])]


def _best_lines(report: StudyReport) -> list[str]:
    """Per group: its own pair against the pair with the best score."""
    study, own = report.study, report.own
    lines = [
        "### By kind of edit and by complexity",
        "",
        "| edits | n | own: success | what stays, painted | best | success | what stays | gain in score |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for group in edit_groups(study):
        means = study.means(score, group.which)
        if own not in means:
            continue
        best = max(means, key=lambda pair: means[pair].mean)
        gain = study.gain(score, best, own, group.which)
        cells = [group.name, str(len(study.values(score, own, group.which)))]
        cells += [_share(study.mean(success, own, group.which)), _db(study.mean(kept, own, group.which))]
        cells += [f"{best[0]:g}/{best[1]:g}", _share(study.mean(success, best, group.which))]
        cells += [_db(study.mean(kept, best, group.which)), points(gain)]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""] if len(lines) > 4 else []


def _guideline_lines(found: Sequence[Guideline]) -> list[str]:
    lines = ["### The guidelines of Extended MGIE", "", "| guideline | verdict | compared | difference | n |"]
    lines.append("|---|---|---|---|---|")
    for guideline in found:
        claim, verdict = guideline.claim, f"**{guideline.verdict}**"
        for comparison in guideline.comparisons:
            cells = [claim, verdict, comparison.what, _difference(comparison), str(comparison.edits)]
            lines.append(f"| {' | '.join(cells)} |")
            claim = verdict = ""
    return [*lines, ""]


def _advice_lines(report: StudyReport) -> list[str]:
    lines = ["### What auto does", ""]
    if not report.table.rules:
        lines += [
            "No group of edits was surely better off with another pair: auto stays with the model's own.",
            "",
        ]
    else:
        lines += [
            "| wish | pictures | text/image CFG | gain in score where it was found | n |",
            "|---|---|---|---|---|",
        ]
        lines += [_rule_line(rule) for rule in report.table.rules] + [""]
    checks = [(name, found) for name, found in checks_of(report) if found[0][1]]
    if checks:
        lines += ["On held-out edits (gains over the model's own pair, edit by edit):", ""]
        lines += ["| strengths | success | gain | score | gain |", "|---|---|---|---|---|"]
        for name, found in checks:
            by = dict(found)
            lines.append(f"| {name} | {_of(by['success'])} | {_of(by['score'])} |")
    return lines


def _rule_line(rule: StrengthRule) -> str:
    gain = Figure(*rule.gain)
    pair = f"{rule.text_cfg:g}/{rule.image_cfg:g}"
    return f"| {rule.kind or 'any'} | {rule.pictures} | {pair} | {points(gain)} | {rule.edits} |"


def _of(found: HeldOutCheck | None) -> str:
    return f"{_share(found.mean)} | {points(found.over_own, 2)}" if found else "– | –"


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
