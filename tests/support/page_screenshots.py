"""Take the pictures of the local page for the documents: the story, told by a real model on a sample.

    python -m tests.support.page_screenshots docs/images                  # the bundled model, some minutes
    python -m tests.support.page_screenshots /tmp/pictures --model none   # negatives, in half a minute

Needs Chromium. Every picture is page-<moment>-<desktop|phone>.png, with few colours, so that it stays small.
story.webp is the animation that the page exports after four edits.
"""

import argparse
import asyncio
import io
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from playwright.async_api import Browser, Page

from bot.workflow.dispatcher import ModelFacts
from mgie_engine.config import ModelConfig, resolve_model
from mgie_engine.edits import (
    Changed,
    DeviceState,
    EditRequest,
    EditResult,
    EditRunner,
    Progress,
    Report,
    Stage,
)
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.process import EngineProcess
from tests.support.discord_server.portrait import save_small
from tests.support.page_gestures import finished, open_controls, say
from tests.support.page_server import (
    DESKTOP,
    MODEL,
    PHONE,
    InvertingEditor,
    browser,
    page_server,
    to_preview,
    visit,
)
from tests.support.page_story import played

SAMPLE = "house"
WORDS: Mapping[str, str] = {  # what the story says, in words that suit the sample
    "make it darker": "make it night",
    "add a hat": "remove the tree",
    "add snow": "make the ground snow",
    "add rain": "make it warmer",
    "a blue hat": "make the ball yellow",
    "add fog": "turn it to sepia",
    "a green hat": "make the ball green",
    "add a boat": "make the ball blue",
    "make it grey": "make it darker",
}
STORY = ("make the ball red", "remove the tree", "make the ground snow", "make it night")
WANTED = {
    "desktop": {"welcome", "first", "waiting", "end", "changes", "grid"},
    "phone": {"welcome", "first", "waiting", "controls", "end", "german"},
}
MOST_BYTES = 150_000
TIMEOUT_MS = 300_000  # a real model is loaded first
SEEN_PICTURES_ARE_THERE = """Promise.all(
    [...document.images].filter((image) => image.checkVisibility())
        .map((image) => image.decode().catch(() => {}))
)"""


