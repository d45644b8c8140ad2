"""`benchmarks/training.py` in toy size, from beginning to end."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_benchmark_of_training_runs_from_beginning_to_end():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training", "--tiny"],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    cases = [*report["mini"], *report["full"]]
    assert [case["case"] for case in cases] == ["4", "4 ready", "2", "2 average"]
    assert all(case["step_s"] > 0 and case["cpu_ms"]["learn"] > 0 for case in cases)
