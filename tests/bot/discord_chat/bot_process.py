"""The bot as a process of its own: `mgie-bot` in all but the editor. Settings come from the environment.

python -m tests.bot.discord_chat.bot_process stuck    # edits begin and never end
python -m tests.bot.discord_chat.bot_process marking  # each instruction leaves its mark on the picture
"""

import asyncio
import hashlib
import io
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PIL import Image

from bot.cli import serve
from bot.lock import only_one
from bot.settings import read_settings
from mgie_engine.config import Defaults, ModelConfig
from mgie_engine.edits import EditRequest, EditResult, Progress, Report, Stage
from tests.discord_server import DiscordServer
from tests.fakes import EchoEditor, echo

PROJECT = Path(__file__).parents[3]
SECONDS_TO_END = 20.0


class MarkingEditor(EchoEditor):
    """Adds one pixel column per edit whose colour is made of the instruction: a picture tells its history."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """The picture, one column wider."""
        made = echo(request)
        with Image.open(io.BytesIO(request.image)) as picture:
            wider = Image.new("RGB", (picture.width + 1, picture.height), colour_of(request.instruction))
            wider.paste(picture.convert("RGB"))
        file = io.BytesIO()
        wider.save(file, "PNG")
        return EditResult(file.getvalue(), "(marked)", made.settings, "marking", wider.size, made.seconds)


class StuckEditor(EchoEditor):
    """Begins every edit and ends none."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """Report a first step, then wait for the end of the process."""
        report(Progress(Stage.PAINTING, 1, 4))
        await asyncio.Event().wait()
        raise AssertionError("nothing ends this wait")


EDITORS = {"stuck": StuckEditor, "marking": MarkingEditor, "echo": EchoEditor}


def colour_of(instruction: str) -> tuple[int, int, int]:
    """A colour of its own for each instruction."""
    red, green, blue = hashlib.sha256(instruction.encode()).digest()[:3]
    return red, green, blue


def marks_on(png: bytes, columns: int) -> list[tuple[int, int, int]]:
    """The colours of the last columns, oldest first."""
    with Image.open(io.BytesIO(png)) as picture:
        rgb = picture.convert("RGB")
        found = [rgb.getpixel((rgb.width - columns + n, 0)) for n in range(columns)]
    return [tuple(colour) for colour in found]  # type: ignore[arg-type, misc]


class BotProcess:
    """A running bot process; `kill` is kill -9."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end, and wait until it did; its exit code."""
        if self._process.returncode is None:
            self._process.terminate()
        async with asyncio.timeout(SECONDS_TO_END):
            return await self._process.wait()


@asynccontextmanager
async def bot_process(
    folder: Path, discord: DiscordServer, editor: str, *, slots: int = 1
) -> AsyncIterator[BotProcess]:
    """A bot process on the files of `folder`, started now; killed at the end if it still runs."""
    environment = {
        **os.environ,
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_BASE": discord.api_base,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
        "DISCORD_CDN_HOSTS": discord.host,
        "DATA_DIR": str(folder),
        "MAX_REQUESTS": "1000",
        "TEST_SLOTS": str(slots),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bot.discord_chat.bot_process", editor, env=environment, cwd=PROJECT
    )
    bot = BotProcess(process)
    try:
        yield bot
    finally:
        await bot.kill()


def main() -> None:
    """Serve until told to stop."""
    editor = EDITORS[sys.argv[1]](slots=int(os.environ.get("TEST_SLOTS", "1")))
    logging.basicConfig(level=logging.WARNING)
    settings = read_settings(env_file=None)
    config = ModelConfig(name=sys.argv[1], defaults=Defaults(steps=4))
    with only_one(settings.data_dir):
        asyncio.run(serve(settings, config, editor))


if __name__ == "__main__":
    main()
