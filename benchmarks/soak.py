"""Whether the bot takes more and more: memory, descriptors, threads and disk over thousands of edits.

    python benchmarks/soak.py --plot docs/images/soak.png
    python benchmarks/soak.py --edits 500 --loads 50 --model-edits 0

Twenty people on a loopback Discord go on from their last result, ten edits to a picture, with an editor that
leaves a mark on the picture at once: 5,000 edits. New visitors open the local page, one after the other: 200.
Two people do as the twenty did, with mgie-mini in its engine process: 300 edits, of which a third is painted.
Every so often a look is taken at the bot's process and its children. The first fifth of each part is the
warm-up. Growth is the median of the last fifth less that of the second; disk per edit is compared between the
same two. Ends in one line of JSON.
"""

import argparse
import asyncio
import json
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

sys.path.insert(0, str(Path(__file__).parents[1]))  # the loopback server lives with the tests

from benchmarks.hostile import START_WITHIN_S
from benchmarks.mutations import noise_picture
from benchmarks.process_watch import Taken, taken
from tests.support.bot_process import bot_process
from tests.support.discord_room import results_to
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.world import Message

LOOKS = 50  # in each part
EDITS_PER_PICTURE = 10
WORDS = ("make it darker", "make it brighter", "blur it")  # the last is painted, the others are exact
ANSWER_WITHIN_S, END_WITHIN_S = 600.0, 120.0


