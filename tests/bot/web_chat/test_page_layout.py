"""The layout of the page: room for the conversation, and targets that a finger can hit."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.page_gestures import finished, give_a_drawing, open_controls, say
from tests.support.page_server import DESKTOP, PHONE, InvertingEditor, page_server, visit

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop

SMALL = """[...document.querySelectorAll("button, a[href], select, summary, input, textarea")]
    .filter((element) => element.checkVisibility() && !element.matches("[type=hidden], [type=file]"))
    .map((element) => [element.outerHTML.slice(0, 90), element.getBoundingClientRect()])
    .filter(([, { width, height }]) => width < 43.5 || height < 43.5)
    .map(([text, { width, height }]) => `${text} ${Math.round(width)} x ${Math.round(height)}`)"""


async def small_targets(page: Page) -> list[str]:
    """What can be pressed and is smaller than 44 pixels."""
    found: list[str] = await page.evaluate(SMALL)
    return found


async def test_every_target_on_a_phone_is_44_pixels_high_and_wide(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url, PHONE) as page:
        assert await small_targets(page) == []
        await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        await page.get_by_role("button", name="Strengths", exact=True).click()
        await page.locator(".cells button").first.wait_for()
        await page.locator(".saves summary").click()
        assert await small_targets(page) == []
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Mark a region").click()
        await open_controls(page)
        assert await small_targets(page) == []
        await page.get_by_role("button", name="My pictures").click()
        await page.locator("#mine").wait_for()
        assert await small_targets(page) == []


async def test_the_conversation_has_most_of_its_column(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url, (1280, 800)) as page:
        await give_a_drawing(page)
        share = "document.querySelector('#talk').offsetHeight / document.querySelector('#right').offsetHeight"
        assert await page.evaluate(share) > 0.6
        seed = page.get_by_label("Seed", exact=True)
        await expect(seed).to_be_hidden()
        await open_controls(page)
        await expect(seed).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [861, 1024, 1250])
async def test_nothing_runs_into_the_conversation(chromium: Browser, tmp_path: Path, width: int) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        visit(chromium, bot.url, (width, 700), locale="de-DE") as page,
    ):
        await give_a_drawing(page)
        await page.locator("#instruction textarea").fill("make it night")
        await page.keyboard.press("Enter")
        await page.locator(".show.done .seg").wait_for()
        edge = "(selector) => document.querySelector(selector).getBoundingClientRect().right"
        assert await page.evaluate(edge, ".saves") <= await page.evaluate(edge, "#left")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_everything_fits_the_screen(
    chromium: Browser, tmp_path: Path, size: tuple[int, int], scheme: str
) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        visit(chromium, bot.url, size, scheme) as page,
    ):
        await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        assert await page.evaluate("document.documentElement.scrollWidth") == size[0]
        for part in ("#instruction textarea", ".show .canvas", ".shot[aria-current]"):
            await expect(page.locator(part)).to_be_in_viewport(ratio=1)
        ink = await page.evaluate("getComputedStyle(document.querySelector('#app')).color")
        assert ink == {"light": "rgb(30, 29, 27)", "dark": "rgb(240, 237, 231)"}[scheme]


async def test_on_a_phone_the_settings_open_on_a_tap(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url, PHONE) as page:
        await expect(page.get_by_label("Seed", exact=True)).to_be_hidden()
        await page.get_by_role("button", name="More controls").tap()
        await expect(page.get_by_label("Seed", exact=True)).to_be_in_viewport(ratio=1)
