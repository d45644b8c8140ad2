"""Few file descriptors: more where the system allows it, one log line a minute where it does not."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from bot.ops.clocks import uptime_s

log = logging.getLogger(__name__)

ENOUGH = 65_536
LOG_EVERY_S = 60.0
_CANNOT_ACCEPT = "socket.accept() out of system resource"  # how asyncio says it, once per waiting connection


def raise_descriptor_limit() -> None:
    """Let this process open as many files and connections as the system lets it."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def free_descriptors() -> int:
    """How many more files and connections this process may open."""
    if sys.platform == "win32":
        return ENOUGH
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = ENOUGH if soft == resource.RLIM_INFINITY else min(soft, ENOUGH)
    try:
        return max(0, limit - len(os.listdir("/dev/fd")))
    except OSError:
        return limit // 2


@contextmanager
def surviving_exhaustion(make_room: Callable[[], int] = lambda: 0) -> Iterator[None]:
    """While the block runs, a server that is out of descriptors calls `make_room` and says so once a minute.

    `make_room` closes connections and returns how many. To be used on the event loop; may be nested, then the
    innermost counts.
    """
    loop = asyncio.get_running_loop()
    outer, said_at = loop.get_exception_handler(), -LOG_EVERY_S

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal said_at
        if context.get("message") != _CANNOT_ACCEPT:
            if outer:
                outer(loop, context)
            else:
                loop.default_exception_handler(context)
            return
        closed = make_room()
        if uptime_s() - said_at >= LOG_EVERY_S:
            said_at = uptime_s()
            log.warning("out of file descriptors; new connections wait, %d idle ones were closed", closed)

    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        loop.set_exception_handler(outer)
