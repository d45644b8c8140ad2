"""Whether mutated pictures, messages and model files crash, hang or bloat anything: a seeded corpus.

    python benchmarks/hostile.py            # an hour on two cores
    python benchmarks/hostile.py --quick    # seconds; the suite runs this
    python benchmarks/hostile.py --pictures 2000 --messages 0 --models 0 --seed 7

10,000 pictures, mutations of good ones of every accepted format and of the hand-made hostile ones, go through
the bounded reader of the bot, three at a time. 2,000 messages with mutated words, files, names and replies go
to the bot through a loopback Discord; after every twenty a new user asks for an ordinary edit, which must
be answered. 500 model folders with one mutated file each are loaded. A crash is an error other than a
refusal, the end of a process that should not end, or an answer that says that something unexpected happened.
A hang is anything that takes more than 30 s. Memory is that of a process over what it has idle, and of each
child. Ends in one line of JSON; exits with 1 if anything crashed, hung, or took 1.5 GB.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the loopback server lives with the tests

from benchmarks.chat import a_photo
from benchmarks.hostile_models import HANG_S, read_models
from benchmarks.mutations import hostile_files, mutated, mutated_text, picture_bases
from benchmarks.process_watch import MemoryWatch
from conversations.errors import PictureRefused
from conversations.images.picture_reader import PictureReader
from tests.support.bot_process import BotProcess, bot_process
from tests.support.discord_room import results_to
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import REPLY, Channel, Message, Person
from tests.support.english import english

MEMORY = ("over_idle_mib", "largest_child_mib")
MOST_MIB = 1.5e9 / 2**20
QUICK = (60, 20, 12)  # pictures, messages, models
AT_ONCE = 3  # as many as the bot reads
CONTENT_TYPES = ("image/png", "text/html", "", "image/" * 50)
NAMES = (
    "a.png",
    "SPOILER_a.jpg",
    f"{'a' * 250}.png",
    "..png",
    "ünï.webp",
    "a.exe",
    "%2e%2e%2f",
    "\u202egpj.a",
)
EVERY = 20  # messages, then a new user asks for an ordinary edit
START_WITHIN_S, END_WITHIN_S = 120.0, 60.0


# -- pictures --------------------------------------------------------------------------------------------


class PictureCorpus:
    """Mutated pictures by number; every format comes equally often."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._bases = picture_bases()
        self._hostile = hostile_files()
        self._all = [data for bases in self._bases.values() for data in bases]

    def picture(self, number: int) -> bytes:
        """The picture of that number."""
        chance = random.Random(f"{self._seed} picture {number}")
        if number % 8 == 7:
            return mutated(chance.choice(self._hostile), chance, self._all)
        formats = sorted(self._bases)
        bases = self._bases[formats[number % len(formats)]]
        return mutated(chance.choice(bases), chance, self._all)


async def read_pictures(count: int, seed: int) -> dict[str, Any]:
    """Read them all; how many were read, refused, crashed or hung."""
    corpus, reader, found = PictureCorpus(seed), PictureReader(), Counter[str]()
    numbers = iter(range(count))
    slowest_s = 0.0

    async def work() -> None:
        nonlocal slowest_s
        for number in numbers:
            data = await asyncio.to_thread(corpus.picture, number)
            began_s = time.monotonic()
            outcome = await _read(reader, data, number)
            found[outcome] += 1
            slowest_s = max(slowest_s, time.monotonic() - began_s)

    reader.prepare()
    with MemoryWatch(os.getpid()) as watch:
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    reader.close()
    return {"files": count, **found, "slowest_s": round(slowest_s, 1), **watch.figures()}


async def _read(reader: PictureReader, data: bytes, number: int) -> str:
    try:
        async with asyncio.timeout(HANG_S):
            await reader.read(data)
    except PictureRefused as error:
        return "too_hard" if error.message.code == "file_hard" else "refused"
    except TimeoutError:
        return "hangs"
    except Exception as error:
        sys.stderr.write(f"picture {number}: {error!r}\n")
        return "crashes"
    return "read"


# -- messages --------------------------------------------------------------------------------------------


