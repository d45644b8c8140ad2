"""What the definitions of the tones keep on photographs, without any model.

    python benchmarks/tone_definitions.py [FOLDER] [--side 512]

For every JPEG of the folder: dB to the original after a tone and its inverse, how far the darkest 1 % moves
and how many pixels newly clip after two "brighter", each result rounded to 8 bits. Ends in one line of JSON.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # for when this is run as a script

from mgie_engine.lab.evaluation.scene_cases import psnr
from mgie_engine.lab.evaluation.scenes_running import pixels
from mgie_engine.restore.region_masks import luma
from mgie_engine.restore.tones import TONES

PAIRS = (("brighter", "darker"), ("warm", "cool"), ("contrast", "flat"), ("magenta", "green"))


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path("bot/samples"), help="of JPEG files")
    parser.add_argument("--side", type=int, default=512, help="pictures are made this small, in pixels")
    arguments = parser.parse_args()
    rows = [_measured(file, arguments.side) for file in sorted(arguments.folder.glob("*.jpg"))]
    for row in rows:
        sys.stdout.write(json.dumps(row) + "\n")
    report = {
        "benchmark": "tone_definitions",
        "photos": len(rows),
        "least_back_db": min(db for row in rows for db in row["back_db"].values()),
        "most_black_point_levels": max(row["black_point_levels"] for row in rows),
        "most_clipped_anew": max(row["clipped_anew"] for row in rows),
    }
    sys.stdout.write(json.dumps(report) + "\n")


def _measured(file: Path, side: int) -> dict[str, Any]:
    image = Image.open(file).convert("RGB")
    image.thumbnail((side, side))
    photo = pixels(image)[None]
    bright = _toned(photo, "brighter", "brighter")
    orders = [order for pair in PAIRS for order in (pair, pair[::-1])]
    back = {" ".join(order): round(psnr((_toned(photo, *order) - photo).square()), 1) for order in orders}
    clipped = ((bright == 1) & (photo < 1)).any(1).float().mean()
    moved = _black_point(bright) - _black_point(photo)
    return {
        "photo": file.name,
        "back_db": back,
        "black_point_levels": round(moved, 1),
        "clipped_anew": float(clipped),
    }


def _toned(photo: Tensor, *names: str) -> Tensor:
    for name in names:
        photo = (TONES[name](photo, torch.ones(1, 1, 1, 1)).clamp(0, 1) * 255).round() / 255
    return photo


def _black_point(photo: Tensor) -> float:
    return float(torch.quantile(luma(photo).flatten(), 0.01)) * 255


if __name__ == "__main__":
    main()
