"""How fast the bot answers on Discord: 200 messages over 20 channels, an instant editor, a loopback server.

    python benchmarks/chat.py

Each channel has one person who posts a picture, then goes on with words once the last result is there: first
with a moment's thought before each message (about a second, from a fixed seed), then, beginning with a new
picture, as many messages flat out. The bot is a process of its own; the server and the people share another.
An acknowledgement is the first message the bot posts in answer: the result, as an instant edit gets no card.
Memory is what the bot's process holds resident after the first part; its growth is that over the second.
Ends in one line of JSON.
"""

import argparse
import asyncio
import io
import json
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))  # the loopback server lives with the tests

from tests.support.bot_process import bot_process
from tests.support.discord_room import results_to
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.world import Message

START_WITHIN_S, ANSWER_WITHIN_S = 120.0, 120.0
THOUGHT_S = 1.0


class Talker:
    """One person in one channel."""

    def __init__(self, discord: DiscordServer, number: int, picture: bytes) -> None:
        self._discord = discord
        self._channel = discord.world.add_channel(f"channel-{number}")
        self._person = discord.world.add_person(f"person-{number}")
        self._picture = picture
        self._thought = random.Random(number)

    async def talk(self, messages: int, thought_s: float) -> dict[int, float]:
        """Say so many things, each after `thought_s` seconds on average: message id → when it was said."""
        said = {}
        for number in range(messages):
            files = {} if number else {"picture.png": self._picture}
            await asyncio.sleep(self._thought.uniform(0.5, 1.5) * thought_s)
            began_s = time.monotonic()
            asked = await self._say("make it redder", files)
            said[asked.id] = began_s
        return said

    async def _say(self, words: str, files: dict[str, bytes]) -> Message:
        asked = self._discord.say(self._channel, self._person, words, files=files, mention=True)
        await self._discord.wait_for(lambda: results_to(self._discord, asked), ANSWER_WITHIN_S)
        return asked


async def measure(channels: int, messages: int, side_px: int) -> dict[str, Any]:
    """Hold all conversations at once, thoughtfully and then flat out; the figures."""
    with tempfile.TemporaryDirectory() as folder:
        async with DiscordServer() as discord, bot_process(Path(folder), discord, "echo", slots=4) as bot:
            talkers = [Talker(discord, number, a_photo(side_px)) for number in range(channels)]
            await discord.wait_for(lambda: discord.gateway.connected, START_WITHIN_S)
            _, thoughtful = await hold(talkers, messages, THOUGHT_S)
            warm_mib = resident_mib(bot.pid)
            took_s, flat_out = await hold(talkers, messages, 0.0)
            grown_mib = resident_mib(bot.pid) - warm_mib
            answered = first_answers(discord)
    return {
        "benchmark": "chat",
        "channels": channels,
        "messages": messages,
        **delays(thoughtful, answered, ""),
        **delays(flat_out, answered, "flat_out_"),
        "messages_per_s": round(messages / took_s, 1),
        "rss_mib": round(warm_mib, 1),
        "rss_growth_mib": round(grown_mib, 1),
    }


async def hold(talkers: Sequence[Talker], messages: int, thought_s: float) -> tuple[float, dict[int, float]]:
    """All conversations at once: how long they took, and when each message was said."""
    began_s = time.monotonic()
    parts = await asyncio.gather(*(t.talk(messages // len(talkers), thought_s) for t in talkers))
    return time.monotonic() - began_s, {message: at_s for part in parts for message, at_s in part.items()}


def delays(said: dict[int, float], answered: dict[int, float], prefix: str) -> dict[str, float]:
    """Median, 99th percentile and maximum of the acknowledgements, in milliseconds."""
    found = sorted((answered[message] - at_s) * 1000 for message, at_s in said.items())
    return {
        f"{prefix}ack_p50_ms": round(statistics.median(found), 1),
        f"{prefix}ack_p99_ms": round(found[math.ceil(0.99 * len(found)) - 1], 1),
        f"{prefix}ack_max_ms": round(found[-1], 1),
    }


def first_answers(discord: DiscordServer) -> dict[int, float]:
    """By the message replied to: when the bot's first answer was in the channel."""
    first: dict[int, float] = {}
    for request in discord.requests:
        reference = (request.body or {}).get("message_reference") if request.method == "POST" else None
        if reference:
            first.setdefault(int(reference["message_id"]), request.at_s)
    return first


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def a_photo(side_px: int) -> bytes:
    """A picture with soft gradients, as photographs have."""
    ramp = Image.linear_gradient("L").resize((side_px, side_px))
    file = io.BytesIO()
    Image.merge("RGB", (ramp, ramp.rotate(90), ramp.rotate(180))).save(file, "PNG")
    return file.getvalue()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--channels", type=int, default=20)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--side", type=int, default=512, help="width and height of the pictures, in pixels")
    given = parser.parse_args()
    sys.stdout.write(json.dumps(asyncio.run(measure(given.channels, given.messages, given.side))) + "\n")


if __name__ == "__main__":
    main()
