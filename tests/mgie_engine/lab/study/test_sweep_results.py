"""What a study keeps on disk."""

from dataclasses import replace

import pytest

from mgie_engine.errors import DataError
from mgie_engine.lab.study.sweep_results import SweepOutcome, append_sweep, read_sweep
from tests.support.study_cells import a_cell, a_subject

CELL = a_cell(a_subject())
OTHER = a_cell(replace(a_subject(1), things=None), (7.0, 2.0), kept_db=None, seed=3)


def test_paintings_survive_their_file(tmp_path):
    append_sweep(tmp_path / "cells.jsonl", [CELL])
    append_sweep(tmp_path / "cells.jsonl", [OTHER])
    assert list(read_sweep(tmp_path / "cells.jsonl")) == [CELL, OTHER]


def test_no_file_holds_no_paintings(tmp_path):
    assert list(read_sweep(tmp_path / "cells.jsonl")) == []


def test_a_line_cut_off_by_a_kill_is_left_out_and_then_replaced(tmp_path):
    file = tmp_path / "cells.jsonl"
    append_sweep(file, [CELL, OTHER])
    file.write_bytes(file.read_bytes()[:-20])
    assert list(read_sweep(file)) == [CELL]
    append_sweep(file, [OTHER])
    assert list(read_sweep(file)) == [CELL, OTHER]


def test_a_line_that_is_no_painting_is_named(tmp_path):
    file = tmp_path / "cells.jsonl"
    file.write_text(CELL.to_json() + "\n{}\n")
    with pytest.raises(DataError, match="line 2"):
        list(read_sweep(file))


@pytest.mark.parametrize(
    ("outcome", "closeness"),
    [
        (SweepOutcome(0.1, True, 0.2), 0.8),
        (SweepOutcome(0.1, False, 3.0), 0.0),
        (SweepOutcome(0.0, True, 0.0), 1.0),
        (SweepOutcome(0.1, False, 0.0), 0.0),
        (SweepOutcome(0.1), None),
    ],
    ids=["most of the way", "away from it", "rightly idle", "wrongly busy", "no goal"],
)
def test_closeness_is_the_share_of_the_way(outcome, closeness):
    assert outcome.closeness == closeness
