"""A clock that nobody sets."""

import time
from collections.abc import Callable
from functools import partial

# Seconds since some moment in the past; counts on while the machine sleeps, where the system says so.
uptime_s: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)
