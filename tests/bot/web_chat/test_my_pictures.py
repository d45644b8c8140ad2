"""The page's list of pictures, comparing any two versions, and deleting: with and without scripts."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from conversations.turn import TurnState
from tests.support.page_gestures import finished, give, give_a_drawing, notice, say, standing_at, version
from tests.support.page_server import (
    DESKTOP,
    PHONE,
    InvertingEditor,
    PageServer,
    a_drawing,
    page_server,
    visit,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop
ALL_STATES = tuple(TurnState)
on_both = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


async def two_pictures(page: Page) -> None:
    """A first picture with two edits, then a second one without."""
    await give_a_drawing(page)
    for number, words in enumerate(("make it night", "make it warmer"), 1):
        await say(page, words)
        await finished(page, f"v{number} from v{number - 1}")
    await page.get_by_role("button", name="New picture").click()
    await give(page, a_drawing(sky="pink"))
    await expect(page.locator(".shot")).to_have_count(1)


async def open_mine(page: Page) -> None:
    """Open the list of pictures."""
    await page.get_by_role("button", name="My pictures").click()
    await page.locator("#mine").wait_for()


def stored(bot: PageServer) -> set[str]:
    """The pictures on disk."""
    return set(bot.images.keys())


# -- the list -----------------------------------------------------------------------------------------------


@on_both
async def test_earlier_pictures_are_listed_and_opened_again(
    chromium: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url, size) as page:
        await two_pictures(page)
        await open_mine(page)
        await expect(page.locator(".session")).to_have_count(2)
        await expect(page.locator(".session [aria-current]")).to_have_count(1)
        await page.get_by_role("button", name="Go on with “make it warmer”").click()
        await standing_at(page, "v2")
        await expect(page.locator("#chooser")).to_be_hidden()
        await say(page, "now brighter")
        await finished(page, "v3 from v2")


async def test_the_word_history_opens_the_list(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await say(page, "history")
        await page.locator("#mine").wait_for()
        await page.keyboard.press("Escape")
        await expect(page.locator(".show")).to_be_visible()


# -- deleting -----------------------------------------------------------------------------------------------


@on_both
async def test_a_picture_is_deleted_with_its_versions_and_files(
    chromium: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url, size) as page:
        await two_pictures(page)
        assert len(stored(bot)) == 4
        await open_mine(page)
        warmer = page.locator(".session", has_text="make it warmer")
        await warmer.get_by_text("Delete…").click()
        await warmer.get_by_role("button", name="Delete").click()
        await expect(page.locator(".session")).to_have_count(1)
        await expect(notice(page)).to_have_text("The picture is deleted, with 2 edits made from it.")
        assert len(stored(bot)) == 1
        assert len(await bot.store.turns_in(*ALL_STATES)) == 1


async def test_one_version_is_deleted(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        current = page.locator(".turn.current")
        await current.get_by_text("Delete…").click()
        await current.get_by_role("button", name="Delete").click()
        await standing_at(page, "v0")
        await expect(page.locator(".shot")).to_have_count(1)
        assert len(stored(bot)) == 1


async def test_everything_of_a_visitor_is_deleted(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await two_pictures(page)
        await open_mine(page)
        data = page.locator(".data")
        await data.get_by_text("Delete all my data…").click()
        await data.get_by_role("button", name="Delete all my data").click()
        await expect(notice(page)).to_contain_text("All your data has been deleted")
        await expect(page.locator(".show")).to_have_count(0)
        assert not stored(bot)
        assert not await bot.store.turns_in(*ALL_STATES)


# -- comparing ----------------------------------------------------------------------------------------------


@on_both
async def test_any_two_versions_are_compared_first_the_original_and_the_current_one(
    chromium: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url, size) as page:
        await give_a_drawing(page)
        for number, words in enumerate(("make it night", "make it warmer", "add snow"), 1):
            await say(page, words)
            await finished(page, f"v{number} from v{number - 1}")
        await page.get_by_title("Compare any two versions").click()
        await expect(page.locator(".compared")).to_contain_text("v0")
        await expect(page.locator(".compared")).to_contain_text("v3")
        await expect(page.locator("#stage")).to_be_hidden()
        await page.get_by_label("Left version").select_option(label="v1 · make it night")
        await expect(page.locator(".compared")).to_contain_text("v1")
        await page.get_by_text("Close").or_(page.locator('a[data-choose="stay"]')).first.click()
        await expect(page.locator("#stage")).to_be_visible()


async def test_the_words_compare_with_show_both(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        for number, words in enumerate(("make it night", "make it warmer"), 1):
            await say(page, words)
            await finished(page, f"v{number} from v{number - 1}")
        await say(page, "compare with v0")
        await expect(page.locator(".compared")).to_contain_text("v0")
        await version(page, "v1").click()
        await standing_at(page, "v1")
        await expect(page.locator("#stage")).to_be_visible()
        await say(page, "compare")
        await expect(page.locator(".compared")).to_contain_text("v1")


# -- without scripts ----------------------------------------------------------------------------------------


async def test_all_this_works_without_scripts(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await two_pictures(page)
        known_by = await page.context.storage_state()
        async with visit(chromium, bot.url, is_scripted=False, known_by=known_by) as plain:
            await plain.get_by_role("button", name="My pictures").click()
            await plain.get_by_role("button", name="Go on with “make it warmer”").click()
            await standing_at(plain, "v2")
            await plain.get_by_title("Compare any two versions").click()
            await plain.get_by_label("Left version").select_option(label="v1 · make it night")
            await plain.locator(".two button").click()
            await expect(plain.locator(".compared")).to_contain_text("v1")
            await plain.get_by_role("button", name="My pictures").click()
            data = plain.locator(".data")
            await data.get_by_text("Delete all my data…").click()
            await data.get_by_role("button", name="Delete all my data").click()
            await expect(plain.locator(".show")).to_have_count(0)
        assert not stored(bot)


# -- what is said -------------------------------------------------------------------------------------------


async def test_questions_and_thanks_are_answered_and_leave_the_field_empty(
    chromium: Browser, tmp_path: Path
) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        field = page.get_by_label("Instruction", exact=True)
        for words, answer in (("what can you do?", "Text commands"), ("thanks!", "🧡")):
            await say(page, words)
            await expect(notice(page).first).to_contain_text(answer)
            await expect(field).to_have_value("")


async def test_what_may_be_a_command_is_asked_about_with_buttons(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        await say(page, "I want to undo something")
        await page.locator(".notice").get_by_role("button", name="Undo").click()
        await standing_at(page, "v0")
        await expect(page.locator(".notice")).to_have_count(0)
