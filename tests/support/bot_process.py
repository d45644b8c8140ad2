"""The bot as a process of its own: `mgie-bot` in all but the editor. Settings come from the environment.

python -m tests.support.bot_process stuck    # edits begin and never end
python -m tests.support.bot_process marking  # each instruction leaves its mark on the picture
python -m tests.support.bot_process brisk    # the same, a moment later, with progress
python -m tests.support.bot_process steady   # each takes SERVICE_S
python -m tests.support.bot_process painting # each takes PAINTING_S, with progress and previews
python -m tests.support.bot_process mgie-mini  # the true engine in its own process

Where PAINTED_FILE is set, `painting` adds a line to it whenever an edit ends: monotonic seconds, instruction.
Where STALLS_FILE is set, how long the event loop kept others waiting is written there at the end.
"""

import asyncio
import hashlib
import io
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from PIL import Image

from bot.cli import model_config, serve
from bot.ops.instance_lock import single_instance
from bot.settings import read_settings
from mgie_engine.config import Defaults, ModelConfig
from mgie_engine.edits import EditRequest, EditResult, EditRunner, Progress, Report, Stage
from tests.support.discord_server import DiscordServer
from tests.support.fakes import EchoEditor, a_preview, echo

PROJECT = Path(__file__).parents[2]
SECONDS_TO_END = 20.0
SERVICE_S = 0.25
PAINTING_S, PAINTING_STEPS = 2.0, 20
LOOK_EVERY_S = 0.01


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
        reading = request.reading or "(marked)"
        return EditResult(file.getvalue(), reading, made.settings, "marking", wider.size, made.seconds)


class StuckEditor(EchoEditor):
    """Begins every edit and ends none."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """Report a first step, then wait for the end of the process."""
        report(Progress(Stage.PAINTING, 1, 4))
        await asyncio.Event().wait()
        raise AssertionError("nothing ends this wait")


class BriskEditor(MarkingEditor):
    """Takes a moment for each edit and reports progress, so that a kill may come in the middle."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """The marked picture, after four quick steps."""
        for step in range(1, 5):
            report(Progress(Stage.PAINTING, step, 4, preview=a_preview()))
            await asyncio.sleep(0.02)
        return await super().run(request, report)


class SteadyEditor(EchoEditor):
    """Takes the same time for each edit."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """The picture untouched, SERVICE_S later."""
        await asyncio.sleep(SERVICE_S)
        return echo(request)


class PaintingEditor(EchoEditor):
    """Takes as long as a fast model does, and reports every step."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """The picture untouched, PAINTING_S later."""
        for step in range(1, PAINTING_STEPS + 1):
            await asyncio.sleep(PAINTING_S / PAINTING_STEPS)
            report(Progress(Stage.PAINTING, step, PAINTING_STEPS, preview=a_preview()))
        if name := os.environ.get("PAINTED_FILE"):
            await asyncio.to_thread(append_line, Path(name), f"{time.monotonic()}\t{request.instruction}")
        return echo(request)


def append_line(file: Path, line: str) -> None:
    """Add a line to a text file."""
    with file.open("a", encoding="utf-8") as text:
        text.write(f"{line}\n")


EDITORS = {
    "stuck": StuckEditor,
    "marking": MarkingEditor,
    "brisk": BriskEditor,
    "steady": SteadyEditor,
    "painting": PaintingEditor,
    "echo": EchoEditor,
}


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

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def stop(self, within_s: float = SECONDS_TO_END) -> int:
        """Ask it to end, and wait until it did; its exit code. TimeoutError if it takes longer."""
        if self._process.returncode is None:
            self._process.terminate()
        async with asyncio.timeout(within_s):
            return await self._process.wait()


@asynccontextmanager
async def bot_process(
    folder: Path,
    discord: DiscordServer,
    editor: str,
    *,
    slots: int = 1,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[BotProcess]:
    """A bot process on the files of `folder`, started now; killed at the end if it still runs.

    `settings`: further ones, as in the environment.
    """
    environment = {
        **os.environ,
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_BASE": discord.api_base,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
        "DISCORD_CDN_HOSTS": discord.host,
        "DATA_DIR": str(folder),
        "MAX_REQUESTS": "1000",
        "TEST_SLOTS": str(slots),
        **(settings or {}),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.bot_process", editor, env=environment, cwd=PROJECT
    )
    bot = BotProcess(process)
    try:
        yield bot
    finally:
        await bot.kill()


def main() -> None:
    """Serve until told to stop."""
    logging.basicConfig(level=logging.WARNING)
    settings = read_settings(env_file=None)
    editor: EditRunner | None = None
    if sys.argv[1] == settings.mgie_model:
        config = model_config(settings)
    else:
        editor = EDITORS[sys.argv[1]](slots=int(os.environ.get("TEST_SLOTS", "1")))
        config = ModelConfig(name=sys.argv[1], defaults=Defaults(steps=4))
    with single_instance(settings.data_dir):
        asyncio.run(observed(serve(settings, config, editor), os.environ.get("STALLS_FILE")))


async def observed(work: Coroutine[None, None, None], report: str | None) -> None:
    """Do the work; where `report` names a file, write there how long the loop was not free meanwhile.

    busy_ms: the longest this thread computed without giving way; late_ms: the longest anybody waited for
    the loop, which also counts what other processes took of the machine.
    """
    longest = {"busy_ms": 0.0, "late_ms": 0.0}
    watching = asyncio.create_task(watch_the_loop(longest))
    try:
        await work
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        if report is not None:
            await asyncio.to_thread(Path(report).write_text, json.dumps(longest), "utf-8")


async def watch_the_loop(longest: dict[str, float]) -> None:
    """Keep the longest stalls up to date, from the first second of the chat on, until cancelled."""
    await asyncio.sleep(1.0)
    while True:
        began_s, computed_s = time.perf_counter(), time.thread_time()
        await asyncio.sleep(LOOK_EVERY_S)
        late_ms = (time.perf_counter() - began_s - LOOK_EVERY_S) * 1000
        busy_ms = min(late_ms, (time.thread_time() - computed_s) * 1000)
        longest["late_ms"] = max(longest["late_ms"], late_ms)
        longest["busy_ms"] = max(longest["busy_ms"], busy_ms)


if __name__ == "__main__":
    main()
