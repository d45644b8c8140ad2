"""The chat that the workflow sees: who waits for the card of which request."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from bot.chat.interface import PostsNothing
from bot.chat.replies import Card
from conversations.turn import Turn

NAME = "api"


class ApiChat(PostsNothing):
    """Implements `Chat`. A request has a channel of its own, and takes the cards shown there as they come."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Queue[Card]] = {}

    @property
    def name(self) -> str:
        """The first part of every key of this chat."""
        return NAME

    @property
    def is_connected(self) -> bool:
        """Always: a client that lost its connection asks again."""
        return True

    @contextmanager
    def cards_of(self, channel: str) -> Iterator[asyncio.Queue[Card]]:
        """While the block runs, the cards that are shown in a channel."""
        cards = self._waiting[channel] = asyncio.Queue[Card]()
        try:
            yield cards
        finally:
            del self._waiting[channel]

    async def show(self, turn: Turn, card: Card) -> str | None:
        """Pass the card on, unless the request has ended or was made before a restart."""
        if cards := self._waiting.get(turn.source.channel or ""):
            cards.put_nowait(card)
        return f"{NAME}:{turn.id}"

    async def already_delivered(self, turn: Turn) -> str | None:
        """The request ended with the process, so its result counts as delivered."""
        return f"{NAME}:{turn.id}"

    async def retract(self, turn: Turn, key: str | None) -> None:
        """Nothing of a turn is kept here."""
