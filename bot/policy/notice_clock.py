"""When operators hear of a notice: at once, and again until it is decided. Pure."""

from conversations.shares import DAY_S, HOUR_S

DECIDED_WITHIN_S = 48 * HOUR_S
REMINDED_AFTER_S = (0.0, DAY_S, 42 * HOUR_S, DECIDED_WITHIN_S)  # then every 24 hours
OVERDUE_EVERY_S = DAY_S


def is_due(at: float, reminded_at: float | None, now: float) -> bool:
    """Whether operators must be told at `now` of a notice that came at `at`; all in Unix seconds."""
    if reminded_at is None:
        return True
    if reminded_at >= at + DECIDED_WITHIN_S:
        return now - reminded_at >= OVERDUE_EVERY_S
    return any(reminded_at < at + after_s <= now for after_s in REMINDED_AFTER_S)
