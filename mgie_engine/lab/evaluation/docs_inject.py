"""Writes figures into pages of the documentation, between two marks."""

from pathlib import Path

from conversations.atomic_write import write_atomically
from mgie_engine.errors import DataError


def inject(page: Path, name: str, markdown: str) -> None:
    """Replace the text between a page's marks of that name; DataError if it has none."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = page.read_text("utf-8")
    if begin not in text or end not in text:
        raise DataError(f"{page} has no place for this: {begin} and {end}.")
    before, after = text.partition(begin)[0], text.partition(end)[2]
    write_atomically(page, f"{before}{begin}\n\n{markdown.strip()}\n\n{end}{after}".encode())
