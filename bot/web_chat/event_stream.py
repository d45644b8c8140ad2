"""Server-sent events: one stream per page in sight brings what changed for its user."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.ops.http_server import Connection
from bot.web_chat.live_cards import LiveCards

HEARTBEAT_S = 15.0  # shows whether the browser is still there
PAUSE_S = 0.4  # between two updates of one stream
WRITE_S = 15.0  # that a browser may take to read what was sent
RETRY_MS = 1000  # after which a browser asks again when the server was away
_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # tells nginx to pass events on at once
}


async def stream_updates(
    request: web.Request,
    live_cards: LiveCards,
    user: str,
    seen: str,
    draw: Callable[[], Awaitable[tuple[str, dict[str, Any]]]],
) -> web.StreamResponse:
    """Send an update whenever the revision is another than `seen`, until the server goes.

    `draw` gives the revision of now and the update. ConnectionError when the browser goes, or does not read
    for WRITE_S seconds.
    """
    response, waiter = web.StreamResponse(headers=_HEADERS), asyncio.Event()
    await response.prepare(request)
    connection = request.protocol
    assert isinstance(connection, Connection)
    connection.when_lost = waiter.set
    await _write(response, f"retry: {RETRY_MS}\n\n")
    while not live_cards.is_closed and request.transport is not None:
        if not await live_cards.changed(user, seen, HEARTBEAT_S, waiter):
            await _write(response, ":\n\n")
            continue
        seen, update = await draw()
        await _write(response, f"event: update\ndata: {json.dumps(update)}\n\n")
        await asyncio.sleep(PAUSE_S)
    return response


async def _write(response: web.StreamResponse, text: str) -> None:
    """Send it; ConnectionError if the browser is gone or does not read what was sent before."""
    try:
        async with asyncio.timeout(WRITE_S):
            await response.write(text.encode())
    except TimeoutError as error:
        raise ConnectionError("the updates were not read in time") from error
