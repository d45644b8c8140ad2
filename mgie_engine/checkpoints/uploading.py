"""Tensors from their files onto a device.

A GPU fetches only from memory that is locked. One core fills that at a third of what the disk cache gives, so
several threads do, each with a buffer of its own.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

THREADS = 8
AHEAD = 16  # tensors begun before the first of them is taken
CHUNK = 32 * 2**20  # bytes of a thread's buffer

Wanted = tuple[Callable[[], Tensor], torch.dtype]


def uploaded(wanted: Iterable[Wanted], device: torch.device) -> Iterator[Tensor]:
    """What each function returns, on the device and in its type, in the given order."""
    if device.type != "cuda":
        for read, dtype in wanted:
            yield read().to(device, dtype)
        return
    lanes, begun = _Lanes(device), deque[Future[Tensor]]()
    with ThreadPoolExecutor(THREADS, "upload", torch.set_num_threads, (1,)) as threads:
        for read, dtype in wanted:
            begun.append(threads.submit(lanes.copied, read, dtype))
            if len(begun) > AHEAD:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


@dataclass(frozen=True, slots=True)
class _Lane:
    """What one thread copies with."""

    stream: torch.cuda.Stream
    buffer: Tensor  # uint8, locked


class _Lanes:
    """The copying to one device, for threads."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._own = threading.local()

    def copied(self, read: Callable[[], Tensor], dtype: torch.dtype) -> Tensor:
        """A tensor on the device."""
        tensor = read().to(dtype).contiguous()
        # Its memory is of the main stream, where nothing uses it yet.
        onto = torch.empty(tensor.shape, dtype=dtype, device=self._device)
        source, target = (t.reshape(-1).view(torch.uint8) for t in (tensor, onto))
        lane = self._lane()
        with torch.cuda.stream(lane.stream):
            for at in range(0, len(source), CHUNK):
                part = source[at : at + CHUNK]
                target[at : at + CHUNK].copy_(lane.buffer[: len(part)].copy_(part), non_blocking=True)
                lane.stream.synchronize()
        return onto

    def _lane(self) -> _Lane:
        if not hasattr(self._own, "lane"):
            buffer = torch.empty(CHUNK, dtype=torch.uint8, pin_memory=True)
            self._own.lane = _Lane(torch.cuda.Stream(self._device), buffer)  # type: ignore[no-untyped-call]
        lane: _Lane = self._own.lane
        return lane
