"""All stages of the small model in one go, within a number of minutes.

The autoencoder and the language model train side by side; the end-to-end stage compiles meanwhile, takes over
when they are done, and has the rest of the time.
"""

import logging
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from mgie_engine.training import packing

log = logging.getLogger(__name__)
PACKING_MINUTES = 1.2
HANGING_MINUTES = 2.5  # painting and encoding the gallery


@dataclass(frozen=True, slots=True)
class Plan:
    """How the minutes are shared out; the first two run at the same time."""

    minutes: float
    stories: int
    vae_share: float = 0.24
    mllm_share: float = 0.18


def train(
    folder: Path,
    plan: Plan,
    start: str | None = None,
    parts: Collection[str] = packing.PARTS,
    tiny: bool = False,
) -> None:
    """Train from nothing, or from some parts of the model `start`; the result is folder/model.

    CalledProcessError when a stage fails; its log is in the folder.
    """
    end = time.monotonic() + 60 * plan.minutes
    if start is not None:
        packing.unpack(start, folder, parts)
    _finish(_stage("world", folder, tiny, "--stories", str(plan.stories)))
    log.info("the world is written, %.1f minutes left", (end - time.monotonic()) / 60)
    vae = _stage("mini-vae", folder, tiny, "--minutes", str(plan.vae_share * plan.minutes))
    mllm = _stage("mini-mllm", folder, tiny, "--minutes", str(plan.mllm_share * plan.minutes))
    spent = plan.minutes - (end - time.monotonic()) / 60
    rest = plan.minutes * (1 - plan.vae_share) - spent - HANGING_MINUTES - PACKING_MINUTES
    diffusion = _stage("mini-diffusion", folder, tiny, "--minutes", str(rest))
    for stage in (mllm, vae, diffusion):
        _finish(stage)
        log.info("a stage is done, %.1f minutes left", (end - time.monotonic()) / 60)
    _finish(_stage("pack", folder, tiny))
    log.info("packed, %.1f minutes left", (end - time.monotonic()) / 60)


def _stage(what: str, folder: Path, tiny: bool, *options: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "mgie_engine.training", what, "--run", str(folder), *options]
    with (folder / f"{what}.log").open("wb") as log_file:
        return subprocess.Popen(
            [*command, *(["--tiny"] if tiny else [])], stdout=log_file, stderr=subprocess.STDOUT
        )


def _finish(stage: "subprocess.Popen[bytes]") -> None:
    if code := stage.wait():
        raise subprocess.CalledProcessError(code, stage.args)
