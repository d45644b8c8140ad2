"""Which devices get an engine process. Knows no torch.

`python -m mgie_engine.serving.device_plan` prints how many GPUs CUDA shows. The bot runs it as a child, so
that the driver's library is never loaded into the bot itself.
"""

import asyncio
import ctypes
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from conversations.child_process import small_environment

VISIBLE = "CUDA_VISIBLE_DEVICES"
COUNTING_S = 30.0  # CUDA starts within seconds, also on a machine with eight GPUs that sleep

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """The device of one engine process."""

    name: str  # for the operator: "cuda:1"
    device: str  # as the engine process names it
    environment: Mapping[str, str] = field(default_factory=dict)  # shows the process no other GPU


def plan_devices(wanted: str, gpus: Sequence[str]) -> list[DevicePlan]:
    """One device per engine process; `gpus`: what CUDA_VISIBLE_DEVICES calls each visible GPU.

    "auto" takes every GPU, "cuda" the first, "cuda:1" the second. What is not among them is left to the
    engine process, which finds a CPU for "auto" and says what is wrong with everything else.
    """
    every = [DevicePlan(f"cuda:{place}", "cuda", {VISIBLE: identity}) for place, identity in enumerate(gpus)]
    if wanted == "auto":
        chosen = every
    else:
        name = "cuda:0" if wanted == "cuda" else wanted
        chosen = [plan for plan in every if plan.name == name]
    return chosen or [DevicePlan(wanted, wanted)]


async def visible_gpus(environment: Mapping[str, str] = os.environ) -> list[str]:
    """What CUDA_VISIBLE_DEVICES calls each visible GPU; none where CUDA or a GPU is missing."""
    count = await _count_gpus()
    if named := environment.get(VISIBLE):
        return [name.strip() for name in named.split(",")][:count]
    return [str(number) for number in range(count)]


async def _count_gpus() -> int:
    command = (sys.executable, "-m", __name__)
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, env=small_environment("CUDA_", "NVIDIA_")
        )
    except OSError as error:
        log.warning("The GPUs could not be counted: %s", error)
        return 0
    try:
        async with asyncio.timeout(COUNTING_S):
            said, _ = await process.communicate()
    except TimeoutError:
        log.warning("The GPUs could not be counted within %.0f s.", COUNTING_S)
        return 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return int(said) if said.strip().isdigit() else 0


def count_by_driver() -> int:
    """How many GPUs the driver of CUDA shows to this process; 0 where there is no driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


if __name__ == "__main__":
    sys.stdout.write(f"{count_by_driver()}\n")
