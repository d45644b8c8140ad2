"""Pictures of the local page for the documents, made by the real model on a sample:

python -m tests.bot.web_chat.screenshots docs/pictures [--model mgie-mini]
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Page

from bot.workflow import ModelFacts
from mgie_engine.config import ModelConfig, resolve_model
from mgie_engine.edits import Editor
from mgie_engine.serving.choice import ModelChoice
from mgie_engine.serving.process import EngineProcess
from tests.bot.web_chat.gestures import finished, say
from tests.bot.web_chat.house import DESKTOP, MODEL, PHONE, InvertingEditor, browser, house, visit

STORY = ("make the house blue", "make it night")
PATIENCE_MS = 300_000  # the first edit waits for the model to load


async def take(folder: Path, editor: Editor, model: ModelFacts, sample: str) -> None:
    """Welcome and story, large and on a phone, by day and by night."""
    with tempfile.TemporaryDirectory() as data:
        async with house(Path(data), editor, model=model) as bot, browser() as chromium:
            for place, size in (("desktop", DESKTOP), ("phone", PHONE)):
                for scheme in ("light", "dark"):
                    async with visit(chromium, bot.url, size, scheme) as page:
                        page.set_default_timeout(PATIENCE_MS)
                        await _shoot(page, folder / f"local-chat-welcome-{place}-{scheme}.png")
                        await _tell(page, sample)
                        await _shoot(page, folder / f"local-chat-{place}-{scheme}.png")


async def _tell(page: Page, sample: str) -> None:
    await page.locator(f".sample-pic[data-sample={sample}]").click()
    for number, words in enumerate(STORY, 1):
        await say(page, words)
        await finished(page, f"v{number} from v{number - 1}")


async def _shoot(page: Page, file: Path) -> None:
    await page.evaluate("Promise.all([...document.images].map((image) => image.decode().catch(() => {})))")
    await page.wait_for_timeout(500)  # transitions
    await page.screenshot(path=file)


def main() -> None:
    """Read the arguments and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="mgie-mini", help='a model, or "none" for negatives in no time')
    parser.add_argument("--sample", default="house")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(chosen.folder, *_painter(chosen.model), chosen.sample))


def _painter(name: str) -> tuple[Editor, ModelFacts]:
    if name == "none":
        return InvertingEditor(), MODEL
    config = ModelConfig.from_json((resolve_model(name).folder / "config.json").read_text("utf-8"))
    return EngineProcess(ModelChoice(name)), ModelFacts(config.name, config.defaults)


if __name__ == "__main__":
    main()
