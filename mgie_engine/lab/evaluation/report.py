"""An evaluation as JSON, as Markdown, and as one HTML page with its pictures inside. Knows no torch."""

import base64
import html
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

Value = float | None
_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .3rem .8rem; text-align: right; border-bottom: 1px solid #ccc }
th:first-child, td:first-child { text-align: left }
section { border-top: 1px solid #ccc; padding: 1rem 0 }
figure { display: inline-block; margin: 0 1rem 0 0 }
figcaption { color: #555; font-size: 13px }
q, .said { display: block }
.said, dl { color: #333 }
""".strip()
_SAFE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # the page runs and fetches nothing


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A case as it is shown."""

    name: str
    instruction: str
    expressive: str
    groups: tuple[str, ...]
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """What was found. `means` are by group; `better` says of each metric which way is good."""

    title: str
    told: Mapping[str, Any]  # what was measured, and how it was set
    better: Mapping[str, str]
    means: Mapping[str, Mapping[str, Value]]
    rows: Sequence[ReportRow]


@dataclass(frozen=True, slots=True)
class ReportCase:
    """A case with the pictures for the page."""

    row: ReportRow
    pictures: Mapping[str, Image.Image]  # by what is written below them


def to_json(report: EvaluationReport) -> str:
    """Everything, for programs."""
    rows = [
        {"name": row.name, "instruction": row.instruction, "expressive": row.expressive}
        | {"groups": list(row.groups), "values": dict(row.values)}
        for row in report.rows
    ]
    told = {"title": report.title, "told": dict(report.told), "better": dict(report.better)}
    means = {name: dict(values) for name, values in report.means.items()}
    return json.dumps(told | {"means": means, "cases": rows}, indent=2, ensure_ascii=False) + "\n"


def to_markdown(report: EvaluationReport) -> str:
    """The means, for people."""
    names = list(report.better)
    lines = [f"# {report.title}", "", *(f"- {key}: {value}" for key, value in report.told.items()), ""]
    lines += ["| | cases | " + " | ".join(map(_heading(report), names)) + " |"]
    lines += ["|---" * (len(names) + 2) + "|"]
    for group, means in report.means.items():
        cells = [group, f"{means['cases']}", *(figure(means[name]) for name in names)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def to_html(report: EvaluationReport, shown: Iterable[ReportCase]) -> str:
    """A page that needs nothing but itself: the means, and cases with pictures."""
    told = " · ".join(f"{key} {value}" for key, value in report.told.items())
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_SAFE}">',
        f"<title>{html.escape(report.title)}</title><style>{_STYLE}</style>",
        f"<h1>{html.escape(report.title)}</h1><p>{html.escape(told)}</p>",
        _means_table(report),
        *(_section(case) for case in shown),
    ]
    return "\n".join(parts) + "\n</html>\n"


def figure(value: Value) -> str:
    """A value for people."""
    return "–" if value is None else f"{value:.4f}"


def _heading(report: EvaluationReport) -> Any:
    return lambda name: f"{name} {'↓' if report.better[name] == 'lower' else '↑'}"


def _means_table(report: EvaluationReport) -> str:
    head = "".join(f"<th>{html.escape(_heading(report)(name))}</th>" for name in report.better)
    rows = ""
    for group, means in report.means.items():
        cells = "".join(f"<td>{figure(means[name])}</td>" for name in report.better)
        rows += f"<tr><td>{html.escape(group)}</td><td>{means['cases']}</td>{cells}</tr>"
    return f"<table><tr><th></th><th>cases</th>{head}</tr>{rows}</table>"


def _section(case: ReportCase) -> str:
    row = case.row
    figures = "".join(
        f'<figure><img alt="{html.escape(name)}" src="{_data_address(picture)}">'
        f"<figcaption>{html.escape(name)}</figcaption></figure>"
        for name, picture in case.pictures.items()
    )
    values = " · ".join(f"{html.escape(name)} {figure(value)}" for name, value in row.values.items())
    said = f'<span class="said">{html.escape(row.expressive)}</span>' if row.expressive else ""
    where = html.escape(f"{row.name} ({', '.join(row.groups)})")
    return (
        f"<section><h2>{where}</h2><q>{html.escape(row.instruction)}</q>{said}"
        f"<p>{figures}</p><p>{values}</p></section>"
    )


def _data_address(picture: Image.Image, side: int = 256) -> str:
    """A small copy of the picture as a data: address."""
    small = picture.convert("RGB")
    small.thumbnail((side, side))
    file = io.BytesIO()
    small.save(file, "WEBP", quality=85)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
