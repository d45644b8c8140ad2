"""The newest turn scrolls into sight: in its own panel, and below the picture on a phone."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.bot.web_chat.test_cells import offered_cells
from tests.support.asking_editor import AskingEditor
from tests.support.page_gestures import finished, give_a_drawing, say, standing_at
from tests.support.page_server import DESKTOP, PHONE, InvertingEditor, page_server, visit

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop

NOTE_SCROLLS = """() => {
    window.scrolledTo = [];
    Element.prototype.scrollIntoView = function () { window.scrolledTo.push(this.className); };
}"""
SHEET_IS_SHOWN = (
    "(({ complete, naturalHeight }) => complete && naturalHeight)(document.querySelector('.sheet img'))"
)
GAP_ABOVE_COMPOSER = """turn => document.querySelector("#composer").getBoundingClientRect().top
    - turn.getBoundingClientRect().bottom"""


async def test_on_a_phone_a_question_is_in_sight_and_a_version_shows_the_picture(
    chromium: Browser, tmp_path: Path
) -> None:
    async with page_server(tmp_path, AskingEditor()) as bot, visit(chromium, bot.url, PHONE) as page:
        await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        assert await page.evaluate("scrollY") == 0
        await say(page, "maybe make it blue")
        question = page.locator(".turn.answer")
        await expect(question.get_by_role("button", name="Do it")).to_be_in_viewport(ratio=1)
        await expect(question).to_be_in_viewport(ratio=1)
        assert await question.evaluate(GAP_ABOVE_COMPOSER) > 0
        await question.get_by_role("button", name="Do it").click()
        await finished(page, "v2 from v1")
        await expect(page.locator(".brand")).to_be_in_viewport(ratio=1)
        await page.evaluate("scrollTo(0, document.body.scrollHeight)")
        await say(page, "undo")
        await standing_at(page, "v1")
        await expect(page.locator(".brand")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
async def test_a_finished_grid_is_in_sight(chromium: Browser, tmp_path: Path, size: tuple[int, int]) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url, size) as page:
        await offered_cells(page, "Four seeds", of=4)
        await expect(page.locator(".sheet")).to_be_in_viewport(ratio=0.99)


async def test_on_a_phone_the_page_opens_at_the_picture_where_a_grid_is_newest(
    chromium: Browser, tmp_path: Path
) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url, PHONE) as page:
        await offered_cells(page, "Four seeds", of=4)
        await page.add_init_script(f"({NOTE_SCROLLS})()")
        await page.reload()
        await page.wait_for_function(SHEET_IS_SHOWN)
        await page.evaluate("new Promise(requestAnimationFrame)")
        scrolled_to = await page.evaluate("scrolledTo")
        assert not [name for name in scrolled_to if "turn" in name.split()]
