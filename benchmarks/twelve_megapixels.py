"""Seconds of a whole edit of a 12-megapixel photo, from the file to the PNG, by stage and request.

    python -m benchmarks.twelve_megapixels [FOLDER] [--photos 3] [--threads N] [--model mgie-mini]

The first photos of the folder are enlarged to 12 megapixels, given the noise of a camera, and written as
JPEG; without a folder one picture is drawn. Every request is made by `Editor` as a program makes it, after
one edit to warm up; the loading of the model is not counted. Seconds are medians over the photos, by the wall
clock and of the processor, those of the process that decodes the file included.

    file        the JPEG is decoded in a process with bounds, which gives it as a PNG
    reading     the PNG is opened, made smaller, and the instruction read
    painting    denoising steps
    finishing   restoring at full size and writing the PNG; `encoding` is that PNG alone, written once more

Ends in one line of JSON.
"""

import argparse
import io
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.keeping.pictures import Pixels, pictures
from mgie_engine.edits import Progress
from mgie_engine.python_api.edit_requests import build_request
from mgie_engine.python_api.editor import Editor
from mgie_engine.python_api.picture_source import open_source
from mgie_engine.serving.pictures import open_picture, to_result

REQUESTS = (
    "brighter",
    "make it darker",
    "make the sky darker",
    "black and white except the red",
    "blur the background",
    "sharpen",
    "vintage",
    "make the left half warmer",
)
JPEG_QUALITY = 92
NOISE_LEVELS = 4.0  # standard deviation: enlarging leaves a picture smoother than any camera's


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="of pictures")
    parser.add_argument("--photos", type=int, default=3, help="how many of them")
    parser.add_argument("--threads", type=int, help="of the CPU; one per core if left out")
    parser.add_argument("--model", default="mgie-mini")
    parser.add_argument("--only", help="one request instead of all")
    arguments = parser.parse_args()
    requests = (arguments.only,) if arguments.only else REQUESTS
    files = [
        (name, _as_jpeg(pixels)) for name, pixels in islice(pictures(arguments.folder), arguments.photos)
    ]
    load = os.getloadavg()[0]
    with Editor(arguments.model, threads=arguments.threads) as editor:
        measure(editor, files[0][1], requests[0])
        rows = [list(_rows(editor, files, said)) for said in requests]
    by_request = {said: _medians(some) for said, some in zip(requests, rows, strict=True)}
    whole = [row["whole"] for some in rows for row in some]
    report = {
        "benchmark": "twelve_megapixels",
        "model": arguments.model,
        "cores": os.cpu_count(),
        "load": load,  # before; where others had work to do, seconds of the wall say little
        "photos": [name for name, _ in files],
        "wall_s": {"median": _of(whole, 0, median), "most": _of(whole, 0, max)},
        "processor_s": {"median": _of(whole, 1, median), "most": _of(whole, 1, max)},
        "by_request": by_request,
    }
    sys.stdout.write(json.dumps(report) + "\n")


def _as_jpeg(pixels: Pixels) -> bytes:
    random = np.random.default_rng(5)
    noisy = pixels + random.standard_normal(pixels.shape, np.float32) * NOISE_LEVELS
    file = io.BytesIO()
    Image.fromarray(noisy.round().clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def _rows(editor: Editor, files: Sequence[tuple[str, bytes]], said: str) -> Iterator[dict[str, Any]]:
    for name, file in files:
        row = measure(editor, file, said)
        sys.stdout.write(json.dumps({"photo": name, "said": said, **row}) + "\n")
        sys.stdout.flush()
        yield row


def measure(editor: Editor, file: bytes, said: str) -> dict[str, Any]:
    """One edit: for every stage and the whole, seconds by the wall clock and of the processor."""
    spent, entered = defaultdict[str, list[float]](lambda: [0.0, 0.0]), ["reading"]
    start = last = _now()

    def book(stage: str) -> None:
        nonlocal last
        now = _now()
        for clock in range(2):
            spent[stage][clock] += now[clock] - last[clock]
        last = now

    def progress(news: Progress) -> None:
        book(entered[0])
        entered[0] = news.stage.value

    opened = open_source(file)
    book("file")
    request = build_request(opened.png, said, {"seed": 7}, editor.config.defaults)
    made = editor.run(request, progress)
    book(entered[0])
    whole = [round(last[clock] - start[clock], 3) for clock in range(2)]
    row: dict[str, Any] = {"read": made.expressive, "changed": made.changed, "whole": whole}
    if not made.is_declined:
        picture = open_picture(made.image)
        last = _now()
        row["png_mb"] = round(len(to_result(picture, os.cpu_count() or 1)) / 1e6, 2)
        book("encoding")
    return row | {stage: [round(seconds, 3) for seconds in both] for stage, both in spent.items()}


def _now() -> tuple[float, float]:
    """Seconds of the wall clock and of the processor, those of processes that have ended included."""
    spent = os.times()
    return time.monotonic(), sum(spent[:4])


def _medians(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """By stage: the median seconds of wall and processor, and what else the rows have in numbers."""
    stages = {stage: None for row in rows for stage, found in row.items() if isinstance(found, list)}
    found: dict[str, Any] = {
        stage: [_of([row[stage] for row in rows if stage in row], clock, median) for clock in range(2)]
        for stage in stages
    }
    sizes = [row["png_mb"] for row in rows if "png_mb" in row]
    return found | {"png_mb": round(median(sizes), 2) if sizes else None, "read": rows[0]["read"]}


def _of(pairs: Sequence[Sequence[float]], clock: int, of: Callable[[Sequence[float]], float]) -> float:
    return round(of([pair[clock] for pair in pairs]), 2)


if __name__ == "__main__":
    main()
