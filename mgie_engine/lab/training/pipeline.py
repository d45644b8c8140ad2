"""All stages of the small model in one go, within a number of minutes.

The autoencoder and the language model train side by side, each on a device of its own where there are two;
the end-to-end stage compiles meanwhile, takes over all devices when they are done, and has the rest of the
time.
"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from mgie_engine.lab.training import packing
from mgie_engine.lab.training.devices import CHOICE, visible
from mgie_engine.lab.training.recipe import PARTS

log = logging.getLogger(__name__)
PACKING_MINUTES = 0.8


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """The options of a run and how its minutes are divided; the first two stages run at the same time."""

    minutes: float
    stories: int
    wordings: int  # of every edit
    first: int = 0  # number of the first story
    vae_share: float = 0.34
    mllm_share: float = 0.16
    start: str | None = None  # model to go on from
    parts: Collection[str] = PARTS  # what of it
    kept: Collection[str] = ()  # which of these are good as they are
    changes: Collection[str] = ()  # in the recipe of the end-to-end stage, each KEY=VALUE as TOML


def train(folder: Path, plan: PipelineConfig, tiny: bool = False) -> None:
    """Train from scratch, from a model's parts, or from files start-*.safetensors in the folder.

    The result is folder/model. CalledProcessError when a stage fails; its log is in the folder.
    """
    end = time.time() + 60 * plan.minutes
    if plan.start is not None:
        packing.unpack(plan.start, folder, plan.parts)
    for part in plan.kept:
        (folder / f"start-{part}.safetensors").replace(folder / f"{part}.safetensors")
    numbers = {"--stories": plan.stories, "--first": plan.first, "--wordings": plan.wordings}
    options = [str(part) for option in numbers.items() for part in option]
    _finish(_stage("dataset", folder, tiny, *options), end)
    stages = list(_stages(folder, plan, end - 60 * PACKING_MINUTES, tiny))
    try:
        for stage in stages:
            _finish(stage, end)
    finally:
        for stage in stages:
            stage.terminate()  # one that waits for another that failed
    _finish(_stage("pack", folder, tiny), end)


def _stages(
    folder: Path, plan: PipelineConfig, until: float, tiny: bool
) -> Iterator["subprocess.Popen[bytes]"]:
    devices = visible()
    if "vae" not in plan.kept:
        yield _stage("mini-vae", folder, tiny, "--minutes", str(plan.vae_share * plan.minutes))
    if "mllm" not in plan.kept:
        minutes = str(plan.mllm_share * plan.minutes)
        yield _stage("mini-mllm", folder, tiny, "--minutes", minutes, device=devices[-1] if devices else "")
    options = ("--until", str(until), *(("--set", *plan.changes) if plan.changes else ()))
    yield _stage("mini-diffusion", folder, tiny, *options, processes=max(len(devices), 1))


def _stage(
    what: str, folder: Path, tiny: bool, *options: str, device: str = "", processes: int = 1
) -> "subprocess.Popen[bytes]":
    several = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    command = [sys.executable, "-m", *(several if processes > 1 else []), "mgie_engine.lab.training"]
    command += ["stage", what, "--folder", str(folder), *options, *(["--tiny"] if tiny else [])]
    chosen = {CHOICE: device} if device else {}
    with (folder / f"{what}.log").open("wb") as log_file:
        return subprocess.Popen(command, stdout=log_file, stderr=subprocess.STDOUT, env=os.environ | chosen)


def _finish(stage: "subprocess.Popen[bytes]", end: float) -> None:
    if code := stage.wait():
        raise subprocess.CalledProcessError(code, stage.args)
    log.info("%s is done, %.1f minutes left", stage.args, (end - time.time()) / 60)
