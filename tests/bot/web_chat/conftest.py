"""A browser for all tests of a file; every test starts a server of its own, because it chooses the editor."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.support.page_server import browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium; a clear sentence when there is none. Each visit has a profile of its own."""
    async with browser() as started:
        yield started
