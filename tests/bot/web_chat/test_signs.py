"""What the page says meanwhile: how far an upload is, that an answer is on its way, and how an edit ended."""

import random
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser, expect

from tests.support.page_gestures import finished, give, give_a_drawing, notice, say, standing_at
from tests.support.page_server import InvertingEditor, page_server, to_png, visit

NEXT_SHARE = """new Promise((seen) => {
    const bar = document.querySelector("#giving progress");
    new MutationObserver(() => seen(bar.value)).observe(bar, { attributes: true });
})"""

# Not wait_for_function: it evaluates text in the page, which its Content Security Policy forbids.
NOTHING_MOVES = """new Promise((still) => {
    const isEndless = (one) => one.effect.getTiming().iterations === Infinity;
    const look = () => (document.getAnimations().some(isEndless) ? setTimeout(look, 50) : still());
    look();
})"""

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop


async def test_an_upload_over_a_slow_network_shows_how_far_it_is(chromium: Browser, tmp_path: Path) -> None:
    noise = Image.frombytes("RGB", (300, 300), random.Random(1).randbytes(270_000))
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        await session.send("Network.emulateNetworkConditions", slow)
        await give(page, to_png(noise))
        await expect(page.locator("#giving")).to_be_visible()
        assert 0 < await page.evaluate(NEXT_SHARE) <= 1
        await standing_at(page, "v0")
        await expect(page.locator("#giving")).to_be_hidden()


async def test_a_screen_reader_hears_how_an_edit_ended_and_where_one_is(
    chromium: Browser, tmp_path: Path
) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        heard = page.locator("#told")
        await expect(heard).to_contain_text("v1 from v0. Everything becomes its opposite: make it night.")
        await page.get_by_role("button", name="Undo", exact=True).click()
        await expect(heard).to_contain_text("v0")
        assert await heard.get_attribute("role") == "status"


async def test_nothing_moves_on_a_page_that_waits_for_nothing(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await page.evaluate(NOTHING_MOVES)


async def test_a_double_click_on_send_sends_once(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await page.get_by_label("Instruction", exact=True).fill("make it night")
        await page.get_by_role("button", name="Send", exact=True).dblclick()
        await finished(page, "v1 from v0")
        await expect(page.locator("body.sending")).to_have_count(0)
        await expect(notice(page)).to_have_count(0)
