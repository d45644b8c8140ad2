"""The chat the workflow sees: the latest card of every unfinished turn, for pages to poll."""

import secrets
from collections import defaultdict
from dataclasses import replace

from bot.chat.replies import Card
from conversations.session import Turn

NAME = "web"


class LiveCards:
    """Implements `Chat`. Showing is putting up: the pages of that person look whenever they like.

    A final card is dropped, because from then on the store tells the same and survives a restart.
    """

    def __init__(self) -> None:
        self._started = secrets.token_hex(4)  # marks of an earlier run must not look current
        self._changes: defaultdict[str, int] = defaultdict(int)
        self._live: defaultdict[str, dict[str, Card]] = defaultdict(dict)

    @property
    def name(self) -> str:
        """The first part of every key of this chat."""
        return NAME

    @property
    def is_connected(self) -> bool:
        """The web chat is always connected."""
        return True

    async def show(self, turn: Turn, card: Card) -> str | None:
        """Put up the card of a turn; the last preview stays in sight until there is another."""
        before = self._live[turn.user].get(turn.id)
        if before is not None and card.preview is None:
            card = replace(card, preview=before.preview)
        if card.state.is_final:
            self._live[turn.user].pop(turn.id, None)
        else:
            self._live[turn.user][turn.id] = card
        self._changes[turn.user] += 1
        return f"{NAME}:{turn.id}"

    async def already_delivered(self, turn: Turn) -> str | None:
        """A turn whose end is stored can be seen on every page, so it counts as delivered."""
        return f"{NAME}:{turn.id}"

    async def retract(self, turn: Turn, key: str | None) -> None:
        """Take the card of an erased turn down."""
        if self._live[turn.user].pop(turn.id, None) is not None:
            self._changes[turn.user] += 1

    def revision(self, person: str) -> str:
        """Changes whenever something new was shown to this person."""
        return f"{self._started}:{self._changes[person]}"

    def latest(self, person: str, card: Card) -> Card:
        """The card as last shown while its turn is unfinished; `card` itself when that is news."""
        live = self._live[person].get(card.turn_id)
        return card if live is None or card.state.is_final else live
