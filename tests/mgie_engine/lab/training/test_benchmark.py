"""`benchmarks/training.py` and `benchmarks/resuming.py` in toy size, from beginning to end."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def report(*command):
    """The last line of what a benchmark prints."""
    done = subprocess.run(
        [sys.executable, "-m", *command, "--tiny"],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_benchmark_of_training_runs_from_beginning_to_end():
    found = report("benchmarks.training")
    cases = [*found["mini"], *found["full"]]
    assert [case["case"] for case in cases] == ["4", "2 average"]
    assert all(case["step_s"] > 0 and case["cpu_ms"]["learn"] > 0 for case in cases)


def test_two_processes_that_share_the_networks_go_on_after_a_kill_as_if_nothing_had_happened():
    found = report("benchmarks.resuming", "--devices", "2", "--steps", "10")
    assert found["steps"] == 10
    assert found["steps_made_twice"] >= 2
    assert found["largest_difference"] == 0
