"""The chat the workflow sees: the latest card of every unfinished turn, and who waits for the next one."""

import asyncio
import secrets
from collections import OrderedDict, defaultdict
from dataclasses import replace

from bot.chat.interface import PostsNothing
from bot.chat.replies import Card
from conversations.turn import Turn

NAME = "web"
USERS = 10_000  # whose last change is known


class LiveCards(PostsNothing):
    """Implements `Chat`. Showing a card stores it here and wakes the event streams of its user.

    A final card is dropped, because from then on the store tells the same and survives a restart.
    """

    def __init__(self) -> None:
        self._started = secrets.token_hex(4)  # revisions of an earlier run must not look current
        self._number = 0  # of changes of all users
        self._changes = OrderedDict[str, int]()  # the number of each user's last change, the oldest first
        self._forgotten = 0  # of the changes no longer in `_changes`, the highest number
        self._live: defaultdict[str, dict[str, Card]] = defaultdict(dict)
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.is_closed = False

    @property
    def name(self) -> str:
        """The first part of every key of this chat."""
        return NAME

    @property
    def is_connected(self) -> bool:
        """The web chat is always connected."""
        return True

    async def show(self, turn: Turn, card: Card) -> str | None:
        """Store the card of a turn; the last preview stays in sight until there is another."""
        before = self._live[turn.user].get(turn.id)
        if before is not None and card.preview is None:
            card = replace(card, preview=before.preview)
        if card.state.is_final:
            self._drop(turn)
        else:
            self._live[turn.user][turn.id] = card
        self.touch(turn.user)
        return f"{NAME}:{turn.id}"

    async def already_delivered(self, turn: Turn) -> str | None:
        """A turn whose end is stored can be seen on every page, so it counts as delivered."""
        return f"{NAME}:{turn.id}"

    async def retract(self, turn: Turn, key: str | None) -> None:
        """Remove the card of an erased turn."""
        self._drop(turn)
        self.touch(turn.user)

    def touch(self, user: str) -> None:
        """Something changed that the pages of this user show."""
        self._number += 1
        self._changes[user] = self._number
        self._changes.move_to_end(user)
        while len(self._changes) > USERS:
            _, self._forgotten = self._changes.popitem(last=False)
        for waiter in self._waiting.get(user, ()):
            waiter.set()

    def revision(self, user: str) -> str:
        """Run and number of the last change: "4f1c2a90.17". In one run a later state has a higher number."""
        return f"{self._started}.{self._changes.get(user, self._forgotten)}"

    async def changed(self, user: str, revision: str, wait_s: float, waiter: asyncio.Event) -> bool:
        """Wait until the revision is another one; False when it still is the same.

        Waits `wait_s` seconds at most, and no longer than until `waiter` is set or this is closed.
        """
        self._waiting[user].add(waiter)
        try:
            if not self.is_closed and self.revision(user) == revision:
                async with asyncio.timeout(wait_s):
                    await waiter.wait()
        except TimeoutError:
            pass
        finally:
            waiter.clear()
            self._waiting[user].discard(waiter)
            if not self._waiting[user]:
                del self._waiting[user]
        return self.revision(user) != revision

    def close(self) -> None:
        """End every wait."""
        self.is_closed = True
        for waiters in self._waiting.values():
            for waiter in waiters:
                waiter.set()

    def latest(self, user: str, card: Card) -> Card:
        """The card as last shown while its turn is unfinished; `card` itself when that is news."""
        live = self._live.get(user, {}).get(card.turn_id)
        return card if live is None or card.state.is_final else live

    def _drop(self, turn: Turn) -> None:
        self._live[turn.user].pop(turn.id, None)
        if not self._live[turn.user]:
            del self._live[turn.user]
