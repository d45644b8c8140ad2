"""Named strengths, auto and the classic view, as a person uses them on the page."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from bot.web_chat.page_settings import PageSettings
from bot.web_chat.presets import offers
from conversations.messages import Message
from mgie_engine.strengths import Kind, Pictures, Preset, StrengthRule, StrengthTable
from tests.support.english import in_english
from tests.support.page_gestures import finished, give_a_drawing, notice, open_controls, say, stage_picture
from tests.support.page_server import DEFAULTS, MODEL, InvertingEditor, page_server, visit

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop

KNOBS = PageSettings(DEFAULTS.text_cfg, DEFAULTS.image_cfg, DEFAULTS.steps)
ADDING = StrengthTable(
    "test-model", 0.5, (7.5, 1.5), (StrengthRule(Kind.ADD, Pictures.ANY, 11.0, 1.25, (0.1, 0.0, 0.2), 9),)
)
STUDIED = replace(MODEL, strengths=ADDING)


def preset(page: Page, name: str) -> Locator:
    return page.locator(".presets").get_by_role("button", name=name, exact=True)


async def chosen(page: Page, name: str) -> None:
    await expect(page.locator('[name="preset"][aria-pressed="true"]')).to_have_text(name)


async def test_a_preset_sets_the_scales_and_is_kept(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await chosen(page, "Balanced")
        await open_controls(page)
        await preset(page, "Faithful").click()
        await expect(page.get_by_label("Text CFG")).to_have_value("6")
        await expect(page.get_by_label("Image CFG")).to_have_value("2")
        await page.reload()
        await chosen(page, "Faithful")


async def test_the_published_settings_of_magix_come_with_their_seed(
    chromium: Browser, tmp_path: Path
) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await open_controls(page)
        await preset(page, "MagiX 7/2").click()
        await expect(page.get_by_label("Seed", exact=True)).to_have_value("13331")
        await say(page, "make the tree leaves green")
        await expect(page.locator(".facts")).to_contain_text("text 7 · image 2 · 4 steps · seed 13331")


async def test_auto_chooses_for_each_edit_and_says_why(chromium: Browser, tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor(), model=STUDIED) as bot,
        visit(chromium, bot.url) as page,
    ):
        await give_a_drawing(page)
        await open_controls(page)
        await preset(page, "Auto").click()
        await chosen(page, "Auto")
        await say(page, "add a tree")
        await finished(page, "v1 from v0")
        await expect(page.locator(".turn.current .facts")).to_contain_text("text 11 · image 1.25")
        await expect(page.locator(".turn.current .note").first).to_have_text(in_english(Message("auto_add")))
        await say(page, "make it red")
        await finished(page, "v2 from v1")
        await expect(page.locator(".turn.current .facts")).to_contain_text("text 7.5 · image 1.5")
        await chosen(page, "Auto")


async def test_moving_a_scale_ends_auto(chromium: Browser, tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor(), model=STUDIED) as bot,
        visit(chromium, bot.url) as page,
    ):
        await give_a_drawing(page)
        await open_controls(page)
        await preset(page, "Auto").click()
        await chosen(page, "Auto")
        await page.get_by_label("Text CFG").fill("5")
        await say(page, "add a tree")
        await finished(page, "v1 from v0")
        await expect(page.locator(".turn.current .facts")).to_contain_text("text 5 · image 1.5")
        await expect(page.locator('[name="preset"][aria-pressed="true"]')).to_have_count(0)


async def test_a_seed_does_not_end_auto(chromium: Browser, tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor(), model=STUDIED) as bot,
        visit(chromium, bot.url) as page,
    ):
        await give_a_drawing(page)
        await open_controls(page)
        await preset(page, "Auto").click()
        await chosen(page, "Auto")
        await page.get_by_label("Seed", exact=True).fill("7")
        await say(page, "add a tree")
        await finished(page, "v1 from v0")
        await expect(page.locator(".turn.current .facts")).to_contain_text("text 11 · image 1.25")
        await chosen(page, "Auto")


async def test_the_classic_view_shows_pictures_and_every_field_at_once(
    chromium: Browser, tmp_path: Path
) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await page.get_by_role("button", name="Classic").click()
        await open_controls(page)
        await preset(page, "MagiX 7/2").click()
        await expect(page.get_by_label("Seed", exact=True)).to_have_value("13331")
        await say(page, "make the tree leaves green")
        await finished(page, "v1 from v0")
        for label in ("Instruction", "Expressive Instruction", "Seed"):
            await expect(page.get_by_label(label, exact=True)).to_be_in_viewport(ratio=1)
        for label in ("Text CFG", "Image CFG"):
            await expect(page.get_by_label(label)).to_be_in_viewport(ratio=1)
        for part in (".frame.before", ".frame.after"):
            await expect(page.locator(part)).to_be_in_viewport(ratio=1)
        await expect(page.locator(".film")).to_be_hidden()
        assert await stage_picture(page, "after") != await stage_picture(page, "before")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_classic_view_is_remembered_and_left_again(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await page.get_by_role("button", name="Classic").click()
        await page.reload()
        await expect(page.locator('[data-layout="classic"]')).to_have_attribute("aria-pressed", "true")
        await expect(page.locator(".film")).to_be_hidden()
        await page.get_by_role("button", name="Classic").click()
        await expect(page.locator(".film")).to_be_visible()


async def test_an_unknown_preset_is_refused(chromium: Browser, tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        await chromium.new_context() as context,
        await context.new_page() as page,
    ):
        await page.goto(bot.url)
        await chosen(page, "Balanced")
        await open_controls(page)
        await preset(page, "Bold").evaluate("button => button.value = 'loudest'")
        await open_controls(page)
        await preset(page, "Bold").click()
        await expect(notice(page)).to_contain_text("did not understand")
        await page.reload()
        await chosen(page, "Balanced")
        await open_controls(page)
        await preset(page, "Bold").click()
        await chosen(page, "Bold")


async def test_every_preset_is_offered_and_at_most_one_is_chosen() -> None:
    for settings in (KNOBS, replace(KNOBS, text_cfg=7.0, image_cfg=2.0), replace(KNOBS, is_auto=True)):
        offered = offers(settings, KNOBS)
        assert [offer.preset for offer in offered] == list(Preset)
        assert sum(offer.is_chosen for offer in offered) == 1
    assert not any(offer.is_chosen for offer in offers(replace(KNOBS, text_cfg=3.3), KNOBS))


async def test_presets_of_another_model_are_not_offered() -> None:
    mini = replace(KNOBS, text_cfg=1.5, image_cfg=1.0)
    offered = [offer.preset for offer in offers(mini, mini)]
    assert offered == [Preset.AUTO, Preset.FAITHFUL, Preset.BALANCED, Preset.BOLD]


async def test_auto_is_offered_only_where_a_table_has_rules_or_it_is_chosen() -> None:
    unstudied = [offer.preset for offer in offers(KNOBS, KNOBS, offers_auto=False)]
    assert unstudied == [preset for preset in Preset if preset is not Preset.AUTO]
    assert len(offers(replace(KNOBS, is_auto=True), KNOBS, offers_auto=False)) == len(Preset)
    assert STUDIED.offers_auto
    assert not replace(MODEL, strengths=replace(ADDING, rules=())).offers_auto
    assert not MODEL.offers_auto


async def test_the_seed_of_a_result_can_be_kept(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        keep = page.get_by_role("button", name="Keep seed")
        seed = (await keep.get_attribute("data-seed")) or ""
        await keep.click()
        await expect(page.get_by_label("Seed", exact=True)).to_have_value(seed)
        await say(page, "and back to day")
        await finished(page, "v2 from v1")
        await expect(page.locator(".turn.current .facts")).to_contain_text(f"seed {seed}")
