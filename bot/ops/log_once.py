"""A log that strangers cannot fill: of every kind of line one a minute."""

import logging
from collections.abc import Callable

from bot.ops.clocks import uptime_s

EVERY_S = 60.0
KINDS = 1000  # remembered at once


class OncePerMinute(logging.Filter):
    """Lets a line pass if none of its kind, that is of its text before parameters are put in, just did.

    The next line of a kind says how many were left out.
    """

    def __init__(self, clock: Callable[[], float] = uptime_s) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}  # by kind: when, and how many were left out since

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        kind, now = str(record.msg), self._clock()
        said_at, left_out = self._said.get(kind, (now - EVERY_S, 0))
        if now - said_at < EVERY_S:
            self._said[kind] = (said_at, left_out + 1)
            return False
        if len(self._said) >= KINDS:
            self._said.clear()
        self._said[kind] = (now, 0)
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out} more like this in the last minutes)"
            record.args = ()
        return True
