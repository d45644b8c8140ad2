"""Pictures that are not square: squeezed, cropped, or in their own aspect."""

import time
from itertools import islice
from statistics import fmean, median
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.keeping.painting import defaults, paint, through
from benchmarks.keeping.pictures import Pixels, psnr
from benchmarks.keeping.tonal import EDITS
from mgie_engine.lab.evaluation.scene_cases import SceneCase, cases, score_picture
from mgie_engine.lab.evaluation.scenes_running import pixels
from mgie_engine.lab.scenes.scene_images import pictures, to_image
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.framing import Framing
from mgie_engine.serving.postprocess import restored

ASPECT = 1.5  # of a wide scene
BATCH = 4


def wide_scenes(mgie: MGIE, count: int, size: int, framing: Framing) -> dict[str, Any]:
    """`count` test edits of scenes of size x size with empty scenery at their sides, as delivered."""
    stream, rows, began = islice(cases("test", mgie.config.picture_size), count), [], time.perf_counter()
    while some := list(islice(stream, BATCH)):
        rows += _delivered(mgie, some, size, framing)
    kept = [row["kept_db"] for row in rows if row["kept_db"] == row["kept_db"]]
    return {
        "framing": framing.value,
        "edits": len(rows),
        "success": round(fmean(row["success"] for row in rows), 3),
        "kept_db": round(median(kept), 1),
        "kept_bytes": round(median(row["kept_bytes"] for row in rows), 3),
        "s_per_edit": round((time.perf_counter() - began) / len(rows), 1),
    }


def tonal_edits(mgie: MGIE, original: Pixels, framing: Framing) -> dict[str, Any]:
    """PSNR of exact tonal edits that went through the model's autoencoder, as delivered."""
    found: dict[str, Any] = {"framing": framing.value}
    for name, edit in EDITS.items():
        wanted = edit(original)
        (painted,) = through(mgie, [Image.fromarray(original)], [Image.fromarray(wanted)], framing)
        found[name] = round(psnr(np.asarray(restored(painted).picture), wanted), 1)
    return found


def _delivered(mgie: MGIE, some: list[SceneCase], size: int, framing: Framing) -> list[dict[str, Any]]:
    drawn = [[_widened(to_image(one)) for one in pictures([c.start, c.edit.goal], size)] for c in some]
    originals = [before for before, _ in drawn]
    instructions, talks = [case.edit.instruction for case in some], [case.history for case in some]
    made, _ = paint(mgie, originals, instructions, talks, defaults(mgie), framing)
    return [
        _row(before, goal, restored(edit).picture) for (before, goal), edit in zip(drawn, made, strict=True)
    ]


def _row(before: Image.Image, goal: Image.Image, after: Image.Image) -> dict[str, Any]:
    score = score_picture(pixels(before), pixels(goal), pixels(after))
    same = (np.asarray(before) == np.asarray(after)).all(axis=2).mean()
    return {"success": score.success, "kept_db": score.kept_db, "kept_bytes": float(same)}


def _widened(picture: Image.Image) -> Image.Image:
    """The picture with its outermost columns repeated on both sides."""
    margin = round(picture.width * (ASPECT - 1) / 2)
    return Image.fromarray(np.pad(np.asarray(picture), ((0, 0), (margin, margin), (0, 0)), mode="edge"))
