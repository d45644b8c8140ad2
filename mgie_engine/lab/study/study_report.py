"""The report of a study: as a value, as JSON, and as heat maps."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from mgie_engine.lab.charts import HeatMapPanel, heat_maps
from mgie_engine.lab.study.fit import HeldOutCheck, best_fixed, check_auto, check_fixed, fit
from mgie_engine.lab.study.groups import EditGroup, edit_groups
from mgie_engine.lab.study.guidelines import Guideline, guidelines
from mgie_engine.lab.study.statistics import (
    Measure,
    Study,
    SubjectFilter,
    kept,
    kept_delivered,
    moved,
    score,
    success,
    success_raw,
)
from mgie_engine.strengths import PUBLISHED, StrengthTable

MEASURES: tuple[tuple[str, Measure], ...] = (
    ("success", success),
    ("success as painted", success_raw),
    ("what stays, as painted (dB)", kept),
    ("what stays, delivered (dB)", kept_delivered),
    ("score", score),
)


@dataclass(frozen=True, slots=True)
class StudyReport:
    """Everything in the report of a study."""

    model: str
    study: Study
    table: StrengthTable
    guidelines: tuple[Guideline, ...]
    took: str = ""  # settings of the run

    @classmethod
    def of(cls, study: Study, model: str, weights: str, took: str = "") -> "StudyReport":
        """Fit the table and test the guidelines; `weights` is the fingerprint of the model's weights."""
        table = replace(fit(study, model), weights=weights)
        return cls(model, study, table, guidelines(study), took)


# --- heat maps ---


def maps(report: StudyReport) -> Iterator[tuple[str, str]]:
    """A name and an SVG per family of groups: success and what stays, or without goals the change."""
    families: dict[str, list[HeatMapPanel]] = {}
    for group in edit_groups(report.study):
        panels = [
            _panel(report, group, ("success, delivered (%)", 0, 100), success, 100),
            _panel(report, group, ("what stays, as painted (dB)", 15, 40), kept),
        ]
        if not panels[0].values:
            panels = [_panel(report, group, ("how much moved (%)", 0, 25), moved, 100)]
        if panels[0].values:
            families.setdefault(group.family, []).extend(panels)
    for family, panels in families.items():
        yield family, heat_maps(f"{report.model}: {family}", panels, report.study.own)


def _panel(
    report: StudyReport, group: EditGroup, axis: tuple[str, float, float], measure: Measure, scale: float = 1
) -> HeatMapPanel:
    title, low, high = axis
    means = report.study.means(measure, group.which)
    values = {pair: scale * mean.mean for pair, mean in means.items()}
    return HeatMapPanel(f"{group.name}: {title}", values, low, high)


def file_name(family: str) -> str:
    """The name of a family's heat maps."""
    return f"strengths-{family}.svg"


# --- JSON ---


def to_json(report: StudyReport) -> str:
    """All figures, each [mean, low, high]."""
    study = report.study
    figures = {
        "model": report.model,
        "own": study.own,
        "took": report.took,
        "edits": len(study.subjects),
        "paintings": len(study),
        "busy_from": study.busy_from,
        "groups": {group.name: list(_pairs(study, group.which)) for group in edit_groups(study)},
        "guidelines": [_guideline(found) for found in report.guidelines],
        "table": asdict(report.table),
        "held_out": {
            name: {measure: _check(found) for measure, found in checks} for name, checks in checks_of(report)
        },
    }
    return json.dumps(figures, indent=1) + "\n"


def _pairs(study: Study, which: SubjectFilter) -> Iterator[dict[str, Any]]:
    for pair in study.strengths:
        edits = len(study.values(moved, pair, which))
        if edits:
            means = {name: study.mean(measure, pair, which) for name, measure in MEASURES}
            figures = {name: mean.listed() if mean else None for name, mean in means.items()}
            yield {"text_cfg": pair[0], "image_cfg": pair[1], "edits": edits, **figures}


def _guideline(found: Guideline) -> dict[str, Any]:
    comparisons = [
        {
            "what": c.what,
            "found": c.found.listed() if c.found else None,
            "edits": c.edits,
            "floor": c.floor,
            "verdict": c.verdict,
        }
        for c in found.comparisons
    ]
    return {"claim": found.claim, "verdict": found.verdict, "comparisons": comparisons}


def checks_of(report: StudyReport) -> Iterator[tuple[str, list[tuple[str, HeldOutCheck | None]]]]:
    """The ways to choose strengths, by the measures, on the held-out edits."""
    study = report.study
    fixed = best_fixed(study)
    named = (("best fixed", fixed), ("published", PUBLISHED))
    pairs = {"own": study.own} | {
        f"{name} ({text:g}/{image:g})": (text, image) for name, (text, image) in named
    }
    for name, pair in pairs.items():
        yield name, [(m, check_fixed(study, measure, pair)) for m, measure in MEASURES]
    yield "auto", [(m, check_auto(study, measure, report.table)) for m, measure in MEASURES]


def _check(found: HeldOutCheck | None) -> dict[str, Any] | None:
    return {"mean": found.mean.listed(), "over_own": found.over_own.listed()} if found else None
