"""The files of a study: its report, its heat maps, its table of advice, its place in the docs."""

from pathlib import Path

from conversations.atomic_write import write_atomically
from mgie_engine.lab.evaluation.docs_inject import inject
from mgie_engine.lab.study.markdown_tables import to_markdown
from mgie_engine.lab.study.study_report import StudyReport, file_name, maps, to_json
from mgie_engine.strengths import TABLE

PLACE = "study"  # between <!-- study: begin --> and <!-- study: end -->


def write_report(report: StudyReport, folder: Path) -> None:
    """report.json, report.md, strengths.json and the heat maps, in `folder`."""
    for name, svg in maps(report):
        write_atomically(folder / file_name(name), svg.encode())
    write_atomically(folder / "report.json", to_json(report).encode())
    write_atomically(folder / "report.md", to_markdown(report).encode())
    write_atomically(folder / TABLE, report.table.to_json().encode())


def write_docs(report: StudyReport, page: Path) -> None:
    """Put the report between the marks of a Markdown page, its heat maps into images/ beside it."""
    for name, svg in maps(report):
        write_atomically(page.parent / "images" / file_name(name), svg.encode())
    inject(page, PLACE, to_markdown(report, "images"))