@dataclass
class Crowd:
    """Those who send mutated messages, and the channels they are in."""

    discord: DiscordServer
    corpus: PictureCorpus
    people: list[Person]
    channels: list[Channel]

    def speak(self, number: int, chance: random.Random) -> None:
        """One message, or something done to an earlier one."""
        channel, author = chance.choice(self.channels), chance.choice(self.people)
        earlier = list(channel.messages.values())[-30:]
        own = [message for message in earlier if message.author is author]
        gesture = chance.random()
        if own and gesture < 0.05:
            self.discord.delete(chance.choice(own))
        elif own and gesture < 0.1:
            self.discord.rewrite(chance.choice(own), mutated_text(chance))
        elif earlier and gesture < 0.15:
            self.discord.react(chance.choice(earlier), author, chance.choice("💬👍❌🎨"))
        else:
            self._post(number, chance, channel, author, earlier)

    def _post(
        self, number: int, chance: random.Random, channel: Channel, author: Person, earlier: list[Message]
    ) -> None:
        world, text = self.discord.world, mutated_text(chance)
        to_bot = chance.random() < 0.9
        message = Message(world.ids.next(), channel, author, f"<@{world.bot.id}> {text}" if to_bot else text)
        message.mentions = [world.bot] if to_bot else []
        message.flags = chance.choice((0, 0, 0, 1 << 12, 1 << 13, 1 << 2))
        for _ in range(chance.choice((0, 1, 1, 1, 2, 10))):
            upload = world.upload(channel, self._name(chance), self._file(number, chance))
            upload.content_type = chance.choice((upload.content_type, *CONTENT_TYPES))
            upload.size_px = chance.choice((upload.size_px, None, (0, 0), (2**31, 2**31)))
            upload.description = chance.choice((None, mutated_text(chance)))
            message.uploads.append(upload)
        if earlier and chance.random() < 0.4:
            message.reply_to, message.kind = chance.choice(earlier), REPLY
        self.discord.post.publish(message)

    def _file(self, number: int, chance: random.Random) -> bytes:
        kind = chance.random()
        if kind < 0.1:
            return b""
        return a_photo(64) if kind < 0.2 else self.corpus.picture(number)

    def _name(self, chance: random.Random) -> str:
        return chance.choice(NAMES)


async def send_messages(count: int, seed: int) -> dict[str, Any]:
    """Send them all to a bot of its own; how many ordinary edits were answered meanwhile."""
    found: Counter[str] = Counter(crashes=0, hangs=0)
    with tempfile.TemporaryDirectory() as folder:
        async with DiscordServer() as discord, bot_process(Path(folder), discord, "echo", slots=4) as bot:
            people = [discord.world.add_person(f"stranger-{number}") for number in range(40)]
            channels = [discord.world.add_channel(f"channel-{number}") for number in range(8)]
            crowd = Crowd(discord, PictureCorpus(seed), people, channels)
            await discord.wait_for(lambda: discord.gateway.connected, START_WITHIN_S)
            await _ordinary_edit(discord, bot, "first", found)
            with MemoryWatch(bot.pid) as watch:
                for number in range(count):
                    crowd.speak(number, random.Random(f"{seed} message {number}"))
                    if number % EVERY == EVERY - 1:
                        await _ordinary_edit(discord, bot, str(number), found)
                    if not bot.is_running:
                        break
            unexpected = english("unexpected")
            answers = [m for channel in channels for m in discord.messages_of_bot(channel)]
            found["crashes"] += sum(unexpected in text_of(message) for message in answers)
            found["crashes"] += bool(await bot.stop(END_WITHIN_S))
    return {"messages": count, "answers": len(answers), **found, **watch.figures()}


async def _ordinary_edit(discord: DiscordServer, bot: BotProcess, name: str, found: Counter[str]) -> None:
    """A new user asks for an ordinary edit."""
    channel, person = discord.world.add_channel(f"probe-{name}"), discord.world.add_person(f"user-{name}")
    asked = discord.say(channel, person, "redder", files={"picture.png": a_photo(64)}, mention=True)
    try:
        await discord.wait_for(lambda: results_to(discord, asked), HANG_S)
        found["ordinary_edits"] += 1
    except TimeoutError:
        found["hangs"] += bot.is_running


# -- all -------------------------------------------------------------------------------------------------


async def measure(counts: tuple[int, int, int], seed: int) -> dict[str, Any]:
    """Read so many pictures, messages and models; the figures."""
    pictures, messages, models = counts
    began_s = time.monotonic()
    parts = {
        "pictures": await read_pictures(pictures, seed) if pictures else {},
        "messages": await send_messages(messages, seed) if messages else {},
        "models": await read_models(models, seed) if models else {},
    }
    most_mib = max(part[name] for part in parts.values() for name in MEMORY if name in part)
    return {
        "benchmark": "hostile",
        "seed": seed,
        **parts,
        "crashes": sum(part.get("crashes", 0) for part in parts.values()),
        "hangs": sum(part.get("hangs", 0) for part in parts.values()),
        "most_mib": most_mib,
        "minutes": round((time.monotonic() - began_s) / 60, 1),
    }


def is_bad(figures: dict[str, Any]) -> bool:
    """Whether anything crashed, hung, or took too much memory."""
    return bool(figures["crashes"] or figures["hangs"] or figures["most_mib"] > MOST_MIB)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--models", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="60 pictures, 20 messages and 12 models")
    given = parser.parse_args()
    counts = QUICK if given.quick else (given.pictures, given.messages, given.models)
    figures = asyncio.run(measure(counts, given.seed))
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.exit(is_bad(figures))


if __name__ == "__main__":
    main()
