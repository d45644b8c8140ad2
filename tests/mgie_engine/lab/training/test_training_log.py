"""What a run tells on its way."""

import json

import pytest
from PIL import Image

from mgie_engine.lab.training.training_log import TrainingLog


def logged(folder):
    return [json.loads(line)["step"] for line in (folder / "full.jsonl").read_text().splitlines()]


def test_a_run_that_goes_on_tells_nothing_twice(tmp_path):
    training_log = TrainingLog(tmp_path, "full")
    for step in (10, 20, 30):
        training_log.scalars(step, {"total": 1 / 3})
    training_log.forget_after(20)
    assert logged(tmp_path) == [10, 20]


def test_only_the_first_process_speaks(tmp_path):
    silent = TrainingLog(tmp_path / "nothing", "full", shown=False)
    silent.scalars(1, {"total": 1.0})
    silent.picture(1, "samples", Image.new("RGB", (2, 2)))
    silent.forget_after(0)
    assert not (tmp_path / "nothing").exists()


def test_tensorboard_gets_the_same_points(tmp_path):
    pytest.importorskip("tensorboard")
    training_log = TrainingLog(tmp_path, "full")
    training_log.scalars(1, {"total": 1.0})
    training_log.picture(1, "samples", Image.new("RGB", (2, 2)))
    assert list((tmp_path / "tensorboard" / "full").glob("events.*"))
