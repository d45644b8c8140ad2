"""Scores of variants on the same test edits, stored per edit for pairwise comparison.

There are two sets of edits: a random sample of all kinds, and ambiguous ones, which are rare in the first.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from conversations.settings import SettingsOverride, checked
from mgie_engine.lab.evaluation.results import ALL, AMBIGUOUS, TrialConfig
from mgie_engine.lab.evaluation.scene_cases import SceneCase, draw
from mgie_engine.lab.evaluation.scenes_figures import SceneResult
from mgie_engine.lab.evaluation.scenes_running import SceneRunner
from mgie_engine.lab.evaluation.workers import PoolMap, serial_map
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.edit_options import settle

SEED = 0  # of the first picture: the same for every variant


def trial_cases(trial: TrialConfig, size: int, pool_map: PoolMap = serial_map) -> dict[str, list[SceneCase]]:
    """The edits of each set, rendered with `size` pixels a side."""
    some = draw(trial.split, size, trial.first, trial.count, pool_map=pool_map)
    unclear = draw(trial.split, size, trial.first, trial.ambiguous, AMBIGUOUS, pool_map)
    return {ALL: list(some), AMBIGUOUS: list(unclear)}


def measure(
    mgie: MGIE, sets: Mapping[str, Sequence[SceneCase]], trial: TrialConfig, pool_map: PoolMap = serial_map
) -> dict[str, Any]:
    """The scores of a variant on every edit of every set, as JSON data."""
    began = time.monotonic()
    override = SettingsOverride(
        text_cfg=trial.text_cfg, image_cfg=trial.image_cfg, steps=trial.denoising_steps
    )
    settings = settle(checked(override), mgie.config.defaults, fresh_seed=SEED)
    runner = SceneRunner(mgie, settings, pool_map)
    entries = {
        name: [_entry(row) for row, _ in runner.score_all(iter(some), trial.seeds)]
        for name, some in sets.items()
    }
    took = round(time.monotonic() - began, 1)
    return {"settings": asdict(settings), "device": mgie.device.type, "took_s": took, "sets": entries}


def _entry(row: SceneResult) -> dict[str, Any]:
    """One edit; shares are means over its sampling seeds."""
    return {
        "kind": row.kind,
        "success": float(np.mean([shown.success for shown in row.delivered])),
        "success_raw": float(np.mean([shown.success for shown in row.raw])),
        "left": round(float(np.mean([shown.left for shown in row.delivered])), 4),
        "resolved": row.said.resolved,
        "true": row.said.true,
        "stated": row.said.stated,
    }
