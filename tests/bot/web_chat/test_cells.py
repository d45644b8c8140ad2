"""A cell of a finished grid is picked, and becomes a version."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from conversations.turn import TurnState
from tests.support.page_gestures import finished, give_a_drawing, say
from tests.support.page_server import InvertingEditor, page_server, visit

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop


async def offered_cells(page: Page, grid: str, *, of: int) -> Locator:
    """Edit a drawing, and make a grid of that edit by a button; the buttons of its cells."""
    await give_a_drawing(page)
    await say(page, "make it night")
    await finished(page, "v1 from v0")
    await page.get_by_role("button", name=grid, exact=True).click()
    cells = page.locator(".cells button")
    await expect(cells).to_have_count(of)
    return cells


async def pick(page: Page, grid: str, *, cell: int, of: int) -> None:
    """Make a grid, and pick a cell of it."""
    cells = await offered_cells(page, grid, of=of)
    await page.locator(".sheet").scroll_into_view_if_needed()
    await cells.nth(cell).click()
    await finished(page, "v3 from v0")


async def test_a_cell_becomes_a_version_with_its_scales_and_seed(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await pick(page, "Strengths", cell=5, of=9)
        [v3, v2, v1] = await bot.store.turns_by((await bot.store.turns_in(*TurnState))[0].user)
    assert v1.settings is not None
    assert v2.grid is not None
    assert v3.settings is not None
    assert v3.settings == replace(v2.grid.cells[5].applied(v1.settings), ask="off")
    assert (v3.image, v3.expressive, v3.instruction) == (v2.cells[5].image, v1.expressive, v1.instruction)


async def test_four_seeds_are_offered_and_one_is_picked(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await pick(page, "Four seeds", cell=3, of=4)
        [v3, v2, _] = await bot.store.turns_by((await bot.store.turns_in(*TurnState))[0].user)
    assert (v3.image, v3.settings) == (v2.cells[3].image, v2.cells[3].settings)


async def test_a_cell_of_no_grid_is_not_found(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        answer = await page.evaluate(
            """async () => (await fetch("act", {method: "POST", headers: {Accept: "application/json"},
                body: new URLSearchParams({cell: "zzzz.3"})})).json()"""
        )
    assert "notice" in answer
    assert answer["notice"]
