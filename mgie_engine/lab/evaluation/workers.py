"""Work on many pictures, spread over processes of one thread each. Knows no model and no pictures.

A GPU paints faster than one process puts back what should stay. Threads are no help: each brings a team of
torch's own, and on a machine of many cores these spend their time waiting for each other.
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

AHEAD = 256  # things in the making, or made and not yet asked for: they lie in memory

Thing = TypeVar("Thing")
Made = TypeVar("Made")


class PoolMap(Protocol):
    """Does some work on things; what is made comes in the order of the things.

    Work may begin before the first is asked for. Work and things are fit to be sent to another process.
    """

    def __call__(self, work: Callable[[Thing], Made], things: Iterable[Thing]) -> Iterator[Made]: ...


def serial_map(work: Callable[[Thing], Made], things: Iterable[Thing]) -> Iterator[Made]:
    """All of it here, each when it is asked for."""
    return map(work, things)


def worker_count(device: torch.device) -> int:
    """How many processes to put beside a model on a device: a CPU has no core to spare, so none there.

    Else one for each thread that torch would take: `torch.set_num_threads` bounds them.
    """
    return 0 if device.type == "cpu" else torch.get_num_threads()


@contextmanager
def worker_pool(count: int) -> Iterator[PoolMap]:
    """Processes that share the work while the block runs; with `count` 0 it is done here, one by one.

    BrokenProcessPool if one is killed.
    """
    if not count:
        yield serial_map
        return
    # Not forked: what runs a model has threads and a GPU in hand, which a fork would tear apart.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, initializer=_begin) as pool:

        def pool_map(work: Callable[[Thing], Made], things: Iterable[Thing]) -> Iterator[Made]:
            return _in_order(pool, work, iter(things))

        yield pool_map


def _in_order(pool: Executor, work: Callable[[Thing], Made], things: Iterator[Thing]) -> Iterator[Made]:
    begun = deque(pool.submit(work, thing) for thing in islice(things, AHEAD))

    def made() -> Iterator[Made]:
        while begun:
            done = begun.popleft().result()
            begun.extend(pool.submit(work, thing) for thing in islice(things, 1))
            yield done

    return made()


def exit_with_parent() -> None:
    """Let this process end with the one that started it, even if that is killed."""
    parent = multiprocessing.parent_process()
    assert parent

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _begin() -> None:
    torch.set_num_threads(1)
    exit_with_parent()
