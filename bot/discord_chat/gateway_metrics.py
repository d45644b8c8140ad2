"""Metrics of the Discord connection: acknowledgement times, requests by route. No ids in labels."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp

from bot.ops.metrics import Metrics

KEPT = 10_000  # messages whose answer is still awaited
_IDS, _TOKENS = re.compile(r"\d{15,}"), re.compile(r"(?<=/:id/)[\w.-]{20,}")


class AckTimes:
    """Measures the time from a message's arrival to its first answer."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics, self._clock = metrics, clock
        self._arrived: OrderedDict[int, float] = OrderedDict()

    def arrived(self, message: int) -> None:
        """A message that is meant for the bot has arrived."""
        self._arrived[message] = self._clock()
        while len(self._arrived) > KEPT:
            self._arrived.popitem(last=False)

    def answered(self, message: int | None) -> None:
        """The message has an answer; only the first is counted."""
        arrived = self._arrived.pop(message or 0, None)
        if arrived is not None:
            self._metrics.ack_seconds.observe(self._clock() - arrived)


def request_counter(metrics: Metrics) -> aiohttp.TraceConfig:
    """Counts the requests of discord.py by route and status."""

    async def count(
        session: aiohttp.ClientSession, context: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        metrics.discord_http.labels(route_of(end.method, end.url.path), end.response.status).inc()

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(count)
    return trace


def route_of(method: str, path: str) -> str:
    """ "POST /channels/:id/messages": a path without the ids and tokens in it."""
    path = re.sub(r"^/api/v\d+", "", path)
    return f"{method} {_TOKENS.sub(':token', _IDS.sub(':id', path))}"
