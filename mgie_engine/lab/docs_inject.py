"""Writes figures into pages of the documentation, between two marks."""

from collections.abc import Mapping
from pathlib import Path

from conversations.atomic_write import write_atomically
from mgie_engine.errors import DataError


def write_docs(page: Path, name: str, markdown: str, charts: Mapping[str, str]) -> None:
    """Replace the text between a page's marks of that name, and write charts into images/ beside the page.

    charts: SVG by file name. DataError if the page has no such marks.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = page.read_text("utf-8")
    if begin not in text or end not in text:
        raise DataError(f"{page} has no place for this: {begin} and {end}.")
    before, after = text.partition(begin)[0], text.partition(end)[2]
    write_atomically(page, f"{before}{begin}\n\n{markdown.strip()}\n\n{end}{after}".encode())
    for file, svg in charts.items():
        write_atomically(page.parent / "images" / file, svg.encode())
