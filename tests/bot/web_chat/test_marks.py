"""Marking a region on the page: a box, a brush, keys, touch; what is outside of it stays."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Browser, Page, expect

from mgie_engine.edits import EditRequest, EditResult, Report
from mgie_engine.restore.region import within
from mgie_engine.serving.masks import open_mask
from mgie_engine.serving.pictures import to_png
from tests.support.page_gestures import finished, give_a_drawing, pixels, say, stage_picture
from tests.support.page_server import DESKTOP, PHONE, InvertingEditor, page_server, visit

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop


class MaskedEditor(InvertingEditor):
    """Gives the negative within the mask."""

    def __init__(self) -> None:
        self.masks: list[bytes | None] = []

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """The negative, where it may be."""
        self.masks.append(request.mask)
        made = await super().run(request, report)
        if request.mask is None:
            return made
        before, after = (
            np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) for png in (request.image, made.image)
        )
        region = open_mask(request.mask, made.size)
        edited = to_png(Image.fromarray(within(before, after, region)))
        return EditResult(edited, made.expressive, made.settings, made.model, made.size, changed=0.1)


async def changed_columns(page: Page) -> tuple[float, float]:
    """Where the shown result differs from what it was made of, in parts of the width."""
    before, after = [await stage_picture(page, which) for which in ("before", "after")]
    shape = 240, 320, 3
    differs = np.frombuffer(pixels(before), np.uint8).reshape(shape) != np.frombuffer(
        pixels(after), np.uint8
    ).reshape(shape)
    columns = np.flatnonzero(differs.any((0, 2)))
    return columns[0] / 320, columns[-1] / 320


async def box(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw over the picture, between two places in parts of it."""
    found = await page.locator("canvas.marks:visible").bounding_box()
    assert found is not None
    places = [(found["x"] + x * found["width"], found["y"] + y * found["height"]) for x, y in (start, end)]
    await page.mouse.move(*places[0])
    await page.mouse.down()
    await page.mouse.move(*places[1], steps=4)
    await page.mouse.up()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_only_a_box_changes_and_the_next_instruction_has_none(
    chromium: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    editor = MaskedEditor()
    async with page_server(tmp_path, editor) as bot, visit(chromium, bot.url, size) as page:
        await give_a_drawing(page)
        await page.get_by_role("button", name="Mark a region").click()
        await box(page, (0.25, 0.25), (0.5, 0.75))
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        await expect(page.locator("canvas.marks")).to_be_hidden()
        left, right = await changed_columns(page)
        assert 0.24 < left < 0.26
        assert 0.49 < right < 0.51
        await expect(page.locator(".facts")).to_contain_text("marked region")
        await say(page, "make it darker")
        await finished(page, "v2 from v1")
        await say(page, "make it warmer, same area")
        await finished(page, "v3 from v2")
    assert [mask is not None for mask in editor.masks] == [True, False, True]
    assert editor.masks[2] == editor.masks[0]


async def test_a_brush_and_taking_back_the_last_mark(chromium: Browser, tmp_path: Path) -> None:
    editor = MaskedEditor()
    async with page_server(tmp_path, editor) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await page.get_by_role("button", name="Mark a region").click()
        await page.get_by_role("button", name="Brush").click()
        await box(page, (0.3, 0.5), (0.6, 0.5))
        await box(page, (0.9, 0.1), (0.9, 0.9))
        await page.get_by_role("button", name="Undo mark").click()
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        left, right = await changed_columns(page)
    assert 0.24 < left < 0.28
    assert 0.62 < right < 0.66


async def test_keys_mark_without_a_pointer(chromium: Browser, tmp_path: Path) -> None:
    editor = MaskedEditor()
    async with page_server(tmp_path, editor) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await page.get_by_role("button", name="Mark a region").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("canvas.marks")).to_be_focused()
        await page.keyboard.press("Space")
        for _ in range(3):
            await page.keyboard.press("Shift+ArrowRight")
            await page.keyboard.press("Shift+ArrowDown")
        await page.keyboard.press("Space")
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        left, right = await changed_columns(page)
    assert 0.49 < left < 0.51
    assert 0.79 < right < 0.81


async def test_whole_picture_leaves_the_marking(chromium: Browser, tmp_path: Path) -> None:
    editor = MaskedEditor()
    async with page_server(tmp_path, editor) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await page.get_by_role("button", name="Mark a region").click()
        await box(page, (0.1, 0.1), (0.2, 0.2))
        await page.get_by_role("button", name="Whole picture").click()
        await expect(page.locator("canvas.marks")).to_be_hidden()
        await say(page, "make it night")
        await finished(page, "v1 from v0")
    assert editor.masks == [None]
