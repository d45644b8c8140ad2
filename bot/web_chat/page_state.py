"""What the page shows at one moment, as a plain value; and the address-free facts the templates need.

Knows nothing of HTTP, files or the workflow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.chat.replies import Card, CardState
from conversations.messages import Message

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Choice:
    """A button under a notice: what it does, as PressedButton."""

    act: str
    about: str
    label: Message


@dataclass(frozen=True, slots=True)
class PageState:
    """The versions of the talk, oldest first, and where this person stands.

    cards   one per version; a running one carries its latest progress
    head    turn id of the version the next words refine; None before the first picture
    sizes   width and height by ImageStore key, so that frames have their shape before pictures arrive
    can_redo    whether redo leads anywhere
    """

    cards: tuple[Card, ...] = ()
    head: str | None = None
    sizes: Mapping[str, Size] = field(default_factory=dict)
    can_redo: bool = False

    @property
    def current(self) -> Card | None:
        """The card of the head."""
        return next((card for card in self.cards if card.turn_id == self.head), None)

    @property
    def active(self) -> Card | None:
        """The card that is worked on: the one that runs, else the oldest that waits."""
        unfinished = [card for card in self.cards if not card.state.is_final]
        running = [card for card in unfinished if card.state is CardState.RUNNING]
        return next(iter(running + unfinished), None)

    @property
    def subject(self) -> Card | None:
        """What the stage shows: the head once it is there, until then whatever is worked on."""
        current = self.current
        return current if current and current.state.is_final else self.active or current


def picture_of(card: Card) -> str | None:
    """The ImageStore key of the picture a card stands for, once there is one."""
    return card.after if card.state.is_final and card.after else None
