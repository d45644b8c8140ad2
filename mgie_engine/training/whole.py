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
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch

from mgie_engine.training import packing

log = logging.getLogger(__name__)
PACKING_MINUTES = 1.2


@dataclass(frozen=True, slots=True)
class Plan:
    """How the minutes are shared out; the first two run at the same time."""

    minutes: float
    stories: int
    vae_share: float = 0.24
    mllm_share: float = 0.23


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
    end = time.time() + 60 * plan.minutes
    if start is not None:
        packing.unpack(start, folder, parts)
    _finish(_stage("world", folder, tiny, "--stories", str(plan.stories)), end)
    devices = torch.cuda.device_count()
    stages = [
        _stage("mini-vae", folder, tiny, "--minutes", str(plan.vae_share * plan.minutes)),
        _stage(
            "mini-mllm", folder, tiny, "--minutes", str(plan.mllm_share * plan.minutes), device=devices - 1
        ),
        _stage(
            "mini-diffusion", folder, tiny, "--until", str(end - 60 * PACKING_MINUTES),
            processes=max(devices, 1),
        ),
    ]  # fmt: skip
    try:
        for stage in stages:
            _finish(stage, end)
    finally:
        for stage in stages:
            stage.terminate()  # one that waits for another that failed
    _finish(_stage("pack", folder, tiny), end)


def _stage(
    what: str, folder: Path, tiny: bool, *options: str, device: int = 0, processes: int = 1
) -> "subprocess.Popen[bytes]":
    several = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    command = [sys.executable, "-m", *(several if processes > 1 else []), "mgie_engine.training", what]
    command += ["--folder", str(folder), *options, *(["--tiny"] if tiny else [])]
    chosen = {"CUDA_VISIBLE_DEVICES": str(device)} if device > 0 else {}
    with (folder / f"{what}.log").open("wb") as log_file:
        return subprocess.Popen(command, stdout=log_file, stderr=subprocess.STDOUT, env=os.environ | chosen)


def _finish(stage: "subprocess.Popen[bytes]", end: float) -> None:
    if code := stage.wait():
        raise subprocess.CalledProcessError(code, stage.args)
    log.info("%s is done, %.1f minutes left", stage.args, (end - time.time()) / 60)
