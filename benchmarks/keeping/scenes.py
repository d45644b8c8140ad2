"""Single edits of drawn scenes at sizes the model does not paint: is the edit still there, and the rest?"""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from statistics import fmean, median
from typing import Any

import numpy as np
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from benchmarks.keeping.painting import defaults, enlarged, paint, through
from mgie_engine.lab.evaluation.scene_cases import PictureScore, SceneCase, cases, score_picture
from mgie_engine.lab.evaluation.scenes_running import pixels
from mgie_engine.lab.evaluation.workers import PoolMap, serial_map
from mgie_engine.lab.scenes.scene_images import pictures, to_image
from mgie_engine.model.mgie import MGIE
from mgie_engine.restore.calibration import calibration_for
from mgie_engine.serving.postprocess import Painted, restored

BATCH = {"cpu": 8, "cuda": 64}


def measure(
    mgie: MGIE, count: int, size: int, exact: bool = False, pool_map: PoolMap = serial_map
) -> dict[str, Any]:
    """`count` test edits of scenes of size x size, as painted, stretched and restored.

    exact: in place of what the model paints, the right goal through its autoencoder: what restoring costs.
    """
    rows = [row for some in _batches(mgie, count) for row in _judged(mgie, some, size, exact, pool_map)]
    told: dict[str, Any] = {"size": size, "edits": len(rows)}
    for way in ("raw", "enlarged", "restored"):
        shown: list[PictureScore] = [row[way] for row in rows]
        kept = [one.kept_db for one in shown if one.kept_db == one.kept_db]
        told |= {
            f"{way}_success": round(fmean(one.success for one in shown), 3),
            f"{way}_kept_db": round(median(kept), 1),
        }
    right = [row["restored"].kept_db for row in rows if row["raw"].success]
    return told | {
        "restored_kept_db_where_right": round(median(db for db in right if db == db), 1) if right else None,
        "kept_bytes": round(median(row["kept_bytes"] for row in rows), 3),
        "changed_where_silent": sum(row["changed_where_silent"] for row in rows),
    }


def _batches(mgie: MGIE, count: int) -> Iterator[list[SceneCase]]:
    stream = islice(cases("test", mgie.config.picture_size), count)
    while some := list(islice(stream, BATCH.get(mgie.device.type, 8))):
        yield some


def _judged(
    mgie: MGIE, some: list[SceneCase], size: int, exact: bool, pool_map: PoolMap
) -> Iterator[dict[str, Any]]:
    painted = list(pool_map(partial(_drawn, size=size), some))
    originals = [to_image(before) for before, _ in painted]
    if exact:
        made = through(mgie, originals, [to_image(goal) for _, goal in painted])
    else:
        instructions, talks = [case.edit.instruction for case in some], [case.history for case in some]
        made, _ = paint(mgie, originals, instructions, talks, defaults(mgie))
    goals = [goal for _, goal in painted]
    return pool_map(_row, zip(made, goals, strict=True))


def _drawn(case: SceneCase, size: int) -> Tensor:
    return pictures([case.start, case.edit.goal], size)


def _row(judged: tuple[Painted, Tensor]) -> dict[str, Any]:
    edit, goal = judged
    side, before = edit.output.width, pixels(edit.original)
    small = F.interpolate(goal[None], size=(side, side), mode="area")[0]
    delivered = restored(edit).picture
    same = _same(edit.original, delivered)
    return {
        "raw": score_picture(pixels(edit.model_input), small, pixels(edit.output)),
        "enlarged": score_picture(before, goal, pixels(enlarged(edit))),
        "restored": score_picture(before, goal, pixels(delivered)),
        "kept_bytes": float(same.mean()),
        "changed_where_silent": int((~same & _silent(edit)).sum()),
    }


def _same(one: Image.Image, other: Image.Image) -> np.ndarray:
    same: np.ndarray = (np.asarray(one) == np.asarray(other)).all(axis=2)
    return same


def _silent(edit: Painted) -> np.ndarray:
    """Where the instruction had no say at all, at the picture's size (H, W)."""
    if edit.relevance is None:
        return np.zeros(edit.original.size[::-1], bool)
    silent = Image.fromarray((edit.relevance < calibration_for(edit.model).change.silent).astype(np.uint8))
    return np.asarray(silent.resize(edit.original.size, Image.Resampling.NEAREST)) > 0
