"""Loads mutated model folders, each in a process that may die of it: a part of `hostile.py`."""

import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.mutations import mutated, mutated_json
from benchmarks.process_watch import MemoryWatch

HANG_S = 30.0
_CHILD = "from benchmarks.hostile_models import load_all; load_all()"
_ROOT = Path(__file__).parents[1]


async def read_models(count: int, seed: int) -> dict[str, Any]:
    """Load `count` mutated folders; how many were refused, loaded, crashed or hung."""
    found: Counter[str] = Counter()
    most_mib, number = [0.0], 0
    with tempfile.TemporaryDirectory() as folder:
        while number < count:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _CHILD, folder, str(seed), str(number), str(count)),
                cwd=_ROOT,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            assert process.stdout is not None
            await process.stdout.readline()  # libraries are imported
            with MemoryWatch(process.pid) as watch:
                number = await _follow(process, number, found)
            most_mib.append(watch.figures()["over_idle_mib"])
    return {"files": count, **found, "over_idle_mib": max(most_mib)}


async def _follow(process: asyncio.subprocess.Process, number: int, found: Counter[str]) -> int:
    """Read the child's answers until it ends; the number of the first folder it did not answer."""
    assert process.stdout is not None
    while True:
        try:
            async with asyncio.timeout(HANG_S):
                line = await process.stdout.readline()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            found["hangs"] += 1
            return number + 1
        if not line:
            if await process.wait():
                found["crashes"] += 1
                return number + 1
            return number
        answer = json.loads(line)
        found[answer["outcome"]] += 1
        if answer["outcome"] == "crashes":
            sys.stderr.write(f"model {number}: {answer['error']}\n")
        number += 1


def load_all() -> None:
    """In the child: make each folder, load it, and write a line about it."""
    from mgie_engine.checkpoints import native
    from tests.support.tiny_model import model

    folder, (seed, first, count) = Path(sys.argv[1]), map(int, sys.argv[2:])
    good = folder / "good"
    if not good.exists():
        native.save(model(), good)
    _say("ready")
    for number in range(first, count):
        broken = folder / f"broken-{number}"
        shutil.copytree(good, broken)
        _break(broken, random.Random(f"{seed} model {number}"))
        _say(*_outcome(broken))
        shutil.rmtree(broken)


def _break(folder: Path, chance: random.Random) -> None:
    file = chance.choice(sorted(folder.iterdir()))
    if file.suffix == ".json" and chance.random() < 0.7:
        file.write_text(mutated_json(file.read_text("utf-8"), chance), "utf-8")
    else:
        file.write_bytes(mutated(file.read_bytes(), chance, [b"{}[]\0\xff"]))


def _outcome(folder: Path) -> tuple[str, str, float]:
    """What loading it led to, the raw error if there was one, and the seconds it took."""
    from mgie_engine.checkpoints import native
    from mgie_engine.config import ModelLocation
    from mgie_engine.errors import ModelError

    began_s = time.monotonic()
    try:
        native.load_model(ModelLocation("broken", folder, "ours"))
        outcome, error = "loaded", ""
    except ModelError:
        outcome, error = "refused", ""
    except Exception as raw:
        outcome, error = "crashes", repr(raw)
    return outcome, error, time.monotonic() - began_s


def _say(outcome: str, error: str = "", seconds: float = 0.0) -> None:
    line = json.dumps({"outcome": outcome, "error": error, "seconds": round(seconds, 2)})
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
