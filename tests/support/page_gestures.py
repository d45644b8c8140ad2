"""What people do on the page, in the words of the tests."""

import io

from PIL import Image
from playwright.async_api import Locator, Page

from tests.support.page_server import a_drawing


async def give(page: Page, file: bytes, name: str = "picture.png") -> None:
    """Choose a file, as the button would."""
    await page.set_input_files("#picture-file", {"name": name, "mimeType": "image/png", "buffer": file})


async def give_a_drawing(page: Page) -> bytes:
    """Choose a drawing and wait until it is v0; the file."""
    drawing = a_drawing()
    await give(page, drawing)
    await standing_at(page, "v0")
    return drawing


async def say(page: Page, words: str) -> None:
    """Type words and press Enter."""
    await page.get_by_label("Instruction", exact=True).fill(words)
    await page.keyboard.press("Enter")


async def standing_at(page: Page, version: str) -> None:
    """Wait until that version is the current one."""
    await page.locator(".shot[aria-current]", has_text=version).wait_for()


async def finished(page: Page, title: str) -> None:
    """Wait until the stage shows a result with that title, e.g. "v2 from v1"."""
    await page.locator(".show.done .show-title", has_text=title).wait_for()


async def stage_picture(page: Page, which: str = "after") -> bytes:
    """The bytes of the picture on the stage, as the browser gets them."""
    source = await page.locator(f".show .frame.{which} img").get_attribute("src")
    answer = await page.request.get(f"{page.url}{source}")
    assert answer.headers["content-type"] == "image/png"
    return await answer.body()


def version(page: Page, name: str) -> Locator:
    """The button of a version in the filmstrip."""
    return page.locator(".shot", has_text=name)


def notice(page: Page) -> Locator:
    """The sentence above the instruction field."""
    return page.locator(".notice p")


def pixels(png: bytes) -> bytes:
    """What the picture shows, whatever its encoding."""
    with Image.open(io.BytesIO(png)) as picture:
        return picture.convert("RGB").tobytes()


async def open_controls(page: Page) -> None:
    """Show the settings, which stand behind a button."""
    button = page.locator(".tune")
    if await button.is_visible() and await button.get_attribute("aria-expanded") == "false":
        await button.click()
