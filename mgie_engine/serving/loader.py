"""Which model to run and on what. A value until `load` is called; only then is torch imported."""

import contextlib
import ctypes
import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mgie_engine.errors import EngineError

if TYPE_CHECKING:
    from mgie_engine.memory.loading import Loaded
    from mgie_engine.model.mgie import MGIE
    from mgie_engine.serving.engine import Engine


log = logging.getLogger(__name__)
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
KEPT_BYTES = 1 << 28  # freed memory that stays with a process on a CPU
SWITCH_S = 0.0005  # a thread that finishes a picture keeps the loop, which launches, waiting at most so long
SPINS = "5000"  # looks at a flag, some tenths of a millisecond in all; more gain little and cost others more


@contextmanager
def _garbage_waiting() -> Iterator[None]:
    """Imports make a million objects that stay; looking through them for garbage is a sixth of a start."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model by name or folder, and the device it runs on."""

    model: str = "mgie-mini"
    home: Path | None = None  # where models that are not bundled lie
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1"
    threads: int | None = None  # of the CPU; None: one per core
    memory: str = "auto"  # "auto", or a memory mode by name
    level: str = "auto"  # "auto", or a level by name: how exactly is computed
    framing: str = "auto"  # "auto" (squeeze), "squeeze", "crop" or "aspect": what of a picture is shown

    def files_version(self) -> tuple[tuple[str, int, int], ...]:
        """Names, sizes and times of the model's files; empty if there is no such model."""
        from mgie_engine.config import resolve_model

        try:
            folder = resolve_model(self.model, self.home).folder
            files = [*folder.glob("*"), *folder.glob("*/*"), *folder.glob("*/*/*")]
            found = ((str(file), file.lstat()) for file in files)
            return tuple(sorted((name, at.st_size, at.st_mtime_ns) for name, at in found))
        except (EngineError, OSError):
            return ()

    def load(self) -> "MGIE":
        """Load the weights onto the device; raises ModelError."""
        return self.load_fitting().mgie

    @_garbage_waiting()
    def load_fitting(self) -> "Loaded":
        """The same, and in which memory mode; raises ModelError."""
        _let_threads_sleep()
        _grow_segments()
        import torch

        from mgie_engine.config import resolve_model
        from mgie_engine.memory import loading, modes

        requested = modes.parse(self.memory, modes.Mode, "memory mode")
        if self.threads:
            torch.set_num_threads(self.threads)
        torch.backends.cudnn.deterministic = True  # the same request shall give the same bytes
        location = resolve_model(self.model, self.home)
        device, quick_bf16 = torch.device(loading.find_device(self.device)), loading.has_quick_bf16()
        if device.type == "cpu":
            _keep_freed_memory()
        return loading.load_fitting(location, device, requested, quick_bf16=quick_bf16)

    @_garbage_waiting()
    def build(self) -> "Engine":
        """An engine with the model loaded, for an engine process; raises ModelError."""
        _let_threads_sleep()
        _grow_segments()
        import torch

        builder = None
        if self._has_fast_level(torch.cuda.is_available()):
            from mgie_engine.serving.kernel_building import KernelBuilder

            builder = KernelBuilder()
            threading.Thread(target=_load_libraries, args=(self.device,), daemon=True).start()
        began = time.monotonic()
        from mgie_engine.memory.modes import STAGED, parse
        from mgie_engine.serving import precision_levels
        from mgie_engine.serving.engine import Engine
        from mgie_engine.serving.framing import Framing

        imported = time.monotonic()
        framing = parse(self.framing, Framing, "framing") or Framing.SQUEEZE
        level = parse(self.level, precision_levels.Level, "level")
        if framing is Framing.ASPECT:
            level = precision_levels.Level.EXACT
        loaded = self.load_fitting()
        log.info("Modules took %.1f s, weights %.1f s.", imported - began, time.monotonic() - imported)
        if builder:
            builder.wait()
        prepared = precision_levels.prepare(loaded.mgie, loaded.mode, level)
        slots = 1 if loaded.mode in STAGED else None
        if prepared.fast:
            sys.setswitchinterval(SWITCH_S)
        # As plain text: results travel to a process that must not import what the enum's module imports.
        name = prepared.level.value
        return Engine(loaded.mgie, slots=slots, fast=prepared.fast, level=name, framing=framing)

    def _has_fast_level(self, has_gpu: bool) -> bool:
        """Whether kernels of our own may be needed, as far as that is known before anything is loaded."""
        has_none = self.memory in ("swap", "offload") or self.level == "exact" or self.framing == "aspect"
        return has_gpu and self.device != "cpu" and not has_none


def _load_libraries(device: str) -> None:
    """Have the GPU's libraries, a gigabyte of them, read while modules are imported; for a thread."""
    import torch

    with contextlib.suppress(RuntimeError):  # whatever it is, loading the model will say it better
        x = torch.ones(1, 64, 64, 64, device="cuda" if device == "auto" else device, dtype=torch.float16)
        torch.nn.functional.conv2d(x, x.new_ones(64, 64, 3, 3), padding=1)
        torch.nn.functional.scaled_dot_product_attention(x, x, x)
        torch.nn.functional.linear(x, x[0, 0]).sum().item()


def _grow_segments() -> None:
    """Before torch takes any memory of a GPU: in segments that can grow, so that little of it lies idle."""
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")


def _let_threads_sleep() -> None:
    """Before torch is imported: let idle threads of OpenMP spin for a moment only, then sleep.

    As soon as anything else wants a core, spinning threads take it from those that work: on two cores, one of
    them busy with something else, an edit took 36 s instead of 4. But to wake a thread for each of an edit's
    thousands of short steps is a fifth of its time on a slow host. A policy that is already set stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


def _keep_freed_memory() -> None:
    """Let the next step have what one frees, instead of giving it back to the system page by page.

    Decoding frees blocks of 32 MiB by the dozen, and getting each of them again, zeroed, is a tenth of an
    edit. Where the C library has no such option, nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):
        return
    for option in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
        mallopt(option, KEPT_BYTES)
