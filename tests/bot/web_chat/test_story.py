"""The story of two people on Discord, told by one on the local page, on a phone and on a large screen."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from conversations.turn import Turn, TurnState
from tests.bot.discord_chat.test_story import EXPECTED
from tests.support.bot_process import MarkingEditor, colour_of, marks_on
from tests.support.fakes import ScriptedEditor
from tests.support.page_gestures import give_a_drawing
from tests.support.page_server import DESKTOP, PHONE, PageServer
from tests.support.page_story import CORRECTION, played

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop


async def a_drawing(page: Page) -> None:
    await give_a_drawing(page)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_a_story_of_twelve_turns_ends_in_the_tree_it_tells(
    chromium: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    editors = (MarkingEditor(), ScriptedEditor(), MarkingEditor())
    async with played(tmp_path, chromium, size, editors, a_drawing, words={}) as (bot, page):
        turns = {turn.label: turn for turn in await bot.store.turns_in(*TurnState)}
        check_tree(turns)
        check_pictures(turns, bot)
        await check_page(page)


def check_tree(turns: dict[str, Turn]) -> None:
    """Every version hangs where the story says, was asked so, and ended so."""
    labels = {turn.id: turn.label for turn in turns.values()}
    edits = {label: turn for label, turn in turns.items() if turn.parent_id}
    found = {
        label: (labels[turn.parent_id or ""], turn.instruction, turn.state) for label, turn in edits.items()
    }
    assert found == {label: (turn.parent, turn.words, turn.state) for label, turn in EXPECTED.items()}
    assert edits["v10"].reading == CORRECTION


def check_pictures(turns: dict[str, Turn], bot: PageServer) -> None:
    """Every result bears the marks of all instructions on its way, oldest first, and of no others."""
    for label, turn in turns.items():
        path = []
        while label != "v0":
            path.insert(0, EXPECTED[label].words)
            label = EXPECTED[label].parent
        if turn.image:
            assert marks_on(bot.images.get(turn.image), len(path)) == [colour_of(words) for words in path]


async def check_page(page: Page) -> None:
    """Every version of the talk names its parent; the strip shows all pictures and marks the last."""
    assert await page.locator("#left").evaluate("left => left.scrollWidth <= left.clientWidth")
    for label, turn in EXPECTED.items():
        said = page.locator(f'.turn:has(.who strong:text-is("{label}"))')
        assert await said.locator(".who").text_content() == f"{label} from {turn.parent}"
        assert await said.locator(".asked").text_content() == turn.words
    assert await page.locator(".shot").count() == len(EXPECTED) + 1
    assert await page.locator(".shot[aria-current] .shot-name").text_content() == "v12"
    assert await page.locator(".shot img").count() == len(EXPECTED) + 1 - 2
