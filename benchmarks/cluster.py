"""Whether a cluster loses, doubles or wastes anything: two replicas, a killed replica, a killed bot.

    python -m benchmarks.cluster       # three minutes; needs pip install 'mgie[cluster]'

Ray is really started on this machine, with two replicas of two slots each. Twenty people in as many channels
ask a bot process for three edits each, every edit of the result before it, and each edit leaves its mark. One
replica is killed after a quarter of the answers and the bot after half of them (kill -9); it is started again
at once. At the end every request must have exactly one result with exactly the marks that led to it.

Then four edits are painted without end, and the bot is killed: once alone, so that its link to the cluster
can still cancel them, and once together with the link, as where a machine loses its power. The seconds until
the last step was painted are measured; ten are allowed. Ends in one line of JSON.
"""

import argparse
import asyncio
import importlib.util
import json
import os
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))  # the loopback server lives with the tests

from benchmarks.crash_people import Talker, picture_of
from tests.support.bot_process import BotProcess, bot_process
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.people import text_of
from tests.support.ray_machine import deploy_replicas, ray_machine

PEOPLE, EDITS_EACH = 20, 3
SLOTS = 2
ENDLESS = 4
ANSWER_WITHIN_S, START_WITHIN_S = 300.0, 120.0
WATCHED_S = 20.0  # after the bot is gone
MAY_PAINT_S = 10.0  # eight seconds without a sign of life, then the look once a second


class ClusterRun:
    """People who talk to a bot whose edits are painted in the cluster."""

    def __init__(self, folder: Path, discord: DiscordServer, address: str) -> None:
        self._folder, self._discord = folder, discord
        self._chance = Random(1)
        self._settings = {"MGIE_CLUSTER": address, "MAX_WAITING": "1000"}
        self._talkers = [Talker(discord, str(number)) for number in range(PEOPLE)]
        self.log = folder / "painted.log"

    def bot(self) -> Any:
        """A bot process that sends its edits to the cluster."""
        return bot_process(self._folder / "data", self._discord, "mgie-mini", settings=self._settings)

    async def connected(self, before: int) -> None:
        """Wait for one more identified bot than `before`."""
        await self._discord.wait_for(lambda: self._discord.gateway.identifies > before, START_WITHIN_S)

    @property
    def identifies(self) -> int:
        return self._discord.gateway.identifies

    def answered(self) -> int:
        """How many requests have a result."""
        return sum(max(0, len(talker.said) - (not talker.is_answered)) for talker in self._talkers)

    async def talk(self, until: int) -> None:
        """Let users with an answer ask for the next edit, until so many are answered."""
        while self.answered() < until:
            for number, talker in enumerate(self._talkers):
                if talker.is_answered and len(talker.said) < EDITS_EACH:
                    talker.speak(f"make it redder, change {number}.{len(talker.said)}", self._chance)
            await self._one_more_answer(self.answered())

    async def _one_more_answer(self, before: int) -> None:
        try:
            await self._discord.wait_for(lambda: self.answered() > before, ANSWER_WITHIN_S)
        except TimeoutError as error:
            raise TimeoutError(f"No answer within {ANSWER_WITHIN_S:g} s; {self._last_said()}") from error

    def _last_said(self) -> dict[str, str]:
        """What the bot said last to each user who waits."""
        waiting = [talker for talker in self._talkers if not talker.is_answered]
        return {talker.name: "".join(map(text_of, talker.messages()[-1:])) for talker in waiting}

    def ask_endless(self) -> None:
        """Ask for edits that no replica ever finishes."""
        for number in range(ENDLESS):
            channel = self._discord.world.add_channel(f"endless-{time.time_ns()}")
            person = self._discord.world.add_person(f"endless-{time.time_ns()}")
            words = f"make it redder endlessly, number {number}"
            self._discord.say(
                channel, person, words, files={"a.png": picture_of(f"endless-{number}")}, mention=True
            )

    def painted(self) -> list[tuple[float, int]]:
        """When a step was painted, and by which replica's process."""
        if not self.log.exists():
            return []
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return [(float(at), int(parent)) for at, _, parent in lines]

    async def paint_until(self, steps: int) -> None:
        """Wait until so many steps were painted in all."""
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while True:
                if len(self.painted()) >= steps:
                    return
                await asyncio.sleep(0.1)

    def findings(self) -> Counter[str]:
        """What went wrong in any channel."""
        return sum((talker.findings() for talker in self._talkers), Counter())

    def attempts(self) -> dict[str, int]:
        """How many turns took how many attempts."""
        with sqlite3.connect(self._folder / "data" / "conversations.db", timeout=10) as db:
            rows = db.execute(
                "SELECT attempt, count(*) FROM turns WHERE attempt > 0 GROUP BY attempt"
            ).fetchall()
        return {str(attempt): count for attempt, count in rows}


