"""What the small model does to photographs: light and colour, and nothing else.

    python benchmarks/photos.py [FOLDER] [--local] [--sheet FILE.png] [--model mgie-mini] [--scenes 64]

Every picture of the folder is asked for every tone and judged against the exact operation at its own size, in
dB of PSNR; one to change what is in it must bring the same bytes back and say why. Also printed: how well the
autoencoder brings back the pictures, squeezed to the model's square, as they are and averaged over 8 x 8
pixels, and drawn test scenes. Ends in one line of JSON.

With --local, tones are asked for in a place, a brightness or a colour instead: dB to the exact operation
where the region's mask is above a half, and dB to the original where it is 0. A region of less than 1 % of a
picture is left out. Every row says whether the instruction was read rightly, whether the bot would ask, and
whether the right reading is then offered beside the first. What is exact by its reading is not painted, so
only readings depend on the weights there.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean, median
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # for when this is run as a script

from benchmarks.keeping.painting import edit_photos, load
from mgie_engine.lab.evaluation.scene_cases import cases, psnr
from mgie_engine.lab.evaluation.scenes_running import pixels
from mgie_engine.lab.evaluation.scenes_sheet import ContactSheetCard, contact_sheet
from mgie_engine.lab.scenes.scene_images import to_image
from mgie_engine.model.mgie import MGIE
from mgie_engine.restore import said_tones
from mgie_engine.restore.region_masks import REGIONS, no_layers
from mgie_engine.restore.tones import TONES, ToneSpec, apply
from mgie_engine.serving.pictures import for_the_model

INSTRUCTIONS = {
    "brighter": "brighten it up", "darker": "make it darker", "contrast": "more contrast",
    "flat": "less contrast please", "vivid": "make the colours pop", "muted": "tone the colours down",
    "warm": "make it warmer", "cool": "make it cooler", "grey": "black and white", "sepia": "in sepia",
    "invert": "invert the colours", "night": "make it look like night", "vignette": "add a vignette",
    "blur": "blur it", "sharpen": "sharpen it", "magenta": "more magenta", "green": "a green tint",
    "faded": "give it a vintage film look", "moody": "make it moody", "teal_orange": "teal and orange look",
    "golden": "make it look like golden hour", "winter": "make it look like winter", "dehaze": "dehaze it",
    "haze": "make it hazy", "clarity": "more clarity", "white_balance": "fix the white balance",
    "auto": "auto levels",
}  # fmt: skip
LOCAL: Sequence[tuple[str, ToneSpec]] = (
    ("make the left half darker", ToneSpec("darker", 1.0, "left")),
    ("make the right half brighter", ToneSpec("brighter", 1.0, "right")),
    ("make the top half warmer", ToneSpec("warm", 1.0, "top")),
    ("make the bottom half black and white", ToneSpec("grey", 1.0, "bottom")),
    ("darken the top third", ToneSpec("darker", 1.0, "top third")),
    ("make the left third cooler", ToneSpec("cool", 1.0, "left third")),
    ("make the bottom third more colourful", ToneSpec("vivid", 1.0, "bottom third")),
    ("brighten the top left corner", ToneSpec("brighter", 1.0, "top left")),
    ("make the centre brighter", ToneSpec("brighter", 1.0, "centre")),
    ("darken the edges", ToneSpec("darker", 1.0, "edges")),
    ("lift the shadows", ToneSpec("brighter", 1.0, "shadows")),
    ("tone the highlights down", ToneSpec("darker", 1.0, "highlights")),
    ("make the mid-tones brighter", ToneSpec("brighter", 1.0, "midtones")),
    ("make the reds more vivid", ToneSpec("vivid", 1.0, "reds")),
    ("turn the blues green", ToneSpec("to_green", 1.0, "blues")),
    ("make the greens darker", ToneSpec("darker", 1.0, "greens")),
    ("black and white except the reds", ToneSpec("grey", 1.0, "not reds")),
    ("everything but the blues black and white", ToneSpec("grey", 1.0, "not blues")),
    ("mute the oranges", ToneSpec("muted", 1.0, "oranges")),
    ("make the yellows red", ToneSpec("to_red", 1.0, "yellows")),
)
SMALLEST_REGION, KEPT_DB = 0.01, 45.0
NEARER_DB = 6.0  # a result that is not so much nearer than the original is no edit, however gentle the tone
IMPOSSIBLE = ("remove the man", "add a dog", "make the car red")
BAR_DB = 30.0


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path("bot/samples"), help="of JPEG files")
    parser.add_argument("--local", action="store_true", help="tones in a part of the picture")
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
    if arguments.local:
        _local(mgie, photos, arguments.sheet)
        return
    rows, shots = tones(mgie, photos)
    if arguments.sheet:
        chosen = [
            shots[number * len(INSTRUCTIONS) + number % len(INSTRUCTIONS)] for number in range(len(photos))
        ]
        contact_sheet(chosen).save(arguments.sheet)
    drawn = (case for case in cases("test", mgie.config.picture_size) if case.start.scene)
    start = [to_image(case.before) for case in islice(drawn, arguments.scenes)]
    report = {
        "benchmark": "photos",
        "model": mgie.config.name,
        "edits": len(rows),
        "reached": fmean(row["db"] >= BAR_DB for row in rows),
        "nearer_than_idle": fmean(row["db"] >= row["idle_db"] + NEARER_DB for row in rows),
        "by_tone_db": {tone: _spread(rows, tone) for tone in INSTRUCTIONS},
        "refused": fmean(map(bool, refusals(mgie, photos))),
        "autoencoder_photos_db": _through(mgie, list(photos.values())),
        "autoencoder_scenes_db": _through(mgie, start),
    }
    sys.stdout.write(json.dumps(report) + "\n")


def tones(mgie: MGIE, photos: dict[str, Image.Image]) -> tuple[list[dict[str, Any]], list[ContactSheetCard]]:
    """Every tone of every picture: what was understood, and PSNR against the exact operation."""
    rows, shots = [], []
    for name, photo in photos.items():
        edits = edit_photos(mgie, photo, list(INSTRUCTIONS.values()))
        for (tone, instruction), made in zip(INSTRUCTIONS.items(), edits, strict=True):
            goal = TONES[tone](pixels(photo)[None], torch.ones(1, 1, 1, 1))[0].clamp(0, 1)
            db = round(psnr((pixels(made.result) - goal).square()), 1)
            idle = round(psnr((pixels(photo) - goal).square()), 1)
            row = {"photo": name, "tone": tone, "db": db, "idle_db": idle, "said": made.expressive}
            rows.append(_say(row))
            good = db >= BAR_DB
            shots.append(
                ContactSheetCard(photo, made.result, to_image(goal), instruction, made.expressive, good)
            )
    return rows, shots


def _local(mgie: MGIE, photos: dict[str, Image.Image], sheet: Path | None) -> None:
    rows, shots = [], []
    for row, shot in local_tones(mgie, photos):
        rows.append(_say(row))
        shots.append(shot)
    if sheet:
        contact_sheet(shots).save(sheet)
    report = {
        "benchmark": "photos-local",
        "model": mgie.config.name,
        "edits": len(rows),
        "reached": fmean(row["db"] >= BAR_DB and row["kept_db"] >= KEPT_DB for row in rows),
        "nearer_than_idle": fmean(row["db"] >= row["idle_db"] + NEARER_DB for row in rows),
        "read_rightly": fmean(row["read_rightly"] for row in rows),
        "asked": Counter(row["asks"] for row in rows if row["asks"]),
        "asked_about_a_right_reading": sum(row["read_rightly"] for row in rows if row["asks"]),
        "wrong_and_not_asked": sum(
            not row["asks"] and (row["db"] < BAR_DB or row["kept_db"] < KEPT_DB) for row in rows
        ),
        "inside_reached": fmean(row["db"] >= BAR_DB for row in rows),
        "outside_reached": fmean(row["kept_db"] >= KEPT_DB for row in rows),
        "by_instruction": {
            said: fmean(
                row["db"] >= BAR_DB and row["kept_db"] >= KEPT_DB
                for row in rows
                if row["instruction"] == said
            )
            for said in dict.fromkeys(row["instruction"] for row in rows)
        },
    }
    sys.stdout.write(json.dumps(report) + "\n")


def local_tones(
    mgie: MGIE, photos: dict[str, Image.Image]
) -> Iterator[tuple[dict[str, Any], ContactSheetCard]]:
    """Addressed tones of every picture that has the region, with their dB inside and outside of it."""
    for name, photo in photos.items():
        before = pixels(photo)[None]
        masks = {spec.region: REGIONS[spec.region](before, no_layers(before))[0, 0] for _, spec in LOCAL}
        some = [(said, spec) for said, spec in LOCAL if masks[spec.region].mean() >= SMALLEST_REGION]
        edits = edit_photos(mgie, photo, [said for said, _ in some])
        for (instruction, spec), made in zip(some, edits, strict=True):
            goal, mask = apply(before, [[spec]])[0], masks[spec.region]
            inside = _db(pixels(made.result) - goal, mask > 0.5)
            outside = _db(pixels(made.result) - before[0], mask == 0)
            row = {"photo": name, "instruction": instruction, "region": spec.region, "db": inside}
            idle = _db(before[0] - goal, mask > 0.5)
            row |= {"idle_db": idle, "kept_db": outside, "said": made.expressive}
            row |= {"read_rightly": said_tones(made.expressive) == (spec,), "asks": made.doubt}
            row["right_beside"] = any(said_tones(other) == (spec,) for other in made.others)
            good = inside >= BAR_DB and outside >= KEPT_DB
            shot = ContactSheetCard(photo, made.result, to_image(goal), instruction, made.expressive, good)
            yield row, shot


def _db(difference: Tensor, where: Tensor) -> float:
    """PSNR of a difference (3, H, W) over a mask (H, W); 80 where nothing differs or the mask is empty."""
    return round(psnr(difference[:, where].square()), 1) if where.any() else 80.0


def refusals(mgie: MGIE, photos: dict[str, Image.Image]) -> list[bool]:
    """Whether each impossible instruction brought back the very pixels and a reason."""
    found = []
    for photo in photos.values():
        for made in edit_photos(mgie, photo, IMPOSSIBLE):
            found.append(made.declined and made.result.tobytes() == photo.tobytes())
    return found


def _say(row: dict[str, Any]) -> dict[str, Any]:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()
    return row


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
