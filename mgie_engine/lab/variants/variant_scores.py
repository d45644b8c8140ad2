"""Variants on the same test edits: what each made of every edit, kept so that they can be compared pairwise.

Edits come in two sets: a fair draw of all kinds, and ambiguous ones only, which are too few in the first.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from conversations.settings import SettingsOverride, checked
from mgie_engine.lab.evaluation.results import ALL, AMBIGUOUS, Trial
from mgie_engine.lab.evaluation.scene_cases import Case, draw
from mgie_engine.lab.evaluation.scenes_figures import Row
from mgie_engine.lab.evaluation.scenes_running import at_once, judge_all
from mgie_engine.lab.evaluation.workers import Spread, one_by_one
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.command import settle

SEED = 0  # of the first picture: the same for every variant


def trial_cases(trial: Trial, size: int, spread: Spread = one_by_one) -> dict[str, list[Case]]:
    """The edits of each set, painted with `size` pixels a side."""
    some = draw(trial.split, size, trial.first, trial.count, spread=spread)
    unclear = draw(trial.split, size, trial.first, trial.ambiguous, AMBIGUOUS, spread)
    return {ALL: list(some), AMBIGUOUS: list(unclear)}


def measure(
    mgie: MGIE, sets: Mapping[str, Sequence[Case]], trial: Trial, spread: Spread = one_by_one
) -> dict[str, Any]:
    """What a variant made of every edit of every set, as JSON has it."""
    began = time.monotonic()
    wish = SettingsOverride(text_cfg=trial.text_cfg, image_cfg=trial.image_cfg, steps=trial.denoising_steps)
    settings = settle(checked(wish), mgie.config.defaults, fresh_seed=SEED)
    batch = at_once(mgie.device)
    entries = {
        name: [_entry(row) for row, _ in judge_all(mgie, iter(some), settings, trial.seeds, batch, spread)]
        for name, some in sets.items()
    }
    took = round(time.monotonic() - began, 1)
    return {"settings": asdict(settings), "device": mgie.device.type, "took_s": took, "sets": entries}


def _entry(row: Row) -> dict[str, Any]:
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