async def edits_with_kills(run: ClusterRun) -> dict[str, Any]:
    """Sixty edits, one replica killed, then the bot."""
    total = PEOPLE * EDITS_EACH
    began = time.monotonic()
    async with run.bot() as bot:
        await run.connected(0)
        await run.talk(total // 4)
        os.kill(run.painted()[-1][1], signal.SIGKILL)
        await run.talk(total // 2)
        before = run.identifies
        await bot.kill()
    async with run.bot() as bot:
        await run.connected(before)
        await run.talk(total)
        seconds = time.monotonic() - began
        await bot.stop()
    found = run.findings()
    counted = {name: found[name] for name in ("lost", "doubled", "wrong_pictures", "cards_left")}
    return {"edits": total, **counted, "attempts": run.attempts(), "seconds": round(seconds, 1)}


async def painted_after(run: ClusterRun, *, with_link: bool) -> float:
    """Seconds for which the edits of a killed bot are painted on; 0 if the kill ended them at once."""
    before = run.identifies
    async with run.bot() as bot:
        await run.connected(before)
        begun = len(run.painted())
        run.ask_endless()
        await run.paint_until(begun + 10 * ENDLESS)  # all four, for a while
        await asyncio.sleep(3.0)  # so that signs of life have named them
        links = link_processes(bot) if with_link else []
        killed_at = time.time()
        for link in links:
            link.kill()
        await bot.kill()
    await asyncio.sleep(WATCHED_S)
    return round(max(0.0, run.painted()[-1][0] - killed_at), 1)


def link_processes(bot: BotProcess) -> list[psutil.Process]:
    """The children of a bot that link it to the cluster."""
    children = psutil.Process(bot.pid).children(recursive=True)
    return [child for child in children if "mgie_engine.cluster.link" in child.cmdline()]


async def measure(folder: Path, address: str) -> dict[str, Any]:
    """Do everything; the figures."""
    async with DiscordServer() as discord:
        run = ClusterRun(folder, discord, address)
        plan = json.dumps({"log": str(run.log)})
        await asyncio.to_thread(
            deploy_replicas,
            *(address, plan),
            slots=SLOTS,
            module="tests.support.painting_replica",
            replica="PaintingReplica",
        )
        figures = await edits_with_kills(run)
        with_link = await painted_after(run, with_link=True)
        alone = await painted_after(run, with_link=False)
    return {
        "benchmark": "cluster",
        "people": PEOPLE,
        "replicas": 2,
        **figures,
        "painted_after_bot_killed_s": alone,
        "painted_after_bot_and_link_killed_s": with_link,
    }


def main() -> None:
    """Measure and print; 1 when anything was lost, doubled, or painted long after its bot had gone."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    if importlib.util.find_spec("ray") is None:
        sys.stdout.write(json.dumps({"benchmark": "cluster", "skipped": "Ray is not installed"}) + "\n")
        return
    with tempfile.TemporaryDirectory() as folder, ray_machine() as address:
        figures = asyncio.run(measure(Path(folder), address))
    sys.stdout.write(json.dumps(figures) + "\n")
    wasted = max(figures["painted_after_bot_killed_s"], figures["painted_after_bot_and_link_killed_s"])
    wrong = figures["lost"] or figures["doubled"] or figures["wrong_pictures"]
    sys.exit(bool(wrong or wasted > MAY_PAINT_S))


if __name__ == "__main__":
    main()
