"""What reading a picture costs in its bounded child process, beside reading it in this process.

    python benchmarks/decode.py [--rounds 40]

Reads a small PNG and a 2-megapixel JPEG both ways in turn, after a few rounds to warm up. Ends in one line of
JSON: medians in milliseconds, and the mean milliseconds of processor time, which other processes on the
machine hardly change; that of children is included.
"""

import argparse
import io
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import psutil
from PIL import Image

from conversations.images.decode import PictureLimits, decode
from conversations.images.formats import sniff
from conversations.images.sandbox import read_picture

WARM_UP = 3
SIZES = {"small_png": (320, 240, "PNG"), "jpeg_2_megapixels": (1632, 1224, "JPEG")}


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    files = {name: a_file(*size) for name, size in SIZES.items()}
    report: dict[str, Any] = {"benchmark": "decode", "cores": os.cpu_count(), "rounds": rounds}
    for name, data in files.items():
        report[name] = measure(data, rounds)
    sys.stdout.write(json.dumps(report) + "\n")


def a_file(width: int, height: int, kind: str) -> bytes:
    """A picture with the detail of a photo: noise on a gradient."""
    noise = Image.effect_noise((width, height), 24)
    ramp = Image.radial_gradient("L").resize((width, height))
    picture = Image.merge("RGB", (Image.blend(ramp, noise, 0.3), ramp, noise))
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=85)
    return buffer.getvalue()


def measure(data: bytes, rounds: int) -> dict[str, float]:
    """Median milliseconds here and in the child, taken in turn so that both meet the same machine."""
    here: list[Cost] = []
    apart: list[Cost] = []
    for number in range(WARM_UP + rounds):
        took = (
            cost_of(lambda: decode(data, sniff(data), PictureLimits())),
            cost_of(lambda: read_picture(data)),
        )
        if number >= WARM_UP:
            here.append(took[0])
            apart.append(took[1])
    before, after = (statistics.median(cost.wall_ms for cost in costs) for costs in (here, apart))
    cpu_before, cpu_after = (statistics.mean(cost.cpu_ms for cost in costs) for costs in (here, apart))
    return {
        "bytes": len(data),
        "in_process_ms": round(before, 1),
        "in_child_ms": round(after, 1),
        "child_costs_ms": round(after - before, 1),
        "in_process_cpu_ms": round(cpu_before, 1),
        "in_child_cpu_ms": round(cpu_after, 1),
        "child_costs_cpu_ms": round(cpu_after - cpu_before, 1),
    }


class Cost(NamedTuple):
    """What a piece of work takes, in milliseconds."""

    wall_ms: float
    cpu_ms: float


def cost_of(work: Callable[[], object]) -> Cost:
    """Do the work once."""
    began, cpu_began = time.perf_counter(), cpu_s()
    work()
    return Cost((time.perf_counter() - began) * 1000, (cpu_s() - cpu_began) * 1000)


def cpu_s() -> float:
    """Processor seconds of this process and its children so far; living children count in ticks of 10 ms."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = (child.cpu_times() for child in psutil.Process().children())
    living = sum(float(at.user + at.system) for at in found)
    return time.process_time() + ended.ru_utime + ended.ru_stime + living


if __name__ == "__main__":
    main()
