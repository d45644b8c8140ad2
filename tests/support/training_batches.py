"""Full-size training at toy size: data of the drawn world, a start, a plan."""

from pathlib import Path

from mgie_engine.lab.data.prepare import ShardConfig as DataPlan
from mgie_engine.lab.data.prepare import with_history, write_shards
from mgie_engine.lab.training.full import FullTrainingConfig
from mgie_engine.lab.training.recipe import Recipe
from tests.support.scene_examples import scene_examples

SIDE = 32
OPTIONS = {"micro_batch": 2, "side": SIDE, "history_turns": 1}


def prepare(folder: Path, count: int = 24) -> Path:
    """Edits of the drawn world as training reads them."""
    write_shards(scene_examples(count, SIDE), folder, with_history, DataPlan(shard_size=8))
    return folder


def plan(data: Path, folder: Path, *, shared: bool = False, options=None, **changes) -> FullTrainingConfig:
    """Four items a step in two lots, in fp32."""
    usual = {"batch_size": 4, "precision": "no", "log_every": 1, "save_every": 0}
    recipe = Recipe.read("release", **usual | changes, options=OPTIONS | (options or {}))
    return FullTrainingConfig(recipe, data, folder, shared)
