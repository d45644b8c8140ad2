"""A clock that nobody sets."""

import time


def uptime_s() -> float:
    """Seconds since some moment in the past; counts on while the machine sleeps, where the system says so."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
