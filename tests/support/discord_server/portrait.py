"""Take a picture of a conversation with the real bot, as Discord draws it.

    python -m tests.support.discord_server.portrait ball.png "make the ball red" "now blue" -o card.png

The first sentence is said with the picture, each further one in reply to the result before. Needs Chromium
(`--chromium`, default /usr/bin/chromium). Further settings of the bot come from the environment as always.
"""

import argparse
import asyncio
import io
import os
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

from tests.support.discord_server import DiscordServer
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import Channel, Message

WITHIN_S = 900.0  # the first edit waits for the model to be loaded
WIDTH_PX = 680
MOST_BYTES = 200_000


async def take(picture: Path, sentences: Sequence[str], out: Path, bot: str, chromium: str) -> None:
    """Hold the conversation, then photograph the channel."""
    async with DiscordServer() as discord:
        channel = discord.world.add_channel("pictures")
        async with running(bot, discord):
            await discord.wait_for(lambda: discord.gateway.connected, WITHIN_S)
            await converse(discord, channel, picture, sentences)
        await photograph(f"{discord.url}/channels/{channel.id}", out, chromium)


async def converse(discord: DiscordServer, channel: Channel, picture: Path, sentences: Sequence[str]) -> None:
    """Say each sentence once the one before was answered."""
    anna = discord.world.add_person("anna")
    first, *others = sentences
    files = {picture.name: await asyncio.to_thread(picture.read_bytes)}
    result = await finished(discord, discord.say(channel, anna, first, files=files, mention=True))
    for sentence in others:
        result = await finished(discord, discord.say(channel, anna, sentence, reply_to=result))


async def finished(discord: DiscordServer, asked: Message) -> Message:
    """The result that answers a message, once it alone is left of the answers."""

    def result() -> Message | None:
        match discord.answers_to(asked):
            case [message] if "### ✅" in text_of(message):
                return message
        return None

    return await discord.wait_for(result, WITHIN_S)


@asynccontextmanager
async def running(bot: str, discord: DiscordServer) -> AsyncIterator[None]:
    """The bot as a process, until the block is left."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_BASE": discord.api_base,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "DISCORD_CDN_HOSTS": discord.host,
            "DATA_DIR": folder,
        }
        process = await asyncio.create_subprocess_exec(*shlex.split(bot), env=environment)
        try:
            yield
        finally:
            process.terminate()
            await process.wait()


async def photograph(url: str, out: Path, chromium: str) -> None:
    """The channel without the form to write in, as a PNG."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": WIDTH_PX, "height": 600})
        await page.goto(url)
        await page.wait_for_load_state("networkidle")
        await page.add_style_tag(content="form { display: none }")
        taken = await page.locator("main").screenshot()
        await browser.close()
    save_small(taken, out)


def save_small(png: bytes, out: Path, most_bytes: int = MOST_BYTES) -> None:
    """The picture in at most so many bytes: exact, else with fewer colours."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(png)) as picture:
        exact = picture.convert("RGB")
        exact.save(out, optimize=True)
        if out.stat().st_size > most_bytes:
            palette = exact.quantize(256)
            exact.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(out, optimize=True)


def main() -> None:
    """Read the arguments and take the picture."""
    name = "python -m tests.support.discord_server.portrait"
    parser = argparse.ArgumentParser(prog=name, description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("sentences", nargs="+")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--bot", default=f"{sys.executable} -m bot", help="the command that starts the bot")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    given = parser.parse_args()
    asyncio.run(take(given.picture, given.sentences, given.out, given.bot, given.chromium))


if __name__ == "__main__":
    main()
