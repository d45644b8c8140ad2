"""`mgie study` with a true model of random weights."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from mgie_engine.checkpoints import native
from mgie_engine.cli import main
from mgie_engine.lab.study.command import pairs_to_try
from mgie_engine.lab.study.fit import worth_checking
from mgie_engine.lab.study.statistics import Study
from mgie_engine.lab.study.sweep_results import HELD_OUT, read_sweep
from mgie_engine.lab.study.tasks import worded_tasks
from mgie_engine.strengths import PUBLISHED, TABLE, StrengthTable, read_table
from tests.support.fakes import a_picture
from tests.support.tiny_serving import a_tiny_mgie

QUICK = (
    "--text",
    "2",
    "3",
    "--image",
    "1.2",
    "--steps",
    "1",
    "--batch",
    "4",
    "--first",
    "0",
    "--device",
    "cpu",
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model whose own strengths are the first of those that are tried."""
    place, mgie = tmp_path_factory.mktemp("model"), a_tiny_mgie()
    defaults = replace(mgie.config.defaults, text_cfg=2.0, image_cfg=1.2)
    # The toy vocabulary cuts words small, so the longest instructions need room.
    mgie.config = replace(mgie.config, defaults=defaults, max_new_tokens=64)
    native.save(mgie, place)
    return place


def study(folder, model, *flags):
    return main(["study", str(folder), "--model", str(model), "--threads", "1", *QUICK, *flags])


@pytest.fixture(scope="module")
def studied(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    assert study(folder, model, "--edits", "4", "--held-out", "3", "--worded", "2", "--published") == 0
    return folder


def test_every_edit_is_painted_under_every_pair_and_reported(studied):
    report = json.loads((studied / "report.json").read_text())
    cells = list(read_sweep(studied / "cells.jsonl"))
    assert len({cell.key for cell in cells}) == len(cells) == report["paintings"]
    parts = [cell.subject.part for cell in cells if cell.strengths in ((2.0, 1.2), (3.0, 1.2))]
    assert [parts.count(part) for part in ("validation", "short", "long")] == [8, 2, 2]
    table = StrengthTable.from_json((studied / TABLE).read_text())
    needed = worth_checking(Study(cells, table.own), table)
    held_out = Counter(cell.strengths for cell in cells if cell.subject.part == HELD_OUT)
    assert held_out == dict.fromkeys((*needed, PUBLISHED), 3)
    assert len(report["guidelines"]) == 7
    assert report["held_out"].keys() >= {"own", "published (7.5/1.5)", "auto"}


def test_there_are_words_a_picture_and_a_table(studied):
    words = (studied / "report.md").read_text()
    assert "The guidelines of Extended MGIE" in words
    assert (studied / "strengths-all.svg").read_text().count("<svg") == 1
    assert StrengthTable.from_json((studied / TABLE).read_text()).own == (2.0, 1.2)


def test_a_study_goes_on_where_it_was_stopped(studied, model, tmp_path):
    lines = (studied / "cells.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "plan.json").write_bytes((studied / "plan.json").read_bytes())
    (tmp_path / "cells.jsonl").write_bytes(b"".join(lines[:3]) + lines[3][:40])
    assert study(tmp_path, model, "--edits", "4") == 0
    again = list(read_sweep(tmp_path / "cells.jsonl"))
    before = list(read_sweep(studied / "cells.jsonl"))
    assert again[:3] == before[:3]
    assert len(again) == 8
    assert {cell.key for cell in again} <= {cell.key for cell in before}


def test_a_report_alone_paints_nothing(studied, model):
    before = (studied / "cells.jsonl").read_bytes()
    assert study(studied, model, "--edits", "9", "--report-only") == 0
    assert (studied / "cells.jsonl").read_bytes() == before


def test_another_plan_in_the_same_folder_is_refused(studied, model, capsys):
    assert study(studied, model, "--steps", "2") == 1
    assert "was begun with" in capsys.readouterr().err


def test_what_was_found_can_be_put_where_auto_looks_for_it(studied, model):
    assert read_table(model) is None
    assert study(studied, model, "--report-only", "--install") == 0
    assert read_table(model) == StrengthTable.from_json((studied / TABLE).read_text())
    (model / TABLE).unlink()


def test_a_page_of_the_docs_gets_the_report_between_its_marks(studied, model, tmp_path):
    page = tmp_path / "strengths.md"
    page.write_text("# Ours\n<!-- study: begin -->\nold\n<!-- study: end -->\nours too\n")
    assert study(studied, model, "--report-only", "--docs", str(page)) == 0
    text = page.read_text()
    assert text.startswith("# Ours\n")
    assert text.endswith("ours too\n")
    assert "old" not in text
    assert (tmp_path / "images" / "strengths-all.svg").is_file()


def test_a_page_without_marks_is_left_alone(studied, model, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("# Ours\n")
    assert study(studied, model, "--report-only", "--docs", str(page)) == 1
    assert page.read_text() == "# Ours\n"


def test_in_a_race_the_worse_pairs_are_dropped_and_the_models_own_stays(model, tmp_path):
    assert study(tmp_path, model, "--edits", "12", "--text", "2", "3", "4", "5", "--race") == 0
    tried = [cell.strengths for cell in read_sweep(tmp_path / "cells.jsonl")]
    counts = sorted(tried.count(pair) for pair in set(tried))
    assert tried.count((2.0, 1.2)) == 12
    assert counts[0] == 3
    assert counts[-1] == 12


def test_pictures_of_yours_are_studied_with_and_without_goals(model, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, colour in (("a.png", "teal"), ("b.png", "red")):
        (photos / name).write_bytes(a_picture(40, 30, colour))
    (photos / "instructions.tsv").write_text("# mine\na.png\tmake it red\tb.png\n\nb.png\tmake it dark\n")
    assert study(tmp_path / "out", model, "--pictures", str(photos)) == 0
    cells = list(read_sweep(tmp_path / "out" / "cells.jsonl"))
    assert [cell.delivered.success is None for cell in cells] == [False, False, True, True]
    assert all(cell.subject.part == "pictures" for cell in cells)


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        (None, "has no instructions.tsv"),
        ("a.png make it red\n", "separated by a tab"),
        ("gone.png\tmake it red\n", "There is no picture"),
    ],
)
def test_a_folder_that_cannot_be_read_is_said_in_one_sentence(model, tmp_path, capsys, listed, sentence):
    if listed is not None:
        (tmp_path / "instructions.tsv").write_text(listed)
    assert study(tmp_path / "out", model, "--pictures", str(tmp_path)) == 1
    assert sentence in capsys.readouterr().err


def test_a_pair_out_of_range_is_refused(model, tmp_path, capsys):
    assert study(tmp_path, model, "--text", "99") == 1
    assert "text_cfg must be between" in capsys.readouterr().err


def test_without_axes_pairs_lie_around_the_models_own():
    pairs = pairs_to_try(None, None, (2.0, 1.2))
    assert pairs[0] == (2.0, 1.2)
    assert len(pairs) == len(set(pairs)) == 12
    assert {pair[1] for pair in pairs} == {1.0, 1.2, 1.6}


def test_the_same_instruction_is_asked_in_few_and_in_many_words():
    short, long = worded_tasks(32, 0, 1)
    assert short.subject.wording.words < long.subject.wording.words
    assert short.subject.name == long.subject.name
    assert short.goal is not None
    assert long.goal is not None
    assert short.goal.equal(long.goal)
    assert short.picture.tobytes() == long.picture.tobytes()
