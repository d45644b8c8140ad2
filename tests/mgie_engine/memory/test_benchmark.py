"""`benchmarks/modes.py` on a tiny checkpoint: made, converted, loaded, edited with, compared."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_benchmark_of_the_modes_runs_from_beginning_to_end():
    command = [sys.executable, "-m", "benchmarks.modes", "--tiny", "--device", "cpu", "--steps", "1"]
    done = subprocess.run(
        [*command, "--modes", "int8"],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    *lines, last = done.stdout.splitlines()
    report = json.loads(last)
    assert lines[0].startswith("| mode | loading |")
    assert [cost["mode"] for cost in report["modes"]] == ["int8"]
    assert not any(cost["problem"] for cost in report["modes"])
    assert report["modes"][0]["cosine"] == 1
    assert report["converting_s"] >= 0
