"""How the bot bears a crowd: 1,000 people in 200 channels for five minutes, and one who floods the line.

    python benchmarks/crowd.py
    python benchmarks/crowd.py --seconds 30 --people 200 --channels 40

First the crowd: requests arrive as a Poisson process (10 a second in all, from a fixed seed), each from a
person drawn at random, who begins with a picture and later goes on with words, whether or not the last answer
is there. The editor is instant. An acknowledgement is the first message of the bot in answer: the result, as
an instant edit gets no card. A stall is how long the bot's event loop computed without giving way (busy) and
how long it was late for whatever reason, other processes on the machine included.

Then fairness: one edit at a time, each taking a quarter of a second. Somebody asks for 50 at once; while
these are worked off, newcomers each ask for one, one after the other. Their delay is how much longer they
wait for it than one who has the bot to themselves, in service times. Ends in one line of JSON.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the loopback server lives with the tests

from benchmarks.chat import a_photo, delays, first_answers
from tests.support.bot_process import SERVICE_S, bot_process
from tests.support.discord_room import results_in, results_to
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.world import Message

START_WITHIN_S, ANSWER_WITHIN_S = 120.0, 120.0
FLOOD, NEWCOMERS = 50, 5


class Crowd:
    """Everybody, and what they said."""

    def __init__(self, discord: DiscordServer, people: int, channels: int, picture: bytes) -> None:
        self._discord, self._picture = discord, picture
        self._chance = random.Random(1)
        rooms = [discord.world.add_channel(f"channel-{number}") for number in range(channels)]
        self._places = [
            (discord.world.add_person(f"person-{number}"), rooms[number % channels])
            for number in range(people)
        ]
        self._begun: set[int] = set()
        self.said: dict[int, float] = {}  # message id → when, monotonic
        self.asked: list[Message] = []

    async def arrive(self, seconds: float, per_second: float) -> None:
        """Requests at random moments for so long."""
        began_s = next_s = time.monotonic()
        while (next_s := next_s + self._chance.expovariate(per_second)) < began_s + seconds:
            await asyncio.sleep(max(0.0, next_s - time.monotonic()))
            self._speak()

    def _speak(self) -> None:
        person, channel = self._chance.choice(self._places)
        files = {} if person.id in self._begun else {"picture.png": self._picture}
        self._begun.add(person.id)
        began_s = time.monotonic()
        asked = self._discord.say(channel, person, "make it redder", files=files, mention=True)
        self.said[asked.id] = began_s
        self.asked.append(asked)

    async def answered(self) -> None:
        """Wait until everybody has what they asked for."""
        for asked in self.asked:
            await self._discord.wait_for(partial(results_to, self._discord, asked), ANSWER_WITHIN_S)


async def crowded(people: int, channels: int, seconds: float, per_second: float) -> dict[str, Any]:
    """The figures of the crowd."""
    with tempfile.TemporaryDirectory() as folder:
        stalls = Path(folder) / "stalls.json"
        settings = {"STALLS_FILE": str(stalls), "MAX_WAITING": "1000"}
        async with (
            DiscordServer() as discord,
            bot_process(Path(folder), discord, "echo", slots=4, settings=settings) as bot,
        ):
            crowd = Crowd(discord, people, channels, a_photo(512))
            await discord.wait_for(lambda: discord.gateway.connected, START_WITHIN_S)
            await crowd.arrive(seconds, per_second)
            await crowd.answered()
            await bot.stop()
            answered = first_answers(discord)
            doubled = sum(len(results_to(discord, asked)) - 1 for asked in crowd.asked)
        stalled = json.loads(stalls.read_text())
    return {
        "requests": len(crowd.said),
        "doubled": doubled,
        **delays(crowd.said, answered, ""),
        "loop_busy_max_ms": round(stalled["busy_ms"], 1),
        "loop_late_max_ms": round(stalled["late_ms"], 1),
    }


async def flooded() -> dict[str, Any]:
    """The figures of fairness."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"MAX_WAITING_PER_PERSON": "100", "MAX_WAITING": "100"}
        async with (
            DiscordServer() as discord,
            bot_process(Path(folder), discord, "steady", settings=settings),
        ):
            await discord.wait_for(lambda: discord.gateway.connected, START_WITHIN_S)
            alone_s = [await one_request(discord, f"alone-{number}") for number in range(NEWCOMERS)]
            channel, flooder = discord.world.add_channel("flood"), discord.world.add_person("flooder")
            for _ in range(FLOOD):
                discord.say(channel, flooder, "redder", files={"picture.png": a_photo(64)}, mention=True)
            await discord.wait_for(lambda: results_in(discord, channel), ANSWER_WITHIN_S)
            others_s = [await one_request(discord, f"newcomer-{number}") for number in range(NEWCOMERS)]
            left = FLOOD - len(results_in(discord, channel))
    usual_s = sorted(alone_s)[NEWCOMERS // 2]
    late = [(waited_s - usual_s) / SERVICE_S for waited_s in others_s]
    return {
        "flood": FLOOD,
        "flood_left_after_newcomers": left,
        "newcomer_delay_mean_services": round(sum(late) / len(late), 2),
        "newcomer_delay_max_services": round(max(late), 2),
    }


async def one_request(discord: DiscordServer, name: str) -> float:
    """Seconds until somebody new, in a channel of their own, has what they asked for."""
    channel, person = discord.world.add_channel(name), discord.world.add_person(name)
    began_s = time.monotonic()
    asked = discord.say(channel, person, "redder", files={"picture.png": a_photo(64)}, mention=True)
    await discord.wait_for(lambda: results_to(discord, asked), ANSWER_WITHIN_S)
    return time.monotonic() - began_s


async def measure(people: int, channels: int, seconds: float, per_second: float) -> dict[str, Any]:
    """All figures."""
    return {
        "benchmark": "crowd",
        "people": people,
        "channels": channels,
        "seconds": seconds,
        **await crowded(people, channels, seconds, per_second),
        **await flooded(),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--channels", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--per-second", type=float, default=10.0, help="requests of everybody together")
    given = parser.parse_args()
    figures = asyncio.run(measure(given.people, given.channels, given.seconds, given.per_second))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
