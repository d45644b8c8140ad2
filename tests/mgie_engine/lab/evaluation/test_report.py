"""Reports."""

import json
import re

from PIL import Image

from mgie_engine.lab.evaluation.report import (
    EvaluationReport,
    ReportCase,
    ReportRow,
    to_html,
    to_json,
    to_markdown,
)

EVIL = "<script>alert('x')</script> & \"more\""
ROW = ReportRow("a/a_1", EVIL, EVIL, ("single-turn",), {"l1": 0.25, "cts": None})
REPORT = EvaluationReport(
    f"{EVIL} on files",
    {"editor": EVIL, "seed": 0},
    {"l1": "lower", "cts": "higher"},
    {"single-turn": {"cases": 1, "l1": 0.25, "cts": None}},
    [ROW],
)
PICTURES = {"edit": Image.new("RGB", (600, 300), "red"), EVIL: Image.new("RGB", (3, 2))}


def test_json_holds_everything():
    data = json.loads(to_json(REPORT))
    assert data["means"]["single-turn"] == {"cases": 1, "l1": 0.25, "cts": None}
    assert data["cases"][0]["instruction"] == EVIL
    assert data["cases"][0]["values"] == {"l1": 0.25, "cts": None}


def test_markdown_is_a_table_of_means():
    assert "| | cases | l1 ↓ | cts ↑ |" in to_markdown(REPORT)
    assert "| single-turn | 1 | 0.2500 | – |" in to_markdown(REPORT)


def test_what_people_wrote_is_no_markup_on_the_page():
    page = to_html(REPORT, [ReportCase(ROW, PICTURES)])
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 7


def test_the_page_needs_nothing_but_itself():
    page = to_html(REPORT, [ReportCase(ROW, PICTURES)])
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(addresses) == 2
    assert all(address.startswith("data:image/webp;base64,") for address in addresses)
    assert "default-src 'none'" in page


def test_a_page_may_have_no_pictures():
    assert "<section>" not in to_html(REPORT, [])
