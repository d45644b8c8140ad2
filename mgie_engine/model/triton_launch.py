"""Launching Triton kernels, and compiling them before there is anything to launch.

Which code a kernel becomes depends on the types of its arguments and on a few properties of its numbers, not
on data. So a launch can be noted as such, and compiled from the note by a process that knows no network.
"""

import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

MOST_THREADS = 16
Note = dict[str, Any]  # the kernel's module and name, its arguments in order, its options
noted: dict[str, Note] = {}


def launch(kernel: Any, grid: tuple[int, ...], like: Tensor) -> Callable[..., Any]:
    """What takes the kernel's arguments; with `like` on the device "meta" the launch is only noted."""
    if not like.is_meta:
        return kernel[grid]  # type: ignore[no-any-return]

    def note(*arguments: Any, **options: Any) -> None:
        kept = [_kept(argument) for argument in arguments]
        found = {"module": kernel.fn.__module__, "kernel": kernel.fn.__name__, "arguments": kept}
        noted.setdefault(json.dumps(found | {"options": options}), found | {"options": options})

    return note


def _kept(argument: Any) -> Any:
    """What of an argument decides: a tensor's type, whether an integer is 1 or a multiple of 16."""
    if isinstance(argument, Tensor):
        return str(argument.dtype).removeprefix("torch.")
    if isinstance(argument, int):
        return 1 if argument == 1 else 16 if argument % 16 == 0 else 2
    return 0.5


def compile_all(notes: Iterable[Note], find: Callable[[str, str], Any]) -> None:
    """Compile what is noted and build what launches it, by several threads; `find`: a kernel by its names."""
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), "kernels") as threads:
        list(threads.map(lambda note: _compiled(note, find(note["module"], note["kernel"])), notes))


def _compiled(note: Note, kernel: Any) -> None:
    arguments = [_made(kept) for kept in note["arguments"]]
    made = kernel.warmup(*arguments, grid=(1,), **note["options"])
    _ = made.run  # builds the launcher


def _made(kept: Any) -> Any:
    return torch.empty(0, device="meta", dtype=getattr(torch, kept)) if isinstance(kept, str) else kept
