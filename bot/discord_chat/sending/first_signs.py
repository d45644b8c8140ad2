"""The first sign that an edit was taken, before there is a card: typing, and a reaction in a busy channel.

Typing and reactions have rate limits of their own, so neither holds up a message. Typing tells everybody in
the channel that the bot is at work. Where that may be about another edit, a reaction tells each user.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

import discord

from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.gateway_metrics import AckTimes
from bot.discord_chat.inbound.reply_context import ReplyContext

TAKEN = "🎨"
TYPING_EVERY_S = 4.0  # per channel; Discord shows the indicator for 10 s or until the next message
KEPT = 1000  # channels in which the bot typed last
log = logging.getLogger(__name__)


class FirstSigns:
    """Shows a first sign for each turn, once. Owns the tasks that send them and cancels them at exit."""

    def __init__(
        self, client: discord.Client, acks: AckTimes, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock`: seconds."""
        self._client, self._acks, self._clock = client, acks, clock
        self._open: dict[str, int] = {}  # turn → its channel
        self._shown = set[str]()
        self._typed_at = OrderedDict[int, float]()  # by channel
        self._reacting = WeakValueDictionary[int, asyncio.Lock]()  # by channel
        self._tasks = set[asyncio.Task[None]]()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def begin(self, turn_id: str, channel: int) -> None:
        """An edit is under way in the channel."""
        self._open[turn_id] = channel

    def end(self, turn_id: str) -> None:
        """The edit has ended: its sign, if not yet sent, is dropped."""
        self._open.pop(turn_id, None)
        self._shown.discard(turn_id)

    def show(self, turn_id: str, context: ReplyContext) -> None:
        """Show that the edit was taken; the answer to a command or button is a sign of its own."""
        if context.message is None or turn_id in self._shown:
            return
        self._shown.add(turn_id)
        is_typing = not self._may_type(context.channel)
        self._spawn(self.type_in(context))
        if is_typing or list(self._open.values()).count(context.channel) > 1:
            self._spawn(self._react(turn_id, context))

    async def type_in(self, context: ReplyContext) -> None:
        """Show the typing indicator, unless it was sent to this channel a moment ago."""
        if not self._may_type(context.channel):
            return
        self._typed_at[context.channel] = self._clock()
        self._typed_at.move_to_end(context.channel)
        while len(self._typed_at) > KEPT:
            self._typed_at.popitem(last=False)
        try:
            await self._client.get_partial_messageable(context.channel).typing()
        except REQUEST_ERRORS as error:
            log.info("could not type in channel %s: %s", context.channel, error)
        else:
            self._acks.answered(context.message)

    def _may_type(self, channel: int) -> bool:
        return self._clock() - self._typed_at.get(channel, -TYPING_EVERY_S) >= TYPING_EVERY_S

    async def _react(self, turn_id: str, context: ReplyContext) -> None:
        """React to the request, one at a time in each channel, unless the edit is over by then."""
        assert context.message is not None
        lock = self._reacting.setdefault(context.channel, asyncio.Lock())
        async with lock:
            if turn_id not in self._open:
                return
            channel = self._client.get_partial_messageable(context.channel)
            try:
                await channel.get_partial_message(context.message).add_reaction(TAKEN)
            except REQUEST_ERRORS as error:
                log.info("could not react to message %s: %s", context.message, error)
            else:
                self._acks.answered(context.message)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
