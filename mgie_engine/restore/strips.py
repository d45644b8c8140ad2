"""Work on a large picture in strips of rows that fit the CPU's cache, on several cores at once.

Torch and numpy release the interpreter's lock while they compute, so threads suffice.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

STRIP_PIXELS = 1 << 16  # a plane of float32 takes 256 KiB
MOST_CORES = 4  # for one picture: beyond, memory is the limit
_share = threading.local()


def prepare_thread(cores_at_most: int) -> None:
    """Give the calling thread one core for torch's operations, and more for work on large pictures."""
    torch.set_num_threads(1)
    _share.cores = cores_at_most


def cores() -> int:
    """How many cores work on a large picture may use that this thread asks for."""
    return min(getattr(_share, "cores", 0) or torch.get_num_threads(), MOST_CORES)


def in_strips(shape: Sequence[int], work: Callable[[slice], None], pixels: int = STRIP_PIXELS) -> None:
    """Call `work` for rows that together are all rows of an array, about `pixels` pixels at a time.

    shape: height, width and more.

    Strips are worked on in any order and at once, so none may depend on another. An error ends the call.
    """
    height, width = shape[:2]
    rows = max(1, pixels // width)
    strips = [slice(top, min(top + rows, height)) for top in range(0, height, rows)]
    at_once = min(cores(), len(strips))
    if at_once < 2:
        for strip in strips:
            work(strip)
        return
    with ThreadPoolExecutor(at_once, "strips", torch.set_num_threads, (1,)) as pool:
        for done in [pool.submit(torch.inference_mode()(work), strip) for strip in strips]:
            done.result()
