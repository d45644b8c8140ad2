"""Pictures taken along from the page: PNG, JPEG and WebP, with the recipe of the edit."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import ExifTags, Image
from playwright.async_api import Browser, Page, expect

from bot.chat.replies import Card, CardState
from bot.web_chat.markup import stage
from bot.web_chat.page_state import PageState
from bot.web_chat.picture_downloads import as_jpeg, as_png, as_webp, recipe
from conversations.settings import EditSettings
from tests.support.page_gestures import finished, give_a_drawing, pixels, say
from tests.support.page_server import InvertingEditor, a_drawing, inverted, page_server, visit

USED = EditSettings(7.5, 1.5, 50, 7, "euler_ancestral")
SAID = "add snow", 'It "snows".'
CARD = Card("k3f9", "v1", "ann", CardState.DONE, settings=USED, instruction=SAID[0], expressive=SAID[1])


def test_the_recipe_is_written_as_other_tools_write_it() -> None:
    assert recipe(CARD, "mgie-mini") == (
        "add snow\nSteps: 50, Sampler: euler_ancestral, CFG scale: 7.5, Image CFG scale: 1.5, Seed: 7, "
        "Model: mgie-mini, Expressive instruction: \"It 'snows'.\""
    )
    assert recipe(Card("k", "v0", "ann", CardState.DONE), "mgie-mini") == ""
    assert (
        recipe(replace(CARD, is_exact=True), "mgie-mini").splitlines()[1].startswith("CFG scale: 7.5, Image")
    )


@pytest.mark.parametrize("words", ["add snow", "añade ☃"])
def test_every_pixel_of_a_png_stays_and_the_recipe_is_its_parameters(words: str) -> None:
    drawing = a_drawing()
    made = as_png(drawing, words)
    with Image.open(io.BytesIO(made)) as picture:
        assert picture.info["parameters"] == words
    assert pixels(made) == pixels(drawing)
    assert as_png(drawing, "") == drawing


@pytest.mark.parametrize(("work", "kind"), [(as_jpeg, "JPEG"), (as_webp, "WEBP")])
def test_a_smaller_file_has_the_recipe_as_its_comment(work: Callable[[bytes, str], bytes], kind: str) -> None:
    with Image.open(io.BytesIO(work(a_drawing(), "añade ☃"))) as picture:
        assert (picture.format, picture.size) == (kind, (320, 240))
        comment = picture.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    assert comment.removeprefix(b"UNICODE\0").decode("utf-16-be") == "añade ☃"


async def taken(page: Page, kind: str) -> Image.Image:
    """The picture that an entry of the menu on the stage gives."""
    await page.locator(".saves summary").click()
    async with page.expect_download() as download:
        await page.get_by_role("link", name=kind).click()
    picture = Image.open(await (await download.value).path())
    picture.load()
    return picture


@pytest.mark.asyncio(loop_scope="module")
async def test_a_result_is_taken_along_in_three_formats(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        drawing = await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        png, jpeg, webp = [await taken(page, kind) for kind in ("PNG", "JPEG", "WebP")]
        await expect(page.locator(".saves-box")).to_be_hidden()  # a choice closes it
        assert png.convert("RGB").tobytes() == pixels(inverted(drawing))
        assert png.info["parameters"].startswith("make it night\nSteps: 4, ")
        assert (jpeg.format, jpeg.size) == ("JPEG", png.size)
        assert (webp.format, webp.size) == ("WEBP", png.size)
        other = await page.request.get(f"{page.url}downloads/zzzz.png")
        assert other.status == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_a_picture_can_be_seen_in_the_whole_window_and_pixel_by_pixel(
    chromium: Browser, tmp_path: Path
) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await page.get_by_role("button", name="Zoom").click()
        picture = page.locator("#zoom img")
        await picture.wait_for()
        await picture.click()
        assert await picture.evaluate("image => image.clientWidth === image.naturalWidth")
        await page.keyboard.press("Escape")
        await picture.wait_for(state="hidden")


def test_webp_is_offered_up_to_its_largest_side() -> None:
    card = Card("k3f9", "v1", "ann", CardState.DONE, after="a" * 64)
    for side, count in ((16_383, 3), (16_384, 2)):
        drawn = stage(PageState((card,), "k3f9", {"a" * 64: (side, 9)}), "en")
        assert drawn.count('href="downloads/') == count
