"""Giving the local page a picture, and getting it back, in a real browser."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Route, expect

from tests.support.page_gestures import (
    finished,
    give,
    give_a_drawing,
    notice,
    pixels,
    say,
    standing_at,
)
from tests.support.page_server import InvertingEditor, inverted, page_server, visit

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"not a picture at all", "picture"),
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(11 * 2**20), "10 MiB"),
    ],
    ids=["text", "empty", "too large"],
)
async def test_a_bad_file_gets_a_sentence(
    chromium: Browser, tmp_path: Path, file: bytes, sentence: str
) -> None:
    async with (
        page_server(tmp_path, InvertingEditor(), names=("127.0.0.1",)) as bot,
        visit(chromium, bot.url) as page,
    ):
        await give(page, file)
        await expect(notice(page)).to_contain_text(sentence)
        await give_a_drawing(page)


async def test_a_sample_is_one_click_from_its_first_edit(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        chip = page.locator(".sample-words .chip").first
        words = await chip.text_content()
        await chip.click()
        await finished(page, "v1 from v0")
        await expect(page.locator(".asked")).to_have_text(words or "")


async def test_a_new_picture_may_be_a_sample_too(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await page.get_by_role("button", name="New picture").click()
        await page.locator(".sample-pic").first.click()
        await expect(page.locator(".welcome")).to_be_hidden()
        await standing_at(page, "v0")
        await expect(page.locator(".shot")).to_have_count(1)


async def test_a_dropped_picture_counts_as_given(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await page.evaluate("""async () => {
            const drawn = new OffscreenCanvas(40, 30);
            drawn.getContext("2d").fillRect(0, 0, 20, 30);
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([await drawn.convertToBlob()], "drawn.png", {type: "image/png"}));
            document.body.dispatchEvent(new DragEvent("drop", {dataTransfer, bubbles: true}));
        }""")
        await standing_at(page, "v0")


async def test_an_upload_whose_answer_comes_late_does_not_take_the_focus(
    chromium: Browser, tmp_path: Path
) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        moved_on = asyncio.Event()

        async def late(route: Route) -> None:
            answer = await route.fetch()
            await moved_on.wait()
            await route.fulfill(response=answer)

        await page.route("**/pictures", late)
        await give_a_drawing(page)
        await page.get_by_role("button", name="Mark a region").focus()
        moved_on.set()
        await expect(page.locator("body.giving")).to_have_count(0)
        await expect(page.get_by_role("button", name="Mark a region")).to_be_focused()


async def test_after_an_upload_the_instruction_can_be_typed(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await expect(page.get_by_label("Instruction", exact=True)).to_be_focused()


async def test_the_download_is_the_stored_picture(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        drawing = await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        async with page.expect_download() as waiting:
            await page.locator(".saves summary").click()
            await page.get_by_role("link", name="PNG").click()
        download = await waiting.value
        assert download.suggested_filename == "mgie-v1.png"
        kept = await download.path()
        assert pixels(kept.read_bytes()) == pixels(inverted(drawing))
