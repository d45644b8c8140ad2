"""A clock that cannot be set, and the run of the machine that it counts in."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

# Seconds since some moment in the past; counts on while the machine sleeps, where the system says so.
uptime_s: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


def boot_id() -> str:
    """A name for the present run of the machine, during which `uptime_s` counts; "" where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
