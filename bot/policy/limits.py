"""Who may ask, how often, how much: pure rules over numbers; the clock comes in as an argument."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bot.chat.replies import Say


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers behind the rules."""

    waiting_per_person: int = 3  # edits not yet started
    waiting: int = 100  # of everybody
    instruction_chars: int = 400
    requests: int = 10  # per person in any window of `window_s` seconds
    window_s: float = 12.0
    head_ttl_s: float = 1800.0  # how long "it" still means my last picture here


def objection_to_words(words: str, limits: Limits) -> str | None:
    """Why this instruction cannot be taken, or None."""
    if not words:
        return Say.NO_WORDS()
    if len(words) > limits.instruction_chars:
        return Say.TOO_LONG(length=len(words), limit=limits.instruction_chars)
    return None


def objection_to_queueing(own: int, waiting: int, limits: Limits) -> str | None:
    """Why a person with `own` waiting edits, of `waiting` in all, may not add one, or None."""
    if own >= limits.waiting_per_person:
        return Say.TOO_MANY_WAITING(count=own, limit=limits.waiting_per_person)
    if waiting >= limits.waiting:
        return Say.QUEUE_FULL(limit=limits.waiting)
    return None


@dataclass(frozen=True, slots=True)
class RateLimiter:
    """When one person asked lately: Unix or monotonic seconds, oldest first."""

    times: tuple[float, ...] = ()

    def after(self, now: float, limits: Limits) -> "RateLimiter":
        """The pace with one more request; forgets what left the window."""
        return RateLimiter((*self._recent(now, limits), now))

    def objection(self, now: float, limits: Limits) -> str | None:
        """Why a request at `now` comes too fast, with the time to wait, or None."""
        recent = self._recent(now, limits)
        if len(recent) < limits.requests:
            return None
        wait = recent[-limits.requests] + limits.window_s - now
        return Say.TOO_FAST(
            limit=limits.requests,
            window=f"{limits.window_s:g} s",
            seconds=f"{max(1, math.ceil(wait))} s",
        )

    def is_idle(self, now: float, limits: Limits) -> bool:
        """Whether nothing of it matters any more."""
        return not self._recent(now, limits)

    def _recent(self, now: float, limits: Limits) -> tuple[float, ...]:
        return tuple(time for time in self.times if now - time < limits.window_s)


def is_fresh(moved_at: Iterable[float], now: float, limits: Limits) -> bool:
    """Whether a head last touched at the latest of these Unix seconds still counts as "it"."""
    return now - max(moved_at, default=0.0) < limits.head_ttl_s
