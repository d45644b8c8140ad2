"""The scene on Discord: pictures meant to use up memory and time, and large comparisons."""

import asyncio
import itertools
import random
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.attacks.attack import (
    ANSWER_WITHIN_S,
    START_WITHIN_S,
    USERS,
    figures_of,
    large_picture,
    under_attack,
)
from benchmarks.chat import a_photo, first_answers
from tests.conversations.images.test_sandbox import BOMBS
from tests.support.bot_process import bot_process
from tests.support.discord_room import results_to
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.interactions import Interaction
from tests.support.discord_server.world import Channel, Message, Person


async def on_discord(seconds: float) -> dict[str, Any]:
    """The figures of the scene on Discord."""
    bombs = [make() for make in BOMBS.values()]
    with tempfile.TemporaryDirectory() as folder:
        async with DiscordServer() as discord, bot_process(Path(folder), discord, "echo", slots=4) as bot:
            await discord.wait_for(lambda: discord.gateway.connected, START_WITHIN_S)
            attack = partial(attack_on_discord, discord, bombs)
            said: dict[Message, float] = {}
            users = [_edit_often(discord, number, seconds, said) for number in range(USERS)]
            watch, end_s = await under_attack(attack, users, bot)
            answered = first_answers(discord)
            lost = sum(not results_to(discord, asked) for asked in said)
    delays = [answered[asked.id] - at_s for asked, at_s in said.items() if asked.id in answered]
    return figures_of(delays, watch, end_s, lost)


async def attack_on_discord(discord: DiscordServer, bombs: list[bytes], begun: asyncio.Event) -> None:
    """Six attackers, until cancelled."""
    large = await asyncio.to_thread(large_picture, 7)
    begun.set()
    posting = (_post_bombs(discord, bombs, number) for number in range(4))
    await asyncio.gather(*posting, *(_compare(discord, number, large) for number in range(2)))


def _place(discord: DiscordServer, name: str) -> tuple[Channel, Person]:
    return discord.world.add_channel(name), discord.world.add_person(name)


async def _edit_often(
    discord: DiscordServer, number: int, seconds: float, said: dict[Message, float]
) -> None:
    """An ordinary user: a picture, then words, each a second or so after the last result."""
    channel, person = _place(discord, f"user-{number}")
    chance, until_s = random.Random(number), time.monotonic() + seconds
    picture = a_photo(512)
    for count in itertools.count():
        files = {} if count % 5 else {"picture.png": picture}
        at_s = time.monotonic()
        asked = discord.say(channel, person, "make it redder", files=files, mention=True)
        said[asked] = at_s
        with suppress(TimeoutError):
            await discord.wait_for(partial(results_to, discord, asked), ANSWER_WITHIN_S)
        if time.monotonic() > until_s:
            return
        await asyncio.sleep(chance.uniform(0.5, 1.5))


async def _post_bombs(discord: DiscordServer, bombs: list[bytes], number: int) -> None:
    channel, person = _place(discord, f"attacker-{number}")
    for bomb in itertools.cycle(bombs[number:] + bombs[:number]):
        asked = _say_unread(discord, channel, person, bomb)
        with suppress(TimeoutError):
            await discord.wait_for(partial(discord.answers_to, asked), ANSWER_WITHIN_S)


def _say_unread(discord: DiscordServer, channel: Channel, person: Person, bomb: bytes) -> Message:
    """Post a picture that the loopback server does not look into itself."""
    message = Message(discord.world.ids.next(), channel, person, f"<@{discord.world.bot.id}> redder")
    message.mentions = [discord.world.bot]
    message.uploads = [discord.world.upload(channel, "a.png", b"")]
    message.uploads[0].data = bomb
    discord.post.publish(message)
    return message


def _answer(used: Interaction) -> Message | None:
    return used.answer


async def _compare(discord: DiscordServer, number: int, large: bytes) -> None:
    channel, person = _place(discord, f"comparer-{number}")
    asked = discord.say(channel, person, "redder", files={"large.png": large}, mention=True)
    with suppress(TimeoutError):
        await discord.wait_for(lambda: results_to(discord, asked), ANSWER_WITHIN_S)
    while True:
        used = discord.slash(channel, person, "compare", **{"version": "v1", "with": "v0"})
        with suppress(TimeoutError):
            await discord.wait_for(partial(_answer, used), ANSWER_WITHIN_S)
