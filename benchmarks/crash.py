"""Whether kill -9 loses or doubles anything: 200 kills at random moments over a 1,000-turn run.

    python benchmarks/crash.py                       # a quarter of an hour
    python benchmarks/crash.py --kills 30 --turns 200

People in 20 channels post a picture, then go on from the last result, each instruction leaving its mark on
the picture. The bot is a process of its own. A life of it ends by kill -9 at a random moment: while it
starts, catches up and resumes; within a second of being connected; or within a fraction of a second of
something being said. Some of what is said in a life is said before the bot is there. Before every second
start on average the server forgets the bot's nonces, as the service does after some minutes. At the end the
bot may finish, and every request must have exactly one result that bears exactly the marks of the
instructions that led to it, with no card left standing. Where two kills met the reading of one picture, the
bot says so and the person posts it again. Ends in one line of JSON.
"""

import argparse
import asyncio
import io
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))  # the loopback server lives with the tests

from tests.support.bot_process import BotProcess, bot_process, colour_of, marks_on
from tests.support.discord_room import results_to
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.people import gallery_of, text_of
from tests.support.discord_server.world import Message
from tests.support.english import english

START_WITHIN_S, ANSWER_WITHIN_S = 120.0, 300.0
KILL_WITHIN_S = {"start": 3.0, "connection": 1.0, "request": 0.25}  # of one of these, as chance will have it
SIDE_PX = 16
UNFINISHED = ("waiting", "running", "delivering")


class Talker:
    """One person in one channel, who speaks again only when the last request was answered."""

    def __init__(self, discord: DiscordServer, number: int) -> None:
        self._discord = discord
        self._channel = discord.world.add_channel(f"channel-{number}")
        self._person = discord.world.add_person(f"person-{number}")
        self.said: list[tuple[Message, list[str]]] = []  # each with all instructions up to it
        self.given_up = 0

    @property
    def is_answered(self) -> bool:
        """Whether nothing this person said is still open."""
        return not self.said or self._is_given_up or bool(results_to(self._discord, self.said[-1][0]))

    @property
    def _is_given_up(self) -> bool:
        """Whether two kills met the bot while it read the last message, so that it asks for another."""
        answers = self._discord.answers_to(self.said[-1][0])
        return any(english("tried_twice") in text_of(answer) for answer in answers)

    def forget_given_up(self) -> None:
        """Take the last message as not said, if the bot asks for another."""
        if self.said and self._is_given_up:
            self.said.pop()
            self.given_up += 1

    def speak(self, words: str) -> None:
        """Ask for one more edit of the last result, the first time of a picture."""
        self.forget_given_up()
        if not self.said:
            files = {"picture.png": a_picture()}
            asked = self._discord.say(self._channel, self._person, words, files=files, mention=True)
            self.said.append((asked, [words]))
            return
        last, story = self.said[-1]
        asked = self._discord.say(
            self._channel, self._person, words, reply_to=results_to(self._discord, last)[0]
        )
        self.said.append((asked, [*story, words]))

    def findings(self) -> Counter[str]:
        """What went wrong in this channel."""
        self.forget_given_up()
        found: Counter[str] = Counter(given_up=self.given_up)
        for asked, story in self.said:
            results = results_to(self._discord, asked)
            found["lost"] += not results
            found["doubled"] += max(0, len(results) - 1)
            found["wrong_pictures"] += sum(not self._bears(result, story) for result in results)
        found["cards_left"] = len(self._discord.messages_of_bot(self._channel)) - sum(
            len(results_to(self._discord, asked)) for asked, _ in self.said
        )
        found["cards_left"] -= self.given_up
        return found

    def _bears(self, result: Message, story: list[str]) -> bool:
        """Whether the picture bears the marks of these instructions and of no others."""
        png = gallery_of(result, self._discord.world)[-1][0]
        with Image.open(io.BytesIO(png)) as picture:
            as_wide = picture.width == SIDE_PX + len(story)
        return as_wide and marks_on(png, len(story)) == [colour_of(words) for words in story]


def a_picture() -> bytes:
    """A small picture without marks."""
    file = io.BytesIO()
    Image.new("RGB", (SIDE_PX, SIDE_PX), "teal").save(file, "PNG")
    return file.getvalue()


