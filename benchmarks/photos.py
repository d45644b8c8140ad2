"""What the small model does to photographs: light and colour, and nothing else.

    python benchmarks/photos.py [FOLDER] [--sheet FILE.png] [--model mgie-mini] [--scenes 64]

Every picture of the folder is asked for every tone and judged against the exact operation at its own size, in
dB of PSNR; one to change what is in it must bring the same bytes back and say why. Also printed: how well
the autoencoder brings back the pictures, squeezed to the model's square, as they are and averaged over 8 x 8
pixels, and drawn test scenes. Ends in one line of JSON.
"""

import argparse
import io
import json
import os
import sys
from itertools import islice
from pathlib import Path
from statistics import fmean, median
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))  # for when this is run as a script

from benchmarks.keeping.painting import defaults, load
from mgie_engine.edits import EditRequest, EditResult
from mgie_engine.lab.evaluation.scene_cases import cases, psnr
from mgie_engine.lab.evaluation.scenes_running import pixels
from mgie_engine.lab.evaluation.scenes_sheet import ContactSheetCard, contact_sheet
from mgie_engine.lab.scenes.scene_images import to_image
from mgie_engine.lab.scenes.tones import TONES
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.engine import edit_alone
from mgie_engine.serving.pictures import for_the_model, to_png

INSTRUCTIONS = {
    "brighter": "brighten it up", "darker": "make it darker", "contrast": "more contrast",
    "flat": "less contrast please", "vivid": "make the colours pop", "muted": "tone the colours down",
    "warm": "make it warmer", "cool": "make it cooler", "grey": "black and white", "sepia": "in sepia",
    "invert": "invert the colours", "night": "make it look like night", "vignette": "add a vignette",
    "blur": "blur it", "sharpen": "sharpen it",
}  # fmt: skip
IMPOSSIBLE = ("remove the man", "add a dog", "make the car red")
BAR_DB = 30.0


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path("bot/samples"), help="of JPEG files")
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE.png", help="one tone of each picture, for the eye"
    )
    parser.add_argument("--scenes", type=int, default=64, help="drawn test scenes through the autoencoder")
    parser.add_argument("--model", default="mgie-mini")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    mgie = load(arguments.model, arguments.device)
    photos = {
        file.name: _opened(file) for file in sorted(arguments.folder.iterdir()) if file.suffix == ".jpg"
    }
    rows, shots = tones(mgie, photos)
    for row in rows:
        sys.stdout.write(json.dumps(row) + "\n")
    if arguments.sheet:
        chosen = [shots[number * len(TONES) + number % len(TONES)] for number in range(len(photos))]
        contact_sheet(chosen).save(arguments.sheet)
    drawn = (case for case in cases("test", mgie.config.picture_size) if case.start.scene)
    start = [to_image(case.before) for case in islice(drawn, arguments.scenes)]
    report = {
        "benchmark": "photos",
        "model": mgie.config.name,
        "edits": len(rows),
        "reached": fmean(row["db"] >= BAR_DB for row in rows),
        "by_tone_db": {tone: _spread(rows, tone) for tone in TONES},
        "refused": fmean(map(bool, refusals(mgie, photos))),
        "autoencoder_photos_db": _through(mgie, list(photos.values())),
        "autoencoder_scenes_db": _through(mgie, start),
    }
    sys.stdout.write(json.dumps(report) + "\n")


def tones(mgie: MGIE, photos: dict[str, Image.Image]) -> tuple[list[dict[str, Any]], list[ContactSheetCard]]:
    """Every tone of every picture: what was understood, and PSNR against the exact operation."""
    rows, shots = [], []
    for name, photo in photos.items():
        for tone, instruction in INSTRUCTIONS.items():
            goal = TONES[tone](pixels(photo)[None], torch.ones(1, 1, 1, 1))[0].clamp(0, 1)
            made = _edited(mgie, photo, instruction)
            result = Image.open(io.BytesIO(made.image)).convert("RGB")
            db = round(psnr((pixels(result) - goal).square()), 1)
            rows.append({"photo": name, "tone": tone, "db": db, "said": made.expressive})
            shots.append(
                ContactSheetCard(photo, result, to_image(goal), instruction, made.expressive, db >= BAR_DB)
            )
    return rows, shots


def refusals(mgie: MGIE, photos: dict[str, Image.Image]) -> list[bool]:
    """Whether each impossible instruction brought back the very pixels and a reason."""
    found = []
    for photo in photos.values():
        for instruction in IMPOSSIBLE:
            made = _edited(mgie, photo, instruction)
            same = Image.open(io.BytesIO(made.image)).convert("RGB").tobytes() == photo.tobytes()
            found.append(same and made.expressive.startswith(mgie.config.refusal))
    return found


def _edited(mgie: MGIE, photo: Image.Image, instruction: str) -> EditResult:
    return edit_alone(mgie, EditRequest(to_png(photo), instruction, defaults(mgie)), lambda progress: None)


def _opened(file: Path) -> Image.Image:
    return Image.open(file).convert("RGB")


def _spread(rows: list[dict[str, Any]], tone: str) -> dict[str, float]:
    found = [row["db"] for row in rows if row["tone"] == tone]
    return {"least": min(found), "median": median(found)}


@torch.inference_mode()
def _through(mgie: MGIE, some: list[Image.Image]) -> dict[str, float]:
    """PSNR of squares that went through the autoencoder, as they are and averaged over 8 x 8 pixels."""
    exact, coarse = list[float](), list[float]()
    for one in some:
        square = for_the_model(one, mgie.config.picture_size)
        (back,) = mgie.decode(mgie.encode([square]) * mgie.config.latent_scale)
        difference = pixels(back) - pixels(square)
        exact.append(psnr(difference.square()))
        coarse.append(psnr(F.avg_pool2d(difference[None], 8).square()))
    return {"mean": round(fmean(exact), 2), "averaged": round(fmean(coarse), 2)}


if __name__ == "__main__":
    main()
