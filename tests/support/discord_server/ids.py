"""Snowflakes: ids that carry their time of birth, as Discord makes them."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime

DISCORD_EPOCH_MS = 1_420_070_400_000


class Snowflakes:
    """Hand out ids that never repeat and never go back, whatever the clock does."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._count = itertools.count(1)
        self._last_ms = 0

    def next(self) -> int:
        """A fresh id: milliseconds since Discord's epoch above 22 bits of counter."""
        now_ms = int(self._now_s() * 1000) - DISCORD_EPOCH_MS
        self._last_ms = max(self._last_ms, now_ms)
        return (self._last_ms << 22) | (next(self._count) & 0x3FFFFF)


def born_at(snowflake: int) -> str:
    """The ISO time at which an id was made."""
    milliseconds = (snowflake >> 22) + DISCORD_EPOCH_MS
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
