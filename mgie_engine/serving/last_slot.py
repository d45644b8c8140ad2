"""Who may take the last free slot: others, where an owner has an edit running already. No torch or clock.

Edits are not interrupted, so an owner who fills every slot makes a newcomer wait for the shortest of them,
however fair the queue is. Where nobody else asked lately, an owner may have all slots.
"""

from collections.abc import Collection

LATELY_S = 600.0


class LastSlot:
    """Remembers who asked lately; times are seconds of any one clock."""

    def __init__(self) -> None:
        self._asked_at: dict[str, float] = {}  # by owner, the latest last

    def asked(self, owner: str, now: float) -> None:
        """`owner` asked for an edit."""
        self._asked_at.pop(owner, None)
        self._asked_at[owner] = now
        while self._asked_at[oldest := next(iter(self._asked_at))] <= now - LATELY_S:
            del self._asked_at[oldest]

    def may_take(self, owner: str, running: Collection[str], slots: int, now: float) -> bool:
        """Whether an edit of `owner` may start beside the edits of these owners, with `slots` in all."""
        if len(running) < slots - 1 or owner not in running:
            return True
        return not any(other != owner and at > now - LATELY_S for other, at in self._asked_at.items())
