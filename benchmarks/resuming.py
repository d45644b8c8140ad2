"""Does training at full size learn, and does it go on after a kill as if nothing had happened?

    python -m benchmarks.resuming                 MGIE-7B's size on one GPU: about 6 minutes, 35 GB of disk
    python -m benchmarks.resuming --devices 2     its networks shared by two
    python -m benchmarks.resuming --tiny          the same in seconds on any CPU; the default without a GPU

Prepares edits of the drawn world, trains on them from random weights, kills the run some steps after its save
and starts it again with the same command. Ends in one line of JSON: the losses at both ends, the largest
difference between the steps that were made twice, seconds a step, and memory.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import Any

import psutil
import torch

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # for when this is run as a script

from mgie_engine.lab.data.prepare import ShardConfig, with_history, write_shards  # noqa: E402
from tests.support.scene_examples import scene_examples  # noqa: E402

TOKENIZER = ROOT / "tests" / "mgie_engine" / "parity" / "published" / "tokenizer"
ENDS = 5  # steps at each end that are averaged
Record = dict[str, Any]


def main() -> None:
    """Prepare, train, kill, go on, report."""
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="mgie-resuming-") as scratch:
        folder = given.folder or Path(scratch)
        began = time.monotonic()
        side, count = (64, 64) if given.tiny else (256, 512)
        plan = ShardConfig(shard_size=64)
        write_shards(scene_examples(count, side), folder / "data", with_history, plan)
        preparing_s = time.monotonic() - began
        shutil.rmtree(folder / "run", ignore_errors=True)
        save_at = given.steps * 2 // 5
        first = killed(command(given, folder, save_at), folder / "run", save_at + given.steps // 5)
        subprocess.run(command(given, folder, save_at), cwd=ROOT, stdout=sys.stderr, check=True)
        second = records(folder / "run")
        size = sum(file.stat().st_size for file in (folder / "run").glob("checkpoint-*/*"))
    report = {"benchmark": "resuming", "device": _device(), "devices": given.devices}
    report |= {"preparing_s": round(preparing_s, 1), "checkpoint_gb": round(size / 1e9, 2)}
    sys.stdout.write(json.dumps(report | compared(first, second, save_at)) + "\n")


def command(given: argparse.Namespace, folder: Path, save_at: int) -> list[str]:
    """The training run, as a person would start it."""
    launch = [sys.executable, "-m", "accelerate.commands.launch", f"--num_processes={given.devices}"]
    launch += ["--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no"]
    # --multi_gpu starts several processes, on a CPU too.
    launch += ["--multi_gpu"] if given.devices > 1 else ["--cpu"] if not torch.cuda.is_available() else []
    recipe = [f"save_every={save_at}", "keep=1", "log_every=1", "warmup=0.1", "learning_rate=1e-4"]
    batch = given.batch_size * given.devices
    recipe += [f"options.micro_batch={given.batch_size}", "options.sample_every=0"]
    recipe += ["options.side=64", "precision='no'"] if given.tiny else []
    what = [
        "-m",
        "mgie_engine.lab.training",
        "full",
        "release",
        "--from",
        "random",
        "--tokenizer",
        str(TOKENIZER),
    ]
    what += ["--data", str(folder / "data"), "--folder", str(folder / "run")]
    what += ["--steps", str(given.steps), "--batch-size", str(batch), "--set", *recipe]
    sharing = ["--shard"] if given.devices > 1 else []
    return [*launch, *what, *sharing, *(["--tiny"] if given.tiny else [])]


def killed(command: list[str], run: Path, after: int) -> list[Record]:
    """Start a run, kill it with all its processes once it has told of a step, and give what it told."""
    child = subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr, stderr=subprocess.PIPE, text=True)
    for line in child.stderr or ():  # it logs a line a step
        sys.stderr.write(line)
        if any(record["step"] >= after for record in records(run)):
            launcher = psutil.Process(child.pid)  # its workers are sessions of their own, and would go on
            processes = [launcher, *launcher.children(recursive=True)]
            for process in processes:
                process.kill()
            psutil.wait_procs(processes)
            child.wait()
            return records(run)
    sys.exit(f"the run ended by itself with {child.wait()}")


def records(run: Path) -> list[Record]:
    """What a run has told so far, whole lines only."""
    file = run / "full.jsonl"
    lines = file.read_text().split("\n")[:-1] if file.is_file() else []
    return [json.loads(line) for line in lines]


def compared(first: list[Record], second: list[Record], save_at: int) -> Record:
    """The figures of the run that was killed and of the whole one."""
    again = {record["step"]: record["total"] for record in second}
    twice = [record for record in first if record["step"] > save_at]
    seconds = [60 * (b["minutes"] - a["minutes"]) for a, b in pairwise(second) if b["step"] > save_at + 2]
    totals = [record["total"] for record in second]
    return {
        "steps": len(second),
        "loss_at_first": round(mean(totals[:ENDS]), 4),
        "loss_at_last": round(mean(totals[-ENDS:]), 4),
        "steps_made_twice": len(twice),
        "next_loss": [twice[0]["total"], again[twice[0]["step"]]],
        "largest_difference": max(abs(record["total"] - again[record["step"]]) for record in twice),
        "step_s": round(median(seconds), 3),
        "peak_gib": round(max(record.get("memory_gib", 0.0) for record in second), 1),
    }


def _device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tiny = not torch.cuda.is_available()
    parser.add_argument("--tiny", action=argparse.BooleanOptionalAction, default=tiny)
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--batch-size", type=int, default=None, help="of a device (default: 16; 2 if tiny)")
    parser.add_argument("--folder", type=Path, help="kept afterwards; a temporary one if left out")
    given = parser.parse_args()
    given.batch_size = given.batch_size or (2 if given.tiny else 16)
    return given


if __name__ == "__main__":
    main()
