"""Whether old pictures may be deleted now, or the machine's clock may be wrong. Pure.

A clock that is a month ahead makes every picture look old. So a tidy deletes nothing for a day after the
clock jumped, and a tidy that would delete most pictures waits for a day in which the clock ran evenly.
"""

JUMP_S = 3600.0
SETTLE_S = 24 * 3600.0
FEW = 10  # so many pictures or fewer are not "most"


class TidyGuard:
    """Asked before each tidy; remembers how the clock ran between them."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._jump_s = 0.0
        self._jumped_at: float | None = None  # on the uptime clock, like the next
        self._most_since: float | None = None

    def objection(self, now: float, uptime_s: float, old: int, stored: int) -> str | None:
        """Why `old` of `stored` pictures must stay for now, or None.

        now       Unix seconds, by the clock that can be set
        uptime_s  seconds by a clock that cannot be set
        """
        self._compare_clocks(now, uptime_s)
        is_most = old > FEW and 2 * old > stored
        self._most_since = (uptime_s if self._most_since is None else self._most_since) if is_most else None
        if not old:
            return None
        if self._jumped_at is not None and uptime_s - self._jumped_at < SETTLE_S:
            return f"the clock jumped by {self._jump_s:+.0f} s"
        if self._most_since is not None and uptime_s - self._most_since < SETTLE_S:
            return "that is most of them, and the clock may be wrong"
        return None

    def _compare_clocks(self, now: float, uptime_s: float) -> None:
        if self._last is not None:
            jump_s = (now - self._last[0]) - (uptime_s - self._last[1])
            if abs(jump_s) > JUMP_S:
                self._jump_s, self._jumped_at, self._most_since = jump_s, uptime_s, None
        self._last = now, uptime_s
