"""How long people wait in one busy channel under Discord's usual rate limits: 5 messages in 5 seconds.

    python benchmarks/busy.py
    python benchmarks/busy.py --people 100 --slots 8
    python benchmarks/busy.py --at-once --slots 1

Everybody asks for an edit of two seconds, waits for the result, thinks for a while (a minute on average, from
a fixed seed), and asks again. With `--at-once` all ask once, in the same moment. The bot is a process of its
own; the loopback server counts requests as Discord does and refuses what is too much, so discord.py waits as
it would there. A channel takes one message a second: whatever the bot does, more results cannot be shown.

A sign is what the asker sees first: a reaction to the message, a message in reply, or the typing indicator
begun after it was sent (an own sign is one of the first two). A result's delay is counted from the end of
painting. Ends in one line of JSON.
"""

import argparse
import asyncio
import json
import math
import random
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the loopback server lives with the tests

from benchmarks.chat import a_photo, first_answers
from tests.support.bot_process import bot_process
from tests.support.discord_room import results_to
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.rate_limits import RateLimits
from tests.support.discord_server.server import Recorded
from tests.support.discord_server.world import Channel, Message

START_WITHIN_S, ANSWER_WITHIN_S = 120.0, 240.0
REACTION = re.compile(r"/messages/(\d+)/reactions/")


class BusyChannel:
    """One channel, everybody in it, and when each thing was asked and answered (monotonic seconds)."""

    def __init__(self, discord: DiscordServer, people: int, picture: bytes) -> None:
        self._discord, self._picture = discord, picture
        self.channel: Channel = discord.world.add_channel("busy")
        self._people = [discord.world.add_person(f"person-{number}") for number in range(people)]
        self.asked: list[Message] = []
        self.said_s: dict[int, float] = {}
        self.answered_s: dict[int, float] = {}

    async def all_at_once(self) -> None:
        """Everybody asks for one edit, now."""
        await asyncio.gather(*(self._ask(number, is_first=True) for number in range(len(self._people))))

    async def talk(self, seconds: float, thought_s: float) -> None:
        """Everybody asks, waits and thinks until so many seconds have passed."""
        ends_s = time.monotonic() + seconds
        await asyncio.gather(*(self._talk(number, ends_s, thought_s) for number in range(len(self._people))))

    async def _talk(self, number: int, ends_s: float, thought_s: float) -> None:
        chance = random.Random(number)
        await asyncio.sleep(chance.uniform(0, thought_s))
        is_first = True
        while time.monotonic() < ends_s:
            await self._ask(number, is_first=is_first)
            is_first = False
            await asyncio.sleep(chance.uniform(0.5, 1.5) * thought_s)

    async def _ask(self, number: int, *, is_first: bool) -> None:
        said_s = time.monotonic()
        words = f"make it {len(self.asked) + 1} percent redder"  # so that each instruction is told apart
        files = {"picture.png": self._picture} if is_first else {}
        asked = self._discord.say(self.channel, self._people[number], words, files=files, mention=True)
        self.asked.append(asked)
        self.said_s[asked.id] = said_s
        try:
            await self._discord.wait_for(lambda: results_to(self._discord, asked), ANSWER_WITHIN_S)
        except TimeoutError:
            return
        self.answered_s[asked.id] = time.monotonic()


async def measure(given: argparse.Namespace) -> dict[str, Any]:
    """The figures of one run."""
    limits = RateLimits()
    with tempfile.TemporaryDirectory() as folder:
        painted = Path(folder) / "painted.tsv"
        settings = {"PAINTED_FILE": str(painted), "MAX_WAITING": "1000"}
        async with (
            DiscordServer(rate_limits=limits) as discord,
            bot_process(Path(folder), discord, "painting", slots=given.slots, settings=settings),
        ):
            busy = BusyChannel(discord, given.people, a_photo(512))
            await discord.wait_for(lambda: discord.gateway.connected, START_WITHIN_S)
            began_s = time.monotonic()
            if given.at_once:
                await busy.all_at_once()
            else:
                await busy.talk(given.seconds, given.thought)
            took_s = time.monotonic() - began_s
            sent = [request for request in discord.requests if request.status < 300]
            doubled = sum(max(0, len(results_to(discord, asked)) - 1) for asked in busy.asked)
        lines = [line.split("\t") for line in painted.read_text("utf-8").splitlines()]
        ended_s = {words: float(at_s) for at_s, words in lines}
    shape = ("people", "slots", "at_once") if given.at_once else ("people", "slots", "thought")
    return {
        "benchmark": "busy",
        **{name: getattr(given, name) for name in shape},
        "asked": len(busy.asked),
        "lost": len(busy.asked) - len(busy.answered_s),
        "doubled": doubled,
        "results_per_s": round(len(busy.answered_s) / took_s, 2),
        **spread("first_sign", first_signs(busy, sent, first_answers(discord), with_typing=True)),
        **spread("own_sign", first_signs(busy, sent, first_answers(discord), with_typing=False)),
        **spread("result_after_painting", after_painting(busy, ended_s)),
        **{f"requests_{kind}": count for kind, count in sorted(Counter(map(kind_of, sent)).items()) if kind},
        "refused_429": limits.refused,
    }


def first_signs(
    busy: BusyChannel, sent: Iterable[Recorded], answers: dict[int, float], *, with_typing: bool
) -> Iterator[float]:
    """Seconds from each message to its first sign; endless where none came."""
    signs = {message: [at_s] for message, at_s in answers.items()}
    typing = []
    for request in sent:
        if found := REACTION.search(request.path):
            signs.setdefault(int(found[1]), []).append(request.at_s)
        elif request.path.endswith("/typing"):
            typing.append(request.at_s)
    for message, said_s in busy.said_s.items():
        seen = signs.get(message, [])
        if with_typing:
            seen = [*seen, *(at_s for at_s in typing if at_s >= said_s)]
        yield min(seen, default=math.inf) - said_s


def after_painting(busy: BusyChannel, ended_s: dict[str, float]) -> Iterator[float]:
    """Seconds from the end of painting to the result in the channel."""
    for asked in busy.asked:
        if at_s := busy.answered_s.get(asked.id):
            yield at_s - ended_s[words_of(asked)]


def words_of(message: Message) -> str:
    """What was asked, without the mention."""
    return message.content.partition("> ")[2]


def kind_of(request: Recorded) -> str:
    """Which limit of the channel a request counts against; nothing for others."""
    if "/reactions/" in request.path:
        return "react"
    if request.path.endswith("/typing"):
        return "type"
    if "/messages" not in request.path:
        return ""
    return {"POST": "post", "PATCH": "edit", "DELETE": "delete"}.get(request.method, "")


def spread(name: str, values: Iterable[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum, in seconds."""
    found = sorted(values) or [math.inf]
    return {
        f"{name}_p50_s": round(statistics.median(found), 2),
        f"{name}_p95_s": round(found[math.ceil(0.95 * len(found)) - 1], 2),
        f"{name}_max_s": round(found[-1], 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--slots", type=int, default=4, help="edits painted at a time")
    parser.add_argument("--seconds", type=float, default=180.0, help="for how long people ask")
    parser.add_argument("--thought", type=float, default=60.0, help="seconds until the next message")
    parser.add_argument("--at-once", action="store_true", help="everybody asks once, in the same moment")
    sys.stdout.write(json.dumps(asyncio.run(measure(parser.parse_args()))) + "\n")


if __name__ == "__main__":
    main()
