"""The table of faults in docs/architecture.md names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_test_that_the_table_names_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = page.partition("| fault |")[2].splitlines()[2:]
    rows = [row.split("|")[3] for row in table if row.startswith("|")]
    assert len(rows) >= 12
    for cell in rows:
        folder = ROOT / "tests"
        for name in re.findall(r"`([^`]+)`", cell):
            path = folder / name if "/" not in name else ROOT / "tests" / name
            assert path.is_file(), name
            folder = path.parent  # a bare name is a neighbour of the one before