@dataclass
class Series:
    """What was seen in one part, look by look."""

    name: str
    done: list[int] = field(default_factory=list)
    seen: list[Taken] = field(default_factory=list)
    disk: list[int] = field(default_factory=list)  # bytes in the data folder
    finished: int = 0  # of edits begun in another order
    lost: int = 0

    def look(self, done: int, pid: int, folder: Path) -> None:
        """Take a look after so many edits or page loads."""
        self.done.append(done)
        self.seen.append(taken(pid))
        self.disk.append(_bytes_in(folder))

    def figures(self) -> dict[str, Any]:
        """The growth from the second fifth to the last."""
        fifth = max(1, len(self.done) // 5)
        early, late = slice(fifth, 2 * fifth + 1), slice(-fifth - 1, None)

        def grown(of: Callable[[Taken], float]) -> float:
            before, after = (statistics.median(map(of, self.seen[part])) for part in (early, late))
            return round(after - before, 1)

        return {
            "done": self.done[-1],
            "lost": self.lost,
            "bot_mib": round(self.seen[-1].own_mib, 1),
            "bot_grown_mib": grown(lambda at: at.own_mib),
            "all_grown_mib": grown(lambda at: at.all_mib),
            "descriptors_grown": grown(lambda at: at.descriptors),
            "threads_grown": grown(lambda at: at.threads),
            "disk_per_edit_early_kib": self._per_edit(early),
            "disk_per_edit_late_kib": self._per_edit(late),
        }

    def _per_edit(self, part: slice) -> float:
        done, disk = self.done[part], self.disk[part]
        return round((disk[-1] - disk[0]) / max(1, done[-1] - done[0]) / 1024, 2)


def _bytes_in(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):  # it was being written, and has its name by now
            total += file.stat().st_size if file.is_file() else 0
    return total


# -- edits on Discord ------------------------------------------------------------------------------------


async def edits(name: str, editor: str, people: int, count: int, side_px: int) -> Series:
    """So many edits by so many people at once."""
    series = Series(name)
    with tempfile.TemporaryDirectory() as folder:
        settings = {"LOG_LEVEL": "WARNING"}
        async with (
            DiscordServer() as discord,
            bot_process(Path(folder), discord, editor, slots=4, settings=settings) as bot,
        ):
            await discord.wait_for(lambda: discord.gateway.connected, START_WITHIN_S)
            await discord.wait_for(lambda: discord.world.commands, START_WITHIN_S)
            numbers = iter(range(1, count + 1))

            async def talk(person: int) -> None:
                chance = random.Random(person)
                channel = discord.world.add_channel(f"{name}-{person}")
                who = discord.world.add_person(f"{name}-{person}")
                last: Message | None = None
                never = discord.slash(channel, who, "cfg", ask="off", scope="me")  # of noise no model is sure
                await discord.wait_for(lambda: never.answer, ANSWER_WITHIN_S)
                for said, _ in enumerate(numbers):
                    words = WORDS[said % len(WORDS)]
                    if last is None or said % EDITS_PER_PICTURE == 0:
                        files = {"picture.png": noise_picture(side_px, chance)}
                        asked = discord.say(channel, who, words, files=files, mention=True)
                    else:
                        asked = discord.say(channel, who, words, reply_to=last)
                    last = await _result(discord, asked)
                    series.lost += last is None
                    series.finished += 1
                    if series.finished % max(1, count // LOOKS) == 0:
                        series.look(series.finished, bot.pid, Path(folder))
                    _forget(discord)

            await asyncio.gather(*(talk(person) for person in range(people)))
            await bot.stop(END_WITHIN_S)
    return series


async def _result(discord: DiscordServer, asked: Message) -> Message | None:
    try:
        return (await discord.wait_for(lambda: results_to(discord, asked), ANSWER_WITHIN_S))[0]
    except TimeoutError:
        return None


def _forget(discord: DiscordServer) -> None:
    """Old messages of the loopback server: it looks through all of a channel for every answer."""
    discord.requests.clear()
    for channel in discord.world.channels.values():
        for number in list(channel.messages)[: -4 * EDITS_PER_PICTURE]:
            for upload in channel.messages.pop(number).uploads:
                discord.world.uploads.pop(upload.id, None)


# -- page loads --------------------------------------------------------------------------------------------


async def page_loads(count: int) -> Series:
    """So many visitors who open the page once."""
    series = Series("page")
    with tempfile.TemporaryDirectory() as folder, socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
        found.close()
        settings = {"DISCORD_TOKEN": "", "WEB_PORT": str(port), "LOG_LEVEL": "WARNING"}
        async with (
            DiscordServer() as discord,
            bot_process(Path(folder), discord, "echo", settings=settings) as bot,
        ):
            url = f"http://127.0.0.1:{port}/"
            await _until_open(url)
            for number in range(1, count + 1):
                await _open(url)
                if number % max(1, count // LOOKS) == 0:
                    series.look(number, bot.pid, Path(folder))
            await bot.stop(END_WITHIN_S)
    return series


async def _until_open(url: str) -> None:
    async with asyncio.timeout(START_WITHIN_S):
        while True:
            try:
                return await _open(url)
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.2)


async def _open(url: str) -> None:
    async with aiohttp.ClientSession() as visitor, visitor.get(url) as response:
        response.raise_for_status()
        await response.read()


# -- all ---------------------------------------------------------------------------------------------------


def plot(parts: list[Series], file: Path) -> None:
    """Memory, descriptors, threads and disk of each part over its edits or loads."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows: dict[str, Callable[[Series], list[float]]] = {
        "memory of the bot, MiB": lambda part: [at.own_mib for at in part.seen],
        "memory with children, MiB": lambda part: [at.all_mib for at in part.seen],
        "descriptors": lambda part: [float(at.descriptors) for at in part.seen],
        "threads": lambda part: [float(at.threads) for at in part.seen],
        "data folder, MiB": lambda part: [size / 2**20 for size in part.disk],
    }
    figure, axes = plt.subplots(
        len(rows), len(parts), figsize=(4 * len(parts), 1.7 * len(rows)), squeeze=False, layout="constrained"
    )
    for column, part in enumerate(parts):
        axes[0][column].set_title(part.name)
        for row, (label, values) in enumerate(rows.items()):
            place = axes[row][column]
            place.plot(part.done, values(part), linewidth=1)
            place.set_ylim(0, max(values(part)) * 1.15 + 1)
            if not column:
                place.set_ylabel(label, fontsize=7)
        axes[-1][column].set_xlabel("page loads" if part.name == "page" else "edits")
    figure.savefig(file, dpi=80)


async def measure(count: int, loads: int, model_edits: int, picture: Path | None) -> dict[str, Any]:
    """Do all parts; the figures."""
    began_s = time.monotonic()
    parts: list[Callable[[], Awaitable[Series]]] = []
    if count:
        parts.append(lambda: edits("instant editor", "marking", 20, count, 64))
    if loads:
        parts.append(lambda: page_loads(loads))
    if model_edits:
        parts.append(lambda: edits("mgie-mini", "mgie-mini", 2, model_edits, 256))
    done = []
    for part in parts:
        done.append(await part())
        sys.stderr.write(json.dumps({done[-1].name: done[-1].figures()}) + "\n")  # the next takes minutes
    if picture:
        plot(done, picture)
    return {
        "benchmark": "soak",
        **{part.name: part.figures() for part in done},
        "minutes": round((time.monotonic() - began_s) / 60, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edits", type=int, default=5000)
    parser.add_argument("--loads", type=int, default=200)
    parser.add_argument("--model-edits", type=int, default=300)
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw what was seen; needs matplotlib")
    given = parser.parse_args()
    figures = asyncio.run(measure(given.edits, given.loads, given.model_edits, given.plot))
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.exit(any(part["lost"] for part in figures.values() if isinstance(part, dict)))


if __name__ == "__main__":
    main()
