"""mgie-mini on a CPU before and after: edits of two trees in turn, so that both meet the same machine.

    python -m benchmarks.before_after                  against the tree before the levels (9d23b9d); 3 minutes
    python -m benchmarks.before_after COMMIT --rounds 4

The commit is checked out to a temporary folder. Both trees load the weights of that commit, in a process
each, which waits while the other works. Every round makes one edit alone, then two at once, in each tree; the
tree that begins changes from round to round. Ends in one line of JSON: medians, in seconds of the clock and
of processor for each edit. Where others use the machine, only the latter say something.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BEFORE = "9d23b9d"  # the last commit before the levels exact, same and fast
WEIGHTS = Path("mgie_engine") / "weights" / "mgie-mini"
AT_ONCE = (1, 2)


def main() -> None:
    """Compare, or be one of the two trees' workers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commit", nargs="?", default=BEFORE)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.work, given.steps)
        return
    report: dict[str, Any] = {"benchmark": "before_after", "commit": given.commit, "cores": os.cpu_count()}
    if not has_commit(given.commit):
        sys.stdout.write(json.dumps(report | {"skipped": "this clone has no such commit"}) + "\n")
        return
    with tempfile.TemporaryDirectory(prefix="mgie-before-") as scratch:
        before = Path(scratch)
        check_out(given.commit, before)
        with worker(before, before, given.steps) as first, worker(ROOT, before, given.steps) as second:
            costs = compared({"before": first, "after": second}, given.rounds)
    report |= {"steps": given.steps, "rounds": given.rounds}
    sys.stdout.write(json.dumps(report | {"at_once": costs}) + "\n")


def has_commit(commit: str) -> bool:
    """Whether git knows it here; a shallow clone may not."""
    found = subprocess.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=ROOT, capture_output=True)
    return found.returncode == 0


def check_out(commit: str, folder: Path) -> None:
    """The tree of a commit as files."""
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")


@contextmanager
def worker(tree: Path, weights: Path, steps: int) -> Iterator[subprocess.Popen[str]]:
    """A process that imports from `tree` and has the model loaded."""
    command = [sys.executable, __file__, "--work", str(weights / WEIGHTS), "--steps", str(steps)]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tree, env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        asked(process, 1)  # loads and warms up before the other one starts
        yield process
        process.stdin.close()


def asked(process: subprocess.Popen[str], at_once: int) -> dict[str, float]:
    """Have so many edits made at once; what the process says about them."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{at_once}\n")
    process.stdin.flush()
    found: dict[str, float] = json.loads(process.stdout.readline())
    return found


def compared(trees: dict[str, subprocess.Popen[str]], rounds: int) -> dict[str, Any]:
    """Medians for each number of edits at once and each tree."""
    costs: dict[tuple[int, str], list[dict[str, float]]] = {}
    for number in range(rounds):
        order = list(trees) if number % 2 == 0 else list(trees)[::-1]
        for at_once in AT_ONCE:
            for name in order:
                cost = asked(trees[name], at_once)
                costs.setdefault((at_once, name), []).append(cost)
                sys.stderr.write(json.dumps({"tree": name, "at_once": at_once} | cost) + "\n")
    return {
        str(at_once): {name: _medians(costs[at_once, name], at_once) for name in trees} for at_once in AT_ONCE
    }


def _medians(costs: list[dict[str, float]], at_once: int) -> dict[str, float]:
    wall_s, cpu_s = (statistics.median(cost[key] for cost in costs) for key in ("wall_s", "cpu_s"))
    return {
        "latency_s": round(wall_s, 3),
        "edits_per_s": round(at_once / wall_s, 3),
        "cpu_s_per_edit": round(cpu_s / at_once, 3),
    }


def work(weights: Path, steps: int) -> None:
    """Make as many edits at once as each line of the input says; a line of JSON for each."""
    from PIL import Image

    from conversations.settings import EditSettings
    from mgie_engine.edits import EditRequest, EditResult
    from mgie_engine.serving.loader import ModelChoice

    ramp = Image.linear_gradient("L")
    colours = Image.merge("RGB", (ramp, ramp.rotate(90), Image.radial_gradient("L"))).resize((512, 512))
    file = io.BytesIO()
    colours.save(file, "PNG")
    settings = EditSettings(7.5, 1.5, steps, seed=7, sampler="euler_ancestral")
    request = EditRequest(file.getvalue(), "blur it", settings)  # no exact adjustment: it is painted
    engine = ModelChoice(str(weights), device="cpu").build()
    for line in sys.stdin:
        began, cpu_began = time.monotonic(), time.process_time()
        for key in range(int(line)):
            engine.admit(key, request)
        results = list[EditResult]()
        while engine.busy:
            results += [news for _, news in engine.step() if isinstance(news, EditResult)]
        assert all("painting" in result.seconds for result in results)
        assert len(results) == int(line)
        cost = {"wall_s": time.monotonic() - began, "cpu_s": time.process_time() - cpu_began}
        cost |= results[-1].seconds
        sys.stdout.write(json.dumps({name: round(value, 3) for name, value in cost.items()}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
