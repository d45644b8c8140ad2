"""Where edits are shown: the private answer to a command waits for the message that it links to."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from weakref import WeakValueDictionary

from bot.chat.replies import Card

REMEMBERED = 500  # newest edits


class ShownMessages:
    """The newest card of each of the newest edits, with the key of the message that shows it."""

    def __init__(self) -> None:
        self._cards = OrderedDict[str, Card]()  # by turn
        self._changes = WeakValueDictionary[str, asyncio.Event]()  # by turn that is waited for

    def shown(self, card: Card, key: str | None) -> None:
        """A message shows the edit now; without a key, none does."""
        if key is None:
            return
        self._cards[card.turn_id] = replace(card, key=key, preview=None)
        self._cards.move_to_end(card.turn_id)
        while len(self._cards) > REMEMBERED:
            self._cards.popitem(last=False)
        if change := self._changes.pop(card.turn_id, None):
            change.set()

    async def card(self, turn_id: str, is_right: Callable[[Card], bool], within_s: float) -> Card | None:
        """The card of an edit once it is as wanted; None if it is not within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while (card := self._cards.get(turn_id)) is None or not is_right(card):
                    change = self._changes.setdefault(turn_id, asyncio.Event())
                    await change.wait()
                return card
        return None
