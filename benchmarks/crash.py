"""Whether kill -9 loses or doubles anything: 200 kills at random moments over a 1,000-turn run.

    python benchmarks/crash.py                       # a quarter of an hour
    python benchmarks/crash.py --kills 30 --turns 200

People in 20 channels post a picture, then go on from the last result, in the channel or in a thread, each
instruction leaving its mark on the picture. Now and then another user wants to edit a picture that one of
them only posted; its owner answers the question in words. Now and then one of them deletes all their data,
and somebody new comes. The bot is a process of its own. A life of it ends by kill -9 at a random moment:
while it starts, catches up and resumes; within a second of being connected; or within a fraction of a second
of something being said. Some of what is said in a life is said before the bot is there. Before every second
start on average the server forgets the bot's nonces, as the service does after some minutes.

At the end the bot may finish. Then every request must have exactly one result that bears exactly the marks
of the instructions that led to it, every question must have been posted once and had its consequence once,
and no card may be left standing. Of an erased user nothing may be left: no byte of their key or words in the
database, no picture file, no message. Where two kills met the reading of one picture, the bot says so and the
person posts it again. Ends in one line of JSON.
"""

import argparse
import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the loopback server lives with the tests

from benchmarks.crash_people import Talker, right_edges
from tests.support.bot_process import BotProcess, bot_process
from tests.support.discord_server import DiscordServer

START_WITHIN_S, ANSWER_WITHIN_S = 120.0, 300.0
KILL_WITHIN_S = {"start": 3.0, "connection": 1.0, "request": 0.25}  # of one of these, as chance will have it
CHANNELS = 20
ASKED, ERASED = 0.07, 0.02  # of all moves: somebody else's picture is asked for; a user deletes their data
WRONG = ("lost", "doubled", "wrong_pictures", "cards_left", "rows_left", "files_left", "messages_left")
FIGURES = ("consents", "erased", "given_up", *WRONG)
UNFINISHED = ("waiting", "running", "delivering")


class Run:
    """The whole run: lives of the bot, and what people say in each."""

    def __init__(self, discord: DiscordServer, folder: Path, kills: int, turns: int, seed: int) -> None:
        self._discord, self._folder = discord, folder
        self._kills, self._turns = kills, turns
        self._chance = random.Random(seed)
        self._talkers = [Talker(discord, str(number)) for number in range(CHANNELS)]
        self._gone: list[Talker] = []  # who deletes or deleted all their data
        self._erasing = asyncio.TaskGroup()
        self._said = 0
        self.open_at_kills: Counter[str] = Counter()
        self.kills_after: Counter[str] = Counter()

    async def live(self) -> None:
        """A first one, so that the bot knows when it was there; lives that end in a kill; a last one."""
        async with self._erasing:
            await self._live()

    async def _live(self) -> None:
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
            with suppress(TimeoutError):  # messages are deleted after the answer; what stays is a finding
                await self._discord.wait_for(self._erased_messages_are_gone, ANSWER_WITHIN_S)
            await bot.stop()

    def _erased_messages_are_gone(self) -> bool:
        return not any(talker.messages_left() for talker in self._gone)

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
            free = await self._discord.wait_for(self._free, ANSWER_WITHIN_S)
            self._said += 1
            self._move(self._chance.choice(free), f"make house {self._said:05d} red")
            if self._said < goal:
                await asyncio.sleep(self._chance.uniform(0, 0.2))

    def _free(self) -> list[Talker]:
        """Who may speak; on the way, questions are answered."""
        for talker in self._talkers:
            talker.answer_questions()
        return [talker for talker in self._talkers if talker.is_free]

    def _move(self, talker: Talker, words: str) -> None:
        """Let somebody speak or be asked, and sometimes somebody else delete all their data."""
        if self._chance.random() < ASKED:
            talker.be_asked(words, self._chance.choice(("yes", "no")))
        else:
            talker.speak(words, self._chance)
        taken = [talker for talker in self._talkers if talker.is_taken]
        if taken and self._chance.random() < ERASED:
            leaving = self._chance.choice(taken)
            self._talkers.remove(leaving)
            self._gone.append(leaving)
            self._talkers.append(Talker(self._discord, str(CHANNELS + len(self._gone))))
            self._erasing.create_task(leaving.erase_all())

    def _all_answered(self) -> bool:
        for talker in self._talkers:
            talker.answer_questions()
        return all(talker.is_answered for talker in (*self._talkers, *self._gone))

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
        found = sum((talker.findings() for talker in self._talkers), Counter(erased=len(self._gone)))
        files = [self._folder / f"conversations.db{end}" for end in ("", "-wal", "-shm")]
        database = b"".join(file.read_bytes() for file in files if file.exists())
        edges = right_edges(self._folder / "images")
        return sum((talker.left(database, edges) for talker in self._gone), found)


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
        **{name: found[name] for name in FIGURES},
        "kills_after": dict(run.kills_after),
        "turns_open_at_kills": dict(run.open_at_kills),
        "minutes": round((time.monotonic() - began_s) / 60, 1),
    }


def main() -> None:
    """Measure and print; 1 when anything went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    figures = asyncio.run(measure(given.kills, given.turns, given.seed))
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.exit(any(figures[name] for name in WRONG))


if __name__ == "__main__":
    main()
