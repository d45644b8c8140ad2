"""Programs of fixed shape: recorded once as CUDA graphs, replayed without Python between their kernels.

A program is a function without arguments. It reads and writes tensors that keep their place, so a replay
needs no allocation and no launch from Python. Without CUDA, or where recording fails, the function itself
runs each time.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import torch

T = TypeVar("T")
Program = Callable[[], T]
_ONE_CAPTURE = threading.Lock()  # at a time in this process
WARM_UPS = 1  # libraries choose and allocate at their first call, which a recording must not see
log = logging.getLogger(__name__)


class Graphs:
    """The recorded programs of one device; all share one pool of memory."""

    def __init__(self, device: torch.device, enabled: bool = True) -> None:
        self.device = device
        self.recorded = 0
        # ROCm and MPS are left to eager execution: nothing here was ever run on them.
        self.enabled = enabled and device.type == "cuda" and torch.version.hip is None
        self._pool = torch.cuda.graph_pool_handle() if self.enabled else None
        # The libraries keep a workspace per stream and record its address, so programs that may run at the
        # same time must not be recorded on the same stream.
        self._stream: Any = torch.cuda.Stream(device) if self.enabled else None  # type: ignore[no-untyped-call]

    @torch.inference_mode()
    def record(self, name: str, program: Program[T]) -> Program[T]:
        """The program as a graph; the program itself where it cannot be recorded, said once in the log.

        What a recorded program returns are always the same tensors, overwritten by its next replay. Running
        out of memory raises torch.OutOfMemoryError, because the caller may do with fewer programs.
        """
        if not self.enabled:
            return program
        try:
            return self._recorded(program)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            log.warning("%s cannot be recorded as a CUDA graph and runs eagerly: %s", name, error)
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)
            return program

    def _recorded(self, program: Program[T]) -> Program[T]:
        current = torch.cuda.current_stream(self.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            for _ in range(WARM_UPS):
                program()
        current.wait_stream(self._stream)
        graph = torch.cuda.CUDAGraph()
        # "thread_local": other threads may allocate meanwhile, to open or to finish a picture.
        capture = torch.cuda.graph(
            graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"
        )
        with _ONE_CAPTURE, capture:
            result = program()
        self.recorded += 1

        def replay() -> T:
            graph.replay()
            return result

        return replay
