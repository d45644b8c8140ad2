"""A browser for each test; tests build their own house, because they choose the editor."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.bot.web_chat.house import browser


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium; a clear sentence when there is none."""
    async with browser() as started:
        yield started
