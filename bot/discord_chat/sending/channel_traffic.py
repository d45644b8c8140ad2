"""How busy each channel is: cards and progress are sent only where results do not have to wait for them.

Discord limits posts and edits per channel (usually to five in five seconds each) and says how many are left
only in its answers, which discord.py obeys by holding further requests back, first come, first served. So a
result must not stand behind a card. Whatever may be left out is sent only while few requests were made.
"""

import re
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp

POST, EDIT = "POST", "PATCH"
WINDOW_S = 5.0
KEPT = 1000  # channels with the newest messages
_MESSAGES = re.compile(r"/channels/(\d+)/messages(?:/\d+)?$")


@dataclass(frozen=True, slots=True)
class Pacing:
    """When the bot shows what it could leave out.

    `cards` and `edits`: a new card, or progress on one, is sent to a channel to which fewer posts, or edits,
    were sent within WINDOW_S. The rest of what Discord allows is for results and answers.
    """

    edit_pause_s: float = 2.5  # between two edits of one card
    card_after_s: float = 3.0  # a turn that takes no longer gets no card
    typing_delay_s: float = 1.0  # before the typing indicator, while a message is handled
    cards: int = 2
    edits: int = 3


class ChannelTraffic:
    """Counts the bot's requests and everybody's messages in every channel."""

    def __init__(self, pacing: Pacing, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds."""
        self._spare = {POST: pacing.cards, EDIT: pacing.edits}
        self._clock = clock
        self._sent = OrderedDict[tuple[int, str], deque[float]]()
        self._begun = Counter[tuple[int, str]]()  # what was let through and is on its way
        self._messages = OrderedDict[int, int]()

    def watch(self, trace: aiohttp.TraceConfig) -> None:
        """Count the requests of a client that is traced."""

        async def count(
            session: aiohttp.ClientSession, context: SimpleNamespace, start: aiohttp.TraceRequestStartParams
        ) -> None:
            if start.method in self._spare and (found := _MESSAGES.search(start.url.path)):
                self.sent(int(found[1]), start.method)

        trace.on_request_start.append(count)

    def sent(self, channel: int, kind: str) -> None:
        """A request of this kind (POST or EDIT) was sent to the channel."""
        times = self._sent.setdefault((channel, kind), deque(maxlen=max(self._spare.values())))
        times.append(self._clock())
        self._sent.move_to_end((channel, kind))
        while len(self._sent) > 2 * KEPT:
            self._sent.popitem(last=False)

    def has_room(self, channel: int, kind: str) -> bool:
        """Whether a request that may be left out would hold up no result."""
        since = self._clock() - WINDOW_S
        recent = sum(at > since for at in self._sent.get((channel, kind), ()))
        return recent + self._begun[channel, kind] < self._spare[kind]

    @contextmanager
    def taking(self, channel: int, kind: str) -> Iterator[None]:
        """Take the room found by `has_room` for the request in this block."""
        self._begun[channel, kind] += 1
        try:
            yield
        finally:
            self._begun[channel, kind] -= 1
            if not self._begun[channel, kind]:
                del self._begun[channel, kind]

    def arrived(self, channel: int) -> None:
        """A message was posted in the channel, by anybody."""
        self._messages[channel] = self._messages.get(channel, 0) + 1
        self._messages.move_to_end(channel)
        while len(self._messages) > KEPT:
            self._messages.popitem(last=False)

    def messages(self, channel: int) -> int:
        """How many messages were posted in the channel since the bot began to count."""
        return self._messages.get(channel, 0)
