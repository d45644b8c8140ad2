"""A double click on a button that varies an edit: the second press gets the answer of the first."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.chat.events import VariationAsked
from bot.chat.replies import Accepted
from conversations.turn import Turn
from conversations.variations import Variation

DOUBLE_CLICK_S = 1.0


@dataclass(eq=False)
class DoubleClicks:
    """The last variation of each user. `uptime`: a clock in seconds that cannot be set."""

    uptime: Callable[[], float]
    _last: dict[str, tuple[float, str, Variation, Accepted]] = field(default_factory=dict)  # by user

    def answer_to(self, asked: VariationAsked, turn: Turn) -> Accepted | None:
        """The answer to the press before, if this is the second of a double click."""
        at, turn_id, variation, reply = self._last.get(asked.user, (0.0, "", None, None))
        is_same = (turn_id, variation) == (turn.id, asked.variation) and not (asked.reading or asked.text)
        return reply if is_same and self.uptime() - at < DOUBLE_CLICK_S else None

    def answered(self, asked: VariationAsked, turn: Turn, reply: Accepted) -> None:
        """A press was answered."""
        now = self.uptime()
        lately = {user: last for user, last in self._last.items() if now - last[0] < DOUBLE_CLICK_S}
        self._last = {**lately, asked.user: (now, turn.id, asked.variation, reply)}