class PreviewingEditor(InvertingEditor):
    """Shows a preview of the negative on the way."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """The negative, after most of the steps."""
        made = await super().run(request, report)
        report(Progress(Stage.PAINTING, 11, 20, made.expressive, to_preview(made.image)))
        return made


class HoldingEditor:
    """Paints with another editor, one at a time, but ends nothing: edits stay on their way."""

    slots = 1

    def __init__(self, inner: EditRunner) -> None:
        self._inner = inner

    @property
    def ready(self) -> bool:
        """Whether the other one is."""
        return self._inner.ready

    @property
    def devices(self) -> Sequence[DeviceState]:
        """Those of the other one."""
        return self._inner.devices

    async def start(self, changed: Changed) -> None:
        """Start the other one."""
        await self._inner.start(changed)

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """Report what comes before the last third of the steps, then wait to be cancelled."""
        await self._inner.run(request, lambda news: report(news) if news.step <= 0.67 * news.steps else None)
        await asyncio.Event().wait()
        raise AssertionError("nothing ends this wait")

    async def close(self) -> None:
        """Close the other one."""
        await self._inner.close()


class Camera:
    """Photographs the moments that are wanted of one place."""

    def __init__(self, folder: Path, place: str) -> None:
        self._folder, self._place = folder, place

    async def look(self, page: Page, moment: str) -> None:
        """Take the picture of a moment, if it is wanted."""
        if moment not in WANTED[self._place]:
            return
        if moment == "waiting":
            await page.locator(".pending img").wait_for()
        await page.evaluate(SEEN_PICTURES_ARE_THERE)
        await page.wait_for_timeout(700)  # transitions
        shot = await page.screenshot()
        await asyncio.to_thread(
            save_small, shot, self._folder / f"page-{moment}-{self._place}.png", MOST_BYTES
        )


async def take(folder: Path, editor: Callable[[], EditRunner], model: ModelFacts) -> None:
    """Tell the story in both places, and look closer at its end."""
    async with browser() as chromium:
        for place, size in (("desktop", DESKTOP), ("phone", PHONE)):
            camera = Camera(folder, place)
            with tempfile.TemporaryDirectory() as data:
                editors = (editor(), HoldingEditor(editor()), editor())
                async with played(
                    Path(data),
                    chromium,
                    size,
                    editors,
                    _begin_story,
                    words=WORDS,
                    model=model,
                    look=camera.look,
                    timeout_ms=TIMEOUT_MS,
                ) as (_, page):
                    await _look_closer(page, camera)
        await save_story(folder, chromium, editor(), model)
        await _in_german(folder, chromium, model)


async def _open_sample(page: Page) -> None:
    await page.locator(f".sample-pic[data-sample={SAMPLE}]").click()
    await page.locator(".shot[aria-current]").wait_for()


async def _begin_story(page: Page) -> None:
    """Open the sample, and let the bot ask nothing: which words a model doubts changes with its weights."""
    await _open_sample(page)
    await open_controls(page)
    await page.get_by_role("button", name="Ask when unsure").click()
    await page.locator('[name="ask"][aria-pressed="false"]').wait_for()
    await page.get_by_role("button", name="More controls").click()


async def _look_closer(page: Page, camera: Camera) -> None:
    """Where the last result differs, and the same edit at nine strengths."""
    await page.locator('[data-view="map"]').click()
    await camera.look(page, "changes")
    await page.locator('[data-view="both"]').click()
    await page.get_by_role("button", name="Strengths", exact=True).click()
    await page.locator(".sheet img").wait_for()
    await page.locator(".sheet img").scroll_into_view_if_needed()
    await camera.look(page, "grid")


async def save_story(folder: Path, chromium: Browser, editor: EditRunner, model: ModelFacts) -> None:
    """Save the animation that the page exports after four edits."""
    with tempfile.TemporaryDirectory() as data:
        async with page_server(Path(data), editor, model=model) as bot, visit(chromium, bot.url) as page:
            page.set_default_timeout(TIMEOUT_MS)
            await _begin_story(page)
            for number, words in enumerate(STORY):
                await say(page, words)
                await finished(page, f"v{number + 1} from v{number}")
            exported = await (await page.request.get(f"{bot.url}/export")).body()
    with zipfile.ZipFile(io.BytesIO(exported)) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("/story.webp")]
        await asyncio.to_thread((folder / "story.webp").write_bytes, archive.read(name))


async def _in_german(folder: Path, chromium: Browser, model: ModelFacts) -> None:
    """The page as a German browser sees it, by night."""
    with tempfile.TemporaryDirectory() as data:
        async with (
            page_server(Path(data), InvertingEditor(), model=model) as bot,
            visit(chromium, bot.url, PHONE, "dark", locale="de-DE") as page,
        ):
            await _open_sample(page)
            await page.get_by_label("Anweisung", exact=True).wait_for()
            await Camera(folder, "phone").look(page, "german")


def main() -> None:
    """Read the arguments and take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.page_screenshots", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="mgie-mini", help='a model, or "none" for negatives in no time')
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(chosen.folder, *_painter(chosen.model)))


def _painter(name: str) -> tuple[Callable[[], EditRunner], ModelFacts]:
    """Makes an editor for each life of the bot."""
    if name == "none":
        return PreviewingEditor, MODEL
    config = ModelConfig.from_json((resolve_model(name).folder / "config.json").read_text("utf-8"))
    return lambda: EngineProcess(ModelChoice(name), 1), ModelFacts(config.name, config.defaults)


if __name__ == "__main__":
    main()
