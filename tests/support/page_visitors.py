"""Visitors of the page, and their event streams."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from bot.web_chat.security import COOKIE
from tests.support.page_server import PageServer

ANN, BOB = "Zm9vYmFyYmF6cXV4MTIzNA", "QmFyYmF6cXV4MTIzNFpt00"
SEEN = "4f.0"


def visitor(page: PageServer, person: str = ANN) -> httpx.AsyncClient:
    """Somebody with a cookie; every request has a connection of its own."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=page.url, cookies={COOKIE: person}, limits=limits, timeout=10)


@asynccontextmanager
async def listening(client: httpx.AsyncClient, seen: str = SEEN) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of an event stream, once it is open."""
    async with client.stream("GET", f"/events/{seen}") as answer:
        answer.raise_for_status()
        lines = answer.aiter_lines()
        assert (await anext(lines)).startswith("retry:")
        yield lines
