"""An evaluation as JSON, as Markdown, and as one HTML page with its pictures inside. Knows no torch."""

import base64
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from PIL import Image

from mgie_engine.lab.templating import render

Value = float | None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One case of a report."""

    name: str
    instruction: str
    expressive: str
    groups: tuple[str, ...]
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """The results. `means` are by group; `better` says for each metric whether higher or lower is better."""

    title: str
    params: Mapping[str, Any]  # the editor and its settings
    better: Mapping[str, str]
    means: Mapping[str, Mapping[str, Value]]
    cases: Sequence[ReportRow]


@dataclass(frozen=True, slots=True)
class ReportCase:
    """A case with the pictures for the page."""

    row: ReportRow
    pictures: Mapping[str, Image.Image]  # by caption


def to_json(report: EvaluationReport) -> str:
    """Everything, for programs."""
    return json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n"


def to_markdown(report: EvaluationReport) -> str:
    """The means, for people."""
    return render("evaluation.md", heading, figure, report=report)


def to_html(report: EvaluationReport, shown: Iterable[ReportCase]) -> str:
    """A page without external resources: the means, and cases with pictures."""
    return render("evaluation.html", heading, figure, data_url, report=report, shown=shown)


def figure(value: Value) -> str:
    """A value with four digits; "–" where there is none."""
    return "–" if value is None else f"{value:.4f}"


def heading(report: EvaluationReport, name: str) -> str:
    """A metric with an arrow in the direction that is better."""
    return f"{name} {'↓' if report.better[name] == 'lower' else '↑'}"


def data_url(picture: Image.Image, side: int = 256) -> str:
    """A copy of the picture of at most `side` pixels as a data: URL."""
    small = picture.convert("RGB")
    small.thumbnail((side, side))
    file = io.BytesIO()
    small.save(file, "WEBP", quality=85)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
