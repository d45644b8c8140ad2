"""What reading a picture costs in its bounded child process, beside reading it in this process.

    python benchmarks/decode.py [--rounds 40]

Reads a small PNG and a 2-megapixel JPEG both ways in turn, after a few rounds to warm up. Ends in one line of
JSON: medians in milliseconds.
"""

import argparse
import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

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
    here: list[float] = []
    apart: list[float] = []
    for number in range(WARM_UP + rounds):
        took = (
            timed(lambda: decode(data, sniff(data), PictureLimits())),
            timed(lambda: read_picture(data)),
        )
        if number >= WARM_UP:
            here.append(took[0])
            apart.append(took[1])
    before, after = statistics.median(here), statistics.median(apart)
    return {
        "bytes": len(data),
        "in_process_ms": round(before, 1),
        "in_child_ms": round(after, 1),
        "child_costs_ms": round(after - before, 1),
    }


def timed(work: Callable[[], object]) -> float:
    """How many milliseconds the work takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
