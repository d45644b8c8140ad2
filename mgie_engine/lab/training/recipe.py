"""A training run as a TOML file: what to train, on what, for how long.

A stage ends at `steps` or after `minutes`, whichever comes first; the learning rate follows the same clock,
so a run cut short on a slow machine still ends with a small rate.
"""

import math
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mgie_engine.errors import ModelError

RECIPES = Path(__file__).parent / "recipes"
PARTS = ("vae", "mllm", "diffusion")  # of the small model, as they are trained
WORDINGS = 4  # per edit of the dataset


@dataclass(frozen=True, slots=True)
class Recipe:
    """One stage of training."""

    stage: str  # "vae", "mllm", "diffusion", or "full" for the 7B
    batch_size: int  # of a process and a pass; in the stage "full" of all processes and a step
    steps: int = 0  # 0: as many as `epochs` are, in the stage "full"
    epochs: float = 0.0
    minutes: float = math.inf
    accumulate: int = 1  # batches a step
    learning_rate: float = 1e-4
    rates: dict[str, float] = field(default_factory=dict)  # by part, where it differs
    warmup: float = 0.03  # share of the run
    final_rate: float = 0.02  # share of the rate that is left at the end
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.999  # 0: no average is kept
    precision: str = "bf16"  # "bf16" or "no"
    compile: bool = False
    graphs: bool = False  # replay compiled stages as CUDA graphs: one launch instead of thousands
    seed: int = 0
    stories: int = 200_000  # size of the dataset
    log_every: int = 50
    save_every: int = 0  # steps between saves of everything a killed run needs to go on; 0: never
    keep: int = 1  # of these
    options: dict[str, Any] = field(default_factory=dict)  # of this stage only

    @classmethod
    def read(cls, name_or_path: str, **changes: Any) -> "Recipe":
        """A recipe by its name in this package or by its path; ModelError names what is wrong with it."""
        path = RECIPES / f"{name_or_path}.toml"
        path = path if path.is_file() else Path(name_or_path)
        if not path.is_file():
            raise ModelError(f"No recipe {name_or_path!r}: neither in {RECIPES} nor a file.")
        data = tomllib.loads(path.read_text(encoding="utf-8")) | changes
        if unknown := data.keys() - {item.name for item in fields(cls)}:
            raise ModelError(f"{path.name} has the unknown key {min(unknown)!r}.")
        if "betas" in data:
            data["betas"] = tuple(data["betas"])
        return cls(**data)
