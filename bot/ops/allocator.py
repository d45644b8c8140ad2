"""How this process gives memory back to the system."""

import ctypes

_M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
LARGE_BYTES = 256 * 1024


def give_back_large_blocks() -> None:
    """Let blocks of LARGE_BYTES and more go back to the system when they are freed. Nothing without glibc.

    Otherwise glibc raises this limit to the size of whatever is freed, up to 32 MiB, and keeps such blocks in
    the heap of the thread that asked for them. The table of interned strings, some 2 MiB, is rebuilt in
    one thread or another, since opening files fills it, and so came to stand in the heap of every thread.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
