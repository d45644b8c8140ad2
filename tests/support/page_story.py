"""The story of tests/bot/discord_chat/test_story.py on the local page: the same twelve turns, the same tree.

A browser is a person in a channel of its own, so here one person does what two do there. Which words are
said, and what paints, is the caller's: the test uses marks, the pictures of the documents a real model.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Locator, Page

from bot.workflow.dispatcher import ModelFacts
from mgie_engine.edits import EditRunner
from tests.support.page_gestures import finished, say, standing_at
from tests.support.page_server import MODEL, TIMEOUT_MS, PageServer, page_server, visit

CORRECTION = "heavy rain over the meadow"
Look = Callable[[Page, str], Awaitable[None]]  # called at the moments worth a picture, with their names


async def nobody_looks(page: Page, moment: str) -> None:
    """For a story told without pictures."""


class Story:
    """Tells the story on a page that shows v0 already; `words` are said in place of the story's own."""

    def __init__(self, page: Page, words: Mapping[str, str], look: Look = nobody_looks) -> None:
        self._page, self._words, self._look = page, words, look

    async def first_evening(self) -> None:
        """v1 to v6: steps on, a branch, an undo, stronger."""
        await self._say("make the ball red", "v1 from v0")
        await self._look(self._page, "first")
        await self._say("make it darker", "v2 from v1")
        await self._go_to("v1")
        await self._say("add a hat", "v3 from v1")
        await self._go_to("v2")
        await self._say("add snow", "v4 from v2")
        await self._page.get_by_role("button", name="Undo").click()
        await standing_at(self._page, "v2")
        await self._say("add rain", "v5 from v2")
        await self._page.get_by_role("button", name="Stronger").click()
        await finished(self._page, "v6 from v2")

    async def two_changes_of_mind(self) -> None:
        """v7 is cancelled while it runs, v8 while it waits, v9 still runs when the bot ends."""
        await self._begin("v3", "a blue hat")
        await self._turn("v7", "running").wait_for()
        await self._begin("v6", "add fog")
        await self._turn("v8", "queued").wait_for()
        await self._look(self._page, "waiting")
        for name, state in (("v8", "queued"), ("v7", "running")):
            await self._turn(name, state).get_by_role("button", name="Cancel").click()
            await self._turn(name, "cancelled").wait_for()
        await self._begin("v3", "a green hat")
        await self._turn("v9", "running").wait_for()

    async def next_morning(self) -> None:
        """The bot is back: v9 is finished; a corrected reading, a step on from it, and the original again."""
        await self._go_to("v9")
        await finished(self._page, "v9 from v3")
        await self._go_to("v6")
        await self._correct()
        await finished(self._page, "v10 from v2")
        await self._say("add a boat", "v11 from v10")
        await self._look(self._page, "end")
        await self._go_to("v0")
        await self._say("make it grey", "v12 from v0")

    async def _correct(self) -> None:
        """Correct how the words of the version on the stage were understood."""
        tune = self._page.get_by_role("button", name="More controls")
        is_narrow = await tune.is_visible()
        if is_narrow:
            await tune.click()
            await self._look(self._page, "controls")
        reading = self._page.get_by_label("Expressive Instruction")
        await reading.fill(CORRECTION)
        await reading.press("Enter")
        if is_narrow:
            await tune.click()

    async def _say(self, words: str, title: str) -> None:
        await say(self._page, self._words.get(words, words))
        await finished(self._page, title)

    async def _begin(self, name: str, words: str) -> None:
        await self._go_to(name)
        await say(self._page, self._words.get(words, words))

    async def _go_to(self, name: str) -> None:
        shot = f'.shot:has(.shot-name:text-is("{name}"))'
        await self._page.locator(shot).click()
        await self._page.locator(f"{shot}[aria-current]").wait_for()

    def _turn(self, name: str, state: str) -> Locator:
        """The talk about a version, once it is in that state."""
        return self._page.locator(f'.turn.{state}:has(.who strong:text-is("{name}"))')


@asynccontextmanager
async def played(
    folder: Path,
    chromium: Browser,
    size: tuple[int, int],
    editors: Sequence[EditRunner],
    give: Callable[[Page], Awaitable[None]],
    *,
    words: Mapping[str, str],
    model: ModelFacts = MODEL,
    look: Look = nobody_looks,
    timeout_ms: float = TIMEOUT_MS,
) -> AsyncIterator[tuple[PageServer, Page]]:
    """Tell the whole story in three lives of the bot, an editor each; bot and page as they are at its end."""
    first, second, third = editors
    async with page_server(folder, first, model=model) as bot, visit(chromium, bot.url, size) as page:
        page.set_default_timeout(timeout_ms)
        await look(page, "welcome")
        await give(page)
        await Story(page, words, look).first_evening()
        known_by = await page.context.storage_state()
    async with (
        page_server(folder, second, model=model) as bot,
        visit(chromium, bot.url, size, known_by=known_by) as page,
    ):
        page.set_default_timeout(timeout_ms)
        await Story(page, words, look).two_changes_of_mind()
    async with (
        page_server(folder, third, model=model) as bot,
        visit(chromium, bot.url, size, known_by=known_by) as page,
    ):
        page.set_default_timeout(timeout_ms)
        await Story(page, words, look).next_morning()
        yield bot, page
