"""Ordinary requests for photos, and whether steps add up and go back, with a model from end to end.

    python -m benchmarks.photo_requests [FOLDER] [--model mgie-mini] [--only requests|steps] [--results DIR]

Eleven requests on every JPEG of the folder: done (the reading names an operation and a part that the request
means, and the picture changed), announced (declined with a reason, or the result says that nothing changed),
asks (the bot would show its reading and ask first; the row says whether that reading is right, and what would
be offered beside it), or wrong. Then "brighter" twice: how far the darkest 1 % moves, in levels,
and the share of pixels that clip again; and dB to the photo after warmer, cooler and after brighter, darker.
Every result is a PNG that the next instruction gets. Prints a row per photo as it goes on and ends in one
line of JSON.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.keeping.painting import edit_photos, load
from mgie_engine.lab.evaluation.scene_cases import psnr
from mgie_engine.lab.evaluation.scenes_running import pixels
from mgie_engine.model.mgie import MGIE
from mgie_engine.restore.region_masks import luma, region_weights, said_region

REQUESTS = {
    "make it brighter": r"whole picture gets (a little |much )?brighter",
    "sharpen it": r"whole picture gets (a little |much )?sharper",
    "give it a vintage look": r"whole picture fades .*like film|whole picture turns sepia",
    "black and white except the red": r"Everything but the reds turns black and white",
    "blur the background": r"background gets (a little |much )?softer",
    "make the sky darker": r"sky gets (a little |much )?darker",
    "sky more blue": r"sky (gets a little bluer|turns (deep )?blue)",
    "grass greener": r"(greens|foliage|ground) (gets? a little greener|turns? (deep )?green)",
    "moody": r"whole picture gets (slightly |very )?moody",
    "fix the white balance": r"whole picture gets neutral whites",
    "make it look like winter": r"whole picture takes the light of winter",
}
LEAST_CHANGED = 0.002  # share of the pixels
MOST_OF_A_PART = 0.98  # of the pixels: a request for a part that changes more has changed all
MOST_LEVELS, MOST_CLIPPED, LEAST_DB = 12, 0.01, 40.0


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path("bot/samples"), help="of JPEG files")
    parser.add_argument("--only", choices=("requests", "steps"))
    parser.add_argument("--results", type=Path, metavar="DIR", help="of results, for the eye")
    parser.add_argument("--model", default="mgie-mini")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    mgie = load(arguments.model, arguments.device)
    requests, steps = list[dict[str, Any]](), list[dict[str, Any]]()
    for file in sorted(arguments.folder.glob("*.jpg")):
        photo = Image.open(file).convert("RGB")
        if arguments.only != "steps":
            for row, result in requested(mgie, photo):
                requests.append(_say({"photo": file.name, **row}))
                if arguments.results:
                    result.save(arguments.results / f"{file.stem} {row['said']}.png")
        if arguments.only != "requests":
            steps.append(_say({"photo": file.name, **steps_of(mgie, photo)}))
    report: dict[str, Any] = {"benchmark": "photo_requests", "model": mgie.config.name}
    if requests:
        report |= summary(requests)
    if steps:
        report["steps"] = {
            "photos": len(steps),
            "most_black_point_levels": max(row["black_point_levels"] for row in steps),
            "most_clipped_anew": max(row["clipped_anew"] for row in steps),
            "least_back_db": min(min(row["back_db"].values()) for row in steps),
            "as_wanted": sum(row["as_wanted"] for row in steps),
        }
    _say(report)


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Outcomes of all, and of the photo with the fewest that were done, announced or rightly asked."""
    well = Counter(row["photo"] for row in rows if row["outcome"] in ("done", "announced"))
    asked = [row for row in rows if row["outcome"] == "asks"]
    right = Counter(row["photo"] for row in asked if row["reading_is_right"])
    photos = {row["photo"] for row in rows}
    return {
        "requests": dict(Counter(row["outcome"] for row in rows)),
        "asked_with_the_right_reading_first": right.total(),
        "fewest_of_a_photo_done_or_announced": min(well[photo] for photo in photos),
        "fewest_with_those_rightly_asked": min(well[photo] + right[photo] for photo in photos),
        "wrong": [f"{row['photo']}: {row['said']}" for row in rows if row["outcome"] == "wrong"],
    }


def requested(mgie: MGIE, photo: Image.Image) -> Iterator[tuple[dict[str, Any], Image.Image]]:
    """What the bot would do with each request, and what comes out if a question is answered with "do it"."""
    for said, made in zip(REQUESTS, edit_photos(mgie, photo, list(REQUESTS)), strict=True):
        right = bool(re.search(REQUESTS[said], made.expressive))
        changed = float((pixels(made.result) != pixels(photo)).any(0).float().mean())
        most = max(MOST_OF_A_PART, _share_of_part(made.expressive, photo))
        fits = changed <= most or "whole" in REQUESTS[said]
        row = {"said": said, "read": made.expressive, "reading_is_right": right, "changed": round(changed, 4)}
        if made.doubt and not made.declined:
            row |= {"outcome": "asks", "doubt": made.doubt, "beside": made.others}
        elif made.declined or changed == 0:
            row |= {
                "outcome": "announced",
                "how": "declines" if made.declined else "changes nothing",
            }
        else:
            row["outcome"] = "done" if right and fits and changed > LEAST_CHANGED else "wrong"
        yield row, made.result


def _share_of_part(expressive: str, photo: Image.Image) -> float:
    """Share of a photo that lies in the part that a reading names; 0 where the photo alone does not tell.

    Without any red, "all but the reds" is all of it.
    """
    part = said_region(expressive)
    return float((region_weights(part, np.asarray(photo)) > 0).float().mean()) if part else 0.0


def steps_of(mgie: MGIE, photo: Image.Image) -> dict[str, Any]:
    """Two steps brighter, and there and back."""
    bright = _edited(mgie, photo, "make it brighter")
    twice = _edited(mgie, bright, "make it brighter")
    back = {
        "brighter darker": _edited(mgie, bright, "make it darker"),
        "warmer cooler": _edited(mgie, _edited(mgie, photo, "make it warmer"), "make it cooler"),
    }
    start, end = pixels(photo), pixels(twice)
    clipped = float(((end == 1) & (start < 1)).any(0).float().mean())
    db = {name: round(psnr((pixels(one) - start).square()), 1) for name, one in back.items()}
    moved = round(_black_point(twice) - _black_point(photo), 1)
    good = abs(moved) <= MOST_LEVELS and clipped <= MOST_CLIPPED and min(db.values()) >= LEAST_DB
    return {"black_point_levels": moved, "clipped_anew": clipped, "back_db": db, "as_wanted": good}


def _edited(mgie: MGIE, photo: Image.Image, said: str) -> Image.Image:
    (made,) = edit_photos(mgie, photo, [said])
    return made.result


def _black_point(picture: Image.Image) -> float:
    return float(torch.quantile(luma(pixels(picture)[None]).flatten(), 0.01)) * 255


def _say(row: dict[str, Any]) -> dict[str, Any]:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()
    return row


if __name__ == "__main__":
    main()
