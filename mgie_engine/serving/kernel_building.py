"""Which kernels the levels `same` and `fast` launch, noted ahead, so that they compile while modules load.

`benchmarks/note_kernels.py` updates them in mgie_engine/model/kernels.json. For that a model without
weights runs each kind of program once: its tensors have shapes and no data. A kernel that is not noted, as
for other sizes than those of the models we know, is compiled when it is needed.
"""

import importlib
import logging
import subprocess
import sys
import time
from typing import Any

from mgie_engine.config import ModelConfig

TIMEOUT_S = 120.0  # after which a kernel is compiled where it is first needed
log = logging.getLogger(__name__)


class KernelBuilder:
    """The process that compiles what is noted into Triton's cache; what fails is left to the first use."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        command = [sys.executable, "-m", "mgie_engine.model.kernel_list"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def wait(self) -> None:
        """Return once all is compiled."""
        waited = time.monotonic()
        try:
            code = self._process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        took, waited = time.monotonic() - self._began, time.monotonic() - waited
        log.info("Compiling kernels took %.1f s, %.1f s of it waited for (exit code %d).", took, waited, code)


def launches(config: ModelConfig, tokenizer: Any) -> list[dict[str, Any]]:
    """Notes of all launches of a model of these sizes; needs Triton, and a GPU or the pretence of one."""
    import torch

    from mgie_engine.checkpoints import native
    from mgie_engine.memory.graph_memory import SLOT_PLANS
    from mgie_engine.serving.fast_path import FastPath

    networks = native.empty(config)
    for network in networks.parts().values():
        torch.nn.Module.to(network, "meta", torch.float16)  # diffusers' own warns of what it keeps
    noted: dict[str, dict[str, Any]] = importlib.import_module("mgie_engine.model.triton_launch").noted
    noted.clear()
    FastPath(native.assemble(config, tokenizer, networks), SLOT_PLANS[0]).run_once()
    return list(noted.values())
