"""The real local page on real parts; only the editor is the test's. And a browser to use it with."""

import io
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import which
from typing import Any

from PIL import Image, ImageChops, ImageDraw
from playwright.async_api import Browser, Page, StorageState, async_playwright, expect

from bot.policy.limits import Limits
from bot.web_chat.server import web_chat
from bot.workflow.dispatcher import EditWorkflow, ModelFacts
from conversations.images.image_store import ImageStore
from conversations.store.session_store import SessionStore
from mgie_engine.config import Defaults
from mgie_engine.edits import Changed, DeviceState, EditRequest, EditResult, EditRunner, Report
from mgie_engine.serving.service import EditService
from tests.support.fakes import echo

DEFAULTS = Defaults(steps=4)
MODEL = ModelFacts("test-model", DEFAULTS)
TIMEOUT_MS = 60_000  # with what a machine that is busy with other work shows late
DESKTOP, PHONE = (1440, 900), (390, 844)
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class InvertingEditor:
    """Gives the negative of every picture, so that an edit can be seen; twice gives the original."""

    slots = 2
    ready = True
    devices: tuple[DeviceState, ...] = ()

    async def start(self, changed: Changed) -> None:
        """Nothing to start."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """The negative, at once."""
        expressive = request.reading or f"Everything becomes its opposite: {request.instruction}."
        return replace(echo(request), image=inverted(request.image), expressive=expressive, changed=1.0)

    async def close(self) -> None:
        """Nothing to close."""


def inverted(png: bytes) -> bytes:
    """The negative of a picture, as PNG."""
    with Image.open(io.BytesIO(png)) as picture:
        return to_png(ImageChops.invert(picture.convert("RGB")))


def a_drawing(size: tuple[int, int] = (320, 240), sky: str = "skyblue") -> bytes:
    """A PNG with a sky, a meadow and a sun."""
    picture = Image.new("RGB", size, sky)
    draw = ImageDraw.Draw(picture)
    width, height = size
    draw.rectangle((0, height * 2 // 3, width, height), fill="olivedrab")
    draw.ellipse((width // 2, height // 8, width // 2 + height // 4, height // 8 + height // 4), fill="gold")
    return to_png(picture)


def to_png(picture: Image.Image) -> bytes:
    """The picture as a PNG file."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def to_preview(png: bytes) -> bytes:
    """A small soft WebP of a picture, as the engine shows it on the way."""
    with Image.open(io.BytesIO(png)) as picture:
        picture.thumbnail((64, 64))
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=60)
    return file.getvalue()


@dataclass(frozen=True)
class PageServer:
    """A running page."""

    url: str
    store: SessionStore
    images: ImageStore
    workflow: EditWorkflow


@asynccontextmanager
async def parts(
    folder: Path, editor: EditRunner, model: ModelFacts = MODEL, limits: Limits | None = None
) -> AsyncIterator[tuple[SessionStore, ImageStore, EditWorkflow]]:
    """What a bot on the files of `folder` has, without a chat."""
    images = ImageStore(folder / "images")
    limits = limits or Limits(requests=1000)
    async with (
        SessionStore.open(folder / "conversations.db") as store,
        EditService(editor) as service,
        EditWorkflow(store, images, service, model, limits=limits) as workflow,
    ):
        yield store, images, workflow


@asynccontextmanager
async def page_server(
    folder: Path,
    editor: EditRunner,
    *,
    model: ModelFacts = MODEL,
    limits: Limits | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    names: Collection[str] = (),
    path: str = "",
) -> AsyncIterator[PageServer]:
    """The page of a bot on the files of `folder`, with any editor."""
    address: dict[str, Any] = {"host": host, "port": port, "names": names, "path": path}
    async with (
        parts(folder, editor, model, limits) as (store, images, workflow),
        web_chat(workflow, images, model.name, model.defaults, **address) as url,
    ):
        yield PageServer(url, store, images, workflow)


@asynccontextmanager
async def browser(*flags: str) -> AsyncIterator[Browser]:
    """A headless Chromium."""
    chromium = which("chromium") or which("chromium-browser") or which("google-chrome")
    assert chromium, "These tests need Chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=[*_FLAGS, *flags])
        try:
            yield started
        finally:
            await started.close()


@asynccontextmanager
async def visit(
    browser: Browser,
    url: str,
    size: tuple[int, int] = DESKTOP,
    scheme: str = "light",
    *,
    locale: str = "en-US",
    known_by: StorageState | None = None,
    script: str | None = None,
    is_scripted: bool = True,
) -> AsyncIterator[Page]:
    """The page in a browser profile of its own; fails when it asks other servers or logs an error.

    `known_by`: the cookies of an earlier visit. `script`: runs before those of the page.
    `is_scripted`: whether scripts run at all.
    """
    expect.set_options(timeout=TIMEOUT_MS)
    strayed: list[str] = []
    is_phone = size[0] < 600
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        is_mobile=is_phone,
        has_touch=is_phone,
        locale=locale,
        storage_state=known_by,
        java_script_enabled=is_scripted,
        ignore_https_errors=True,  # of certificates that tests make
    )
    context.set_default_timeout(TIMEOUT_MS)
    page = await context.new_page()
    if script is not None:
        await page.add_init_script(script)
    page.on(
        "request", lambda r: strayed.append(r.url) if not r.url.startswith((url, "data:", "blob:")) else None
    )
    page.on("console", lambda m: strayed.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda error: strayed.append(f"script: {error}"))
    try:
        await page.goto(url)
        await page.locator(".welcome, .show").first.wait_for()
        yield page
    finally:
        await context.close()
    assert strayed == []
