"""The page in a browser that runs no scripts: every act is a form, and the answer is a page."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.policy.limits import Limits
from tests.support.fakes import ScriptedEditor
from tests.support.page_gestures import finished, notice, standing_at, version
from tests.support.page_server import InvertingEditor, a_drawing, page_server, visit

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop


async def upload(page: Page, file: bytes) -> None:
    """Choose a file, then send it by the button."""
    await page.locator("#picture-file").set_input_files(
        {"name": "picture.png", "mimeType": "image/png", "buffer": file}
    )
    await page.get_by_role("button", name="Choose a picture").click()


async def tell(page: Page, words: str) -> None:
    await page.get_by_label("Instruction", exact=True).fill(words)
    await page.get_by_role("button", name="Send").click()


async def test_a_conversation_needs_no_script(chromium: Browser, tmp_path: Path) -> None:
    editor = ScriptedEditor(slots=1)
    async with (
        page_server(tmp_path, editor) as bot,
        visit(chromium, bot.url, is_scripted=False) as page,
    ):
        await upload(page, a_drawing())
        await standing_at(page, "v0")
        await tell(page, "make it night")
        edit = await editor.started()
        await page.locator(".turn.running").wait_for()
        edit.finish()
        await finished(page, "v1 from v0")  # the page loads again by itself while an edit runs
        await page.get_by_role("button", name="Undo").click()
        await standing_at(page, "v0")
        await version(page, "v1").click()
        await standing_at(page, "v1")
        await page.get_by_label("Expressive Instruction").fill("The moon shines.")
        await page.get_by_role("button", name="Send").click()
        (await editor.started()).finish()
        await finished(page, "v2 from v0")


async def test_the_page_fills_in_no_correction(chromium: Browser, tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        visit(chromium, bot.url, is_scripted=False) as page,
    ):
        await upload(page, a_drawing())
        await tell(page, "make it darker")
        await finished(page, "v1 from v0")
        await expect(page.get_by_label("Expressive Instruction")).to_have_value(
            "Everything becomes its opposite: make it darker."
        )
        await tell(page, "make it warmer")
        await finished(page, "v2 from v1")
        await expect(page.locator(".turn.current .expressive")).to_have_text(
            "Everything becomes its opposite: make it warmer."
        )


async def test_what_is_refused_stays_in_its_field_beside_a_sentence(
    chromium: Browser, tmp_path: Path
) -> None:
    async with (
        page_server(tmp_path, InvertingEditor(), limits=Limits(requests=1, window_s=3600)) as bot,
        visit(chromium, bot.url, is_scripted=False) as page,
    ):
        await upload(page, b"no picture")
        await expect(notice(page)).to_contain_text("picture")
        await page.get_by_label("Seed", exact=True).fill("many")
        await tell(page, "make it night")
        await expect(notice(page)).to_contain_text("whole number from 0 to 4294967295")
        await expect(page.get_by_label("Instruction", exact=True)).to_have_value("make it night")
        await expect(page.get_by_label("Seed", exact=True)).to_have_value("many")


async def test_another_picture_can_be_chosen_or_not(chromium: Browser, tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        visit(chromium, bot.url, is_scripted=False) as page,
    ):
        await upload(page, a_drawing())
        await page.get_by_role("button", name="New picture").click()
        await page.get_by_role("button", name="Keep the current one").click()
        await standing_at(page, "v0")
        await page.get_by_role("button", name="New picture").click()
        await page.locator(".sample-words .chip").first.click()
        await finished(page, "v1 from v0")
        await page.get_by_role("button", name="Faithful").click()
        await expect(page.get_by_label("Text CFG")).to_have_value("6")
