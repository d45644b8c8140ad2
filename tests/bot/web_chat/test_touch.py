"""Marking a region on a phone by real touch events: one finger draws, two fingers zoom."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, CDPSession, Page, expect

from tests.bot.web_chat.test_marks import MaskedEditor, changed_columns
from tests.support.page_gestures import finished, give_a_drawing, say
from tests.support.page_server import PHONE, page_server, visit

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop

Place = tuple[float, float]  # on the picture, in parts of it
ON_SCREEN = """([x, y]) => {
    const { left, top, width, height } = document.querySelector("canvas.marks").getBoundingClientRect();
    return [left + x * width - visualViewport.offsetLeft, top + y * height - visualViewport.offsetTop];
}"""
NEXT_FRAME = "new Promise(requestAnimationFrame)"
STANDING_STILL = """async () => {
    const place = () => [visualViewport.scale, visualViewport.offsetLeft, visualViewport.offsetTop].join();
    for (let last = "", frames = 0; frames < 20; last = place()) {
        await new Promise(requestAnimationFrame);
        frames = place() === last ? frames + 1 : 0;
    }
}"""
PAINTED = """() => {
    const canvas = document.querySelector("canvas.marks");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((level) => level);
}"""


class Hand:
    """Fingers on the screen of a phone."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self._page, self._session = page, session

    async def drag(self, *places: Place) -> None:
        """Put one finger down, move it, and lift it."""
        await self._touch("touchStart", places[:1])
        for place in places[1:]:
            await self._touch("touchMove", [place])
        await self._touch("touchEnd", [])

    async def put_two(self, first: Place, second: Place) -> None:
        """Put a second finger down while the first one draws, and lift both."""
        await self._touch("touchStart", [first])
        await self._touch("touchMove", [(first[0] + 0.1, first[1] + 0.1)])
        await self._touch("touchStart", [(first[0] + 0.1, first[1] + 0.1), second])
        await self._touch("touchEnd", [])

    async def pinch(self, at: Place) -> None:
        """Zoom the whole page with two fingers that move apart."""
        x, y = await self._page.evaluate(ON_SCREEN, at)
        await self._send("touchStart", [(x - 10, y)])
        await self._send("touchStart", [(x - 10, y), (x + 10, y)])
        for apart in range(10, 90, 5):
            await self._send("touchMove", [(x - apart, y), (x + apart, y)])
            await self._page.evaluate(NEXT_FRAME)
        await self._send("touchEnd", [])
        await self._page.evaluate(STANDING_STILL)
        assert await self._page.evaluate("visualViewport.scale") > 1.3

    async def _touch(self, kind: str, places: Sequence[Place]) -> None:
        await self._send(kind, [await self._page.evaluate(ON_SCREEN, place) for place in places])

    async def _send(self, kind: str, places: Sequence[Place]) -> None:
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(places)]
        await self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@asynccontextmanager
async def marking(chromium: Browser, folder: Path) -> AsyncIterator[tuple[Page, Hand]]:
    """A phone with a picture whose regions are being marked."""
    async with page_server(folder, MaskedEditor()) as bot, visit(chromium, bot.url, PHONE) as page:
        await give_a_drawing(page)
        await page.get_by_role("button", name="Mark a region").tap()
        await expect(page.locator("canvas.marks")).to_be_visible()
        yield page, Hand(page, await page.context.new_cdp_session(page))


@pytest.mark.parametrize("is_zoomed", [False, True])
@pytest.mark.parametrize(("tool", "left", "right"), [("Box", 0.3, 0.6), ("Brush", 0.26, 0.64)])
async def test_a_finger_draws_where_it_is(
    chromium: Browser, tmp_path: Path, tool: str, left: float, right: float, is_zoomed: bool
) -> None:
    async with marking(chromium, tmp_path) as (page, hand):
        await page.get_by_role("button", name=tool).tap()
        if is_zoomed:
            await hand.pinch((0.45, 0.5))
        await hand.drag((0.3, 0.4), (0.4, 0.45), (0.6, 0.6))
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        found = await changed_columns(page)
    assert found == pytest.approx((left, right), abs=0.02)


async def test_two_fingers_draw_nothing_and_keep_what_was_marked(chromium: Browser, tmp_path: Path) -> None:
    async with marking(chromium, tmp_path) as (page, hand):
        await hand.put_two((0.7, 0.2), (0.9, 0.8))
        await hand.pinch((0.5, 0.5))
        assert not await page.evaluate(PAINTED)
        await hand.drag((0.3, 0.4), (0.6, 0.6))
        await hand.put_two((0.7, 0.2), (0.9, 0.8))
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        assert await changed_columns(page) == pytest.approx((0.3, 0.6), abs=0.02)


async def test_drawing_does_not_scroll_the_page(chromium: Browser, tmp_path: Path) -> None:
    async with marking(chromium, tmp_path) as (page, hand):
        await hand.drag((0.5, 0.9), (0.52, 0.5), (0.55, 0.1))
        assert await page.evaluate("scrollY") == 0
        assert await page.evaluate(PAINTED)