class Run:
    """The whole run: lives of the bot, and what people say in each."""

    def __init__(self, discord: DiscordServer, folder: Path, kills: int, turns: int, seed: int) -> None:
        self._discord, self._folder = discord, folder
        self._kills, self._turns = kills, turns
        self._chance = random.Random(seed)
        self._talkers = [Talker(discord, number) for number in range(20)]
        self._said = 0
        self.open_at_kills: Counter[str] = Counter()
        self.kills_after: Counter[str] = Counter()

    async def live(self) -> None:
        """A first one, so that the bot knows when it was there; lives that end in a kill; a last one."""
        async with bot_process(self._folder, self._discord, "brisk") as bot:
            await self._discord.wait_for(lambda: self._discord.gateway.connected, START_WITHIN_S)
            await self._speak_until(1)
            await self._discord.wait_for(self._all_answered, ANSWER_WITHIN_S)
            await bot.stop()
        for kill in range(1, self._kills + 1):
            if self._chance.random() < 0.5:
                self._discord.world.nonces.clear()
            async with bot_process(self._folder, self._discord, "brisk", slots=2) as bot:
                await self._until_killed(bot, self._turns * kill // self._kills)
            self._count_open_turns()
        async with bot_process(self._folder, self._discord, "brisk", slots=2) as bot:
            await self._speak_until(self._turns)
            await self._discord.wait_for(self._all_answered, ANSWER_WITHIN_S)
            await bot.stop()

    async def _until_killed(self, bot: BotProcess, goal: int) -> None:
        """People speak, beginning before the bot is there, until the random moment of the kill."""
        after = self._chance.choice(list(KILL_WITHIN_S))
        self.kills_after[after] += 1
        speaking = asyncio.create_task(self._speak_until(goal - (after == "request")))
        try:
            if after != "start":
                await self._connected()
            if after == "request":
                await speaking
                await self._speak_until(goal)
            await asyncio.sleep(self._chance.uniform(0, KILL_WITHIN_S[after]))
            await bot.kill()
        finally:
            speaking.cancel()
            await asyncio.wait([speaking])

    async def _connected(self) -> None:
        before = self._discord.gateway.identifies
        await self._discord.wait_for(lambda: self._discord.gateway.identifies > before, START_WITHIN_S)

    async def _speak_until(self, goal: int) -> None:
        """Let people who are not waiting for an answer speak, until so much was said in all."""
        while self._said < goal:
            free = await self._discord.wait_for(
                lambda: [talker for talker in self._talkers if talker.is_answered], ANSWER_WITHIN_S
            )
            self._said += 1
            self._chance.choice(free).speak(f"change number {self._said}")
            if self._said < goal:
                await asyncio.sleep(self._chance.uniform(0, 0.2))

    def _all_answered(self) -> bool:
        return all(talker.is_answered for talker in self._talkers)

    def _count_open_turns(self) -> None:
        """What the killed bot left unfinished, by state."""
        path = self._folder / "conversations.db"
        if not path.exists():
            return
        with sqlite3.connect(path, timeout=10) as db:
            has_turns = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'turns'").fetchone()
            rows = db.execute("SELECT state, count(*) FROM turns GROUP BY state") if has_turns else ()
            self.open_at_kills.update({state: count for state, count in rows if state in UNFINISHED})
        db.close()

    def findings(self) -> Counter[str]:
        """What went wrong anywhere."""
        return sum((talker.findings() for talker in self._talkers), Counter())


async def measure(kills: int, turns: int, seed: int) -> dict[str, Any]:
    """Do the run; the figures."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with DiscordServer() as discord:
            run = Run(discord, Path(folder), kills, turns, seed)
            await run.live()
            found = run.findings()
    return {
        "benchmark": "crash",
        "kills": kills,
        "turns": turns,
        **{name: found[name] for name in ("lost", "doubled", "given_up", "wrong_pictures", "cards_left")},
        "kills_after": dict(run.kills_after),
        "turns_open_at_kills": dict(run.open_at_kills),
        "minutes": round((time.monotonic() - began_s) / 60, 1),
    }


def main() -> None:
    """Measure and print; 1 when anything was lost or doubled."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    figures = asyncio.run(measure(given.kills, given.turns, given.seed))
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.exit(bool(figures["lost"] or figures["doubled"]))


if __name__ == "__main__":
    main()
