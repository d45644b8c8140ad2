"""A pool of single-threaded worker processes. Knows no model and no pictures.

Restoring in one process is slower than GPU inference. Threads do not help: each starts torch's own thread
team, and on a machine of many cores these teams wait for each other.
"""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Protocol, TypeVar

import torch

AHEAD = 256  # items in flight or finished and not yet consumed; they stay in memory

Thing = TypeVar("Thing")
Made = TypeVar("Made")


class PoolMap(Protocol):
    """Maps a function over items; results come in the order of the items.

    Work may begin before the first result is requested. Function and items must be picklable.
    """

    def __call__(self, work: Callable[[Thing], Made], things: Iterable[Thing]) -> Iterator[Made]: ...


def serial_map(work: Callable[[Thing], Made], things: Iterable[Thing]) -> Iterator[Made]:
    """Run everything in this process, each item when its result is requested."""
    return map(work, things)


def worker_count(device: torch.device) -> int:
    """Worker processes beside a model on a device: none on a CPU, which has no core to spare.

    On a GPU one per torch thread: `torch.set_num_threads` limits them.
    """
    return 0 if device.type == "cpu" else torch.get_num_threads()


@contextmanager
def worker_pool(count: int) -> Iterator[PoolMap]:
    """A pool of worker processes for the block; with `count` 0 the work runs in this process.

    BrokenProcessPool if one is killed.
    """
    if not count:
        yield serial_map
        return
    # Not forked: a process that runs a model has threads and a GPU context, which do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, initializer=_begin) as pool:

        def pool_map(work: Callable[[Thing], Made], things: Iterable[Thing]) -> Iterator[Made]:
            return in_order(pool, work, things, AHEAD)

        yield pool_map


def in_order(
    pool: Executor, work: Callable[[Thing], Made], things: Iterable[Thing], ahead: int
) -> Iterator[Made]:
    """The results of `work` in order, with up to `ahead` in flight; the first begin at once."""
    left = iter(things)
    begun = deque(pool.submit(work, thing) for thing in islice(left, ahead))

    def made() -> Iterator[Made]:
        while begun:
            done = begun.popleft().result()
            begun.extend(pool.submit(work, thing) for thing in islice(left, 1))
            yield done

    return made()


def exit_with_parent() -> None:
    """Exit when the parent process ends, even if it is killed."""
    parent = multiprocessing.parent_process()
    assert parent

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _begin() -> None:
    torch.set_num_threads(1)
    exit_with_parent()
