"""Throughput of the bot's pool of engine processes at full size, with 1, 2, … GPUs.

    python -m benchmarks.pool                   random weights of full size: 17 GB of disk, every GPU
    python -m benchmarks.pool --gpus 1 4 --seconds 60 --folder /somewhere
    python -m benchmarks.pool --tiny            on a CPU: small weights, and processes in place of GPUs

For each number a queue and a pool are started as the bot starts them. Thirty-two users per GPU ask through
the queue, each for the next edit as soon as the last one is there. Edits are counted for a while, after every
device has been warmed up. `times` is the throughput divided by that of the first number. Ends in one line of
JSON.
"""

import argparse
import asyncio
import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for when this is run as a script

import torch

from benchmarks.full_size import make, picture
from benchmarks.modes import tiny
from conversations.settings import EditSettings
from mgie_engine.config import ModelConfig
from mgie_engine.edits import EditRequest
from mgie_engine.errors import ServiceClosed
from mgie_engine.install.full_size import FULL_SIZE
from mgie_engine.serving.device_plan import DevicePlan, plan_devices, visible_gpus
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.pool import engine_pool
from mgie_engine.serving.queue import QueueLimits
from mgie_engine.serving.service import EditService

START_WITHIN_S = 300.0
LOOK_S = 0.1


class Crowd:
    """Users who always want one more edit."""

    def __init__(self, service: EditService, image: bytes, steps: int) -> None:
        self._service, self._image, self._steps = service, image, steps
        self.done: list[tuple[float, float]] = []  # when an edit was there, and after how many seconds

    async def user(self, name: str) -> None:
        """Ask again and again, until cancelled or the service closes."""
        number = 0
        while True:
            number += 1
            began = time.monotonic()
            try:
                await self._service.submit_nowait(f"{name}.{number}", name, self._request(name)).result()
            except ServiceClosed:
                return
            self.done.append((time.monotonic(), time.monotonic() - began))

    def _request(self, name: str) -> EditRequest:
        settings = EditSettings(7.5, 1.5, self._steps, seed=7, sampler="dpmpp_2m", keep="off")
        return EditRequest(self._image, f"make ball number {name} red", settings)


async def measured(plans: Sequence[DevicePlan], image: bytes, given: argparse.Namespace) -> dict[str, Any]:
    """Throughput and waiting times of one pool, started and ended here."""
    choice = ModelChoice(str(given.folder), level=given.level, threads=given.threads)
    people = given.people * len(plans)
    began = time.monotonic()
    pool = engine_pool(choice, plans, None)
    async with EditService(pool, QueueLimits(waiting=10 * people)) as service:
        async with asyncio.timeout(START_WITHIN_S):
            await _until(lambda: all(device.ready for device in pool.devices))
        ready_s = time.monotonic() - began
        crowd = Crowd(service, image, given.steps)
        users = [asyncio.create_task(crowd.user(str(number))) for number in range(people)]
        # Everybody's first edit warms the devices up.
        await _until(lambda: len(crowd.done) >= people or any(user.done() for user in users))
        _raise_failure(users)
        crowd.done.clear()
        since = time.monotonic()
        await asyncio.sleep(given.seconds)
        until, done = time.monotonic(), list(crowd.done)
        _raise_failure(users)
        deaths, slots = sum(device.deaths for device in pool.devices), pool.slots
        for user in users:
            user.cancel()
    await asyncio.gather(*users, return_exceptions=True)
    waits = sorted(seconds for _, seconds in done) or [0.0]
    return {
        "people": people,
        "slots": slots,
        "ready_s": round(ready_s, 1),
        "edits": len(done),
        "edits_per_s": round(len(done) / (until - since), 3),
        "p50_s": round(statistics.median(waits), 2),
        "p99_s": round(waits[min(len(waits) - 1, int(0.99 * len(waits)))], 2),
        "deaths": deaths,
    }


async def _until(condition: Callable[[], bool]) -> None:
    while True:
        if condition():
            return
        await asyncio.sleep(LOOK_S)


def _raise_failure(users: Sequence[asyncio.Task[None]]) -> None:
    for user in users:
        if user.done():
            user.result()


async def compared(given: argparse.Namespace) -> dict[str, Any]:
    """Every number of GPUs, one after the other."""
    gpus = [] if given.tiny else await visible_gpus()
    if gpus:
        plans = plan_devices("auto", gpus)
    else:
        plans = [DevicePlan(f"cpu:{number}", "cpu") for number in range(max(given.gpus or (1, 2)))]
    counts = given.gpus or sorted({1, *(n for n in (2, 4, 8) if n <= len(plans)), len(plans)})
    side = ModelConfig.from_json((given.folder / "config.json").read_text()).picture_size
    shown = io.BytesIO()
    picture(side).save(shown, "PNG")
    pools: dict[str, Any] = {}
    for count in counts:
        if count <= len(plans):
            pools[str(count)] = await measured(plans[:count], shown.getvalue(), given)
            sys.stderr.write(json.dumps({str(count): pools[str(count)]}) + "\n")
    first = next(iter(pools.values()))["edits_per_s"]
    for found in pools.values():
        found["times"] = round(found["edits_per_s"] / first, 3) if first else None
    return pools


def main() -> None:
    """Make a checkpoint, measure, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    on_gpu = torch.cuda.is_available()
    parser.add_argument("--tiny", action=argparse.BooleanOptionalAction, default=not on_gpu)
    parser.add_argument("--folder", type=Path, help="kept afterwards; a temporary one if left out")
    parser.add_argument("--gpus", type=int, nargs="+", help="how many; 1, 2, 4, … if left out")
    parser.add_argument("--people", type=int, default=32, help="for each GPU")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30 if on_gpu else 10, help="of counting")
    parser.add_argument("--level", default="auto")
    parser.add_argument("--threads", type=int, help="of each process; the cores are shared if left out")
    given = parser.parse_args()
    device = torch.device("cpu" if given.tiny else "cuda")
    with tempfile.TemporaryDirectory(prefix="mgie-pool-") as scratch:
        given.folder = given.folder or Path(scratch)
        make(given.folder, tiny() if given.tiny else FULL_SIZE, device)
        name = torch.cuda.get_device_name(0) if device.type == "cuda" else "cpu"
        report: dict[str, Any] = {"benchmark": "pool", "device": name, "cores": os.cpu_count()}
        report |= {
            "steps": given.steps,
            "people_per_gpu": given.people,
            "pools": asyncio.run(compared(given)),
        }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
