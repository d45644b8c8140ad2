"""What six attackers at once do to ten ordinary users: on a loopback Discord, then on the local page.

    python benchmarks/attackers.py [--seconds 60]

On Discord four attackers post pictures meant to use up memory and time, as fast as they are answered, and two
compare versions of 40 megapixels. On the page two upload such pictures, one sends bodies of 60 MB, one keeps
uploads open one byte short, one opens connections that send half a request, and one asks for the differences
of pictures of 40 megapixels. Meanwhile each ordinary user asks for an edit every second or so. The delay is
from the post to the first answer (Discord) or the response (page). No edit may be lost. Memory is that of the
bot's process and its children together over idle. At last, while the attacks go on, SIGTERM must end the bot.
Ends in one line of JSON; exits with 1 if p95 is over 2 s, an edit is lost, 1.5 GB are used, or the end takes
50 s.
"""

import argparse
import asyncio
import itertools
import json
import math
import random
import re
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

sys.path.insert(0, str(Path(__file__).parents[1]))  # the loopback server lives with the tests

from benchmarks.chat import a_photo, first_answers
from benchmarks.process_watch import MemoryWatch
from tests.conversations.images.test_sandbox import BOMBS
from tests.support.bot_process import BotProcess, bot_process
from tests.support.discord_room import results_to
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.interactions import Interaction
from tests.support.discord_server.world import Channel, Message, Person
from tests.support.hostile_images import ihdr, pixels, png

USERS, START_WITHIN_S, ANSWER_WITHIN_S = 10, 120.0, 120.0
MOST_ACK_S, MOST_MIB, MOST_END_S = 2.0, 1.5e9 / 2**20, 50.0
JSON_BYTES = 60_000_000
OPEN_UPLOADS, HALF_REQUESTS = 40, 200
GONE = (aiohttp.ClientError, OSError, TimeoutError)  # what an attacker meets


def large_picture(value: int) -> bytes:
    """A PNG of 40 megapixels in some kilobytes."""
    return png(ihdr(8000, 5000), pixels(24_000, 5000, value))


def figures_of(delays_s: list[float], watch: MemoryWatch, end_s: float, lost: int) -> dict[str, Any]:
    """The figures of one scene."""
    ordered = sorted(delays_s)
    return {
        "edits": len(ordered),
        "lost": lost,
        "ack_p50_s": round(ordered[len(ordered) // 2], 3),
        "ack_p95_s": round(ordered[math.ceil(0.95 * len(ordered)) - 1], 3),
        "ack_max_s": round(ordered[-1], 3),
        **watch.figures(),
        "sigterm_s": round(end_s, 1),
    }


async def ended(bot: BotProcess) -> float:
    """Seconds that the bot takes to end after SIGTERM."""
    began_s = time.monotonic()
    await bot.stop(10 * MOST_END_S)
    return time.monotonic() - began_s


async def under_attack(
    attack: Callable[[asyncio.Event], Coroutine[Any, Any, None]],
    users: list[Coroutine[Any, Any, None]],
    bot: BotProcess,
) -> tuple[MemoryWatch, float]:
    """Let the users do their part while the attack goes on, then end the bot; the seconds that took."""
    begun = asyncio.Event()
    with MemoryWatch(bot.pid) as watch:
        attacking = asyncio.create_task(attack(begun))
        try:
            await begun.wait()
            await asyncio.gather(*users)
            end_s = await ended(bot)
        finally:
            attacking.cancel()
            await asyncio.gather(attacking, return_exceptions=True)
    return watch, end_s


# -- on Discord --------------------------------------------------------------------------------------------


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


# -- on the page -------------------------------------------------------------------------------------------


async def on_page(seconds: float) -> dict[str, Any]:
    """The figures of the scene on the local page."""
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        settings = {"DISCORD_TOKEN": "", "WEB_PORT": str(port), "LOG_LEVEL": "ERROR"}
        async with (
            DiscordServer() as discord,
            bot_process(Path(folder), discord, "echo", slots=4, settings=settings) as bot,
        ):
            await until_open(f"{site}/")
            attack = partial(attack_from_elsewhere, port)
            delays: list[float] = []
            asked: list[int] = []
            users = [_edit_on_page(site, number, seconds, delays, asked) for number in range(USERS)]
            watch, end_s = await under_attack(attack, users, bot)
            lost = len(asked) - edits_done(Path(folder) / "conversations.db")
    return figures_of(delays, watch, end_s, lost)


async def attack_from_elsewhere(port: int, begun: asyncio.Event) -> None:
    """The attackers of the page, until cancelled; in a process of their own, as users are measured here."""
    code = "import sys; from benchmarks.attackers import attack_page; attack_page(int(sys.argv[1]))"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, str(port)),
        cwd=Path(__file__).parents[1],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        await process.stdout.readline()
        begun.set()
        await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.kill()


def attack_page(port: int) -> None:
    """Six attackers of the page at that port, until the process is killed."""
    site, bombs = f"http://127.0.0.1:{port}", [make() for make in BOMBS.values()]

    async def attack() -> None:
        await asyncio.gather(
            *(_upload_bombs(site, bombs[number:]) for number in (0, 3)),
            _send_large_bodies(site),
            _hold_uploads(site, port),
            _send_half_requests(port),
            _ask_for_differences(site),
        )

    sys.stdout.write("begun\n")
    sys.stdout.flush()
    asyncio.run(attack())


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def until_open(url: str) -> None:
    """Wait until the page answers."""
    async with asyncio.timeout(START_WITHIN_S), aiohttp.ClientSession() as visitor:
        while True:
            with suppress(aiohttp.ClientConnectionError):
                async with visitor.get(url) as response:
                    response.raise_for_status()
                    return
            await asyncio.sleep(0.2)


def edits_done(database: Path) -> int:
    """How many edits of ordinary users are done."""
    with sqlite3.connect(database) as db:
        (count,) = db.execute(
            "SELECT count(*) FROM turns WHERE state = 'done' AND instruction = 'make it redder'"
        ).fetchone()
    db.close()
    return int(count)


def visitor_of(site: str) -> aiohttp.ClientSession:
    """A browser of its own, as far as the page can tell."""
    headers = {"Origin": site, "Accept": "application/json"}
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.CookieJar(unsafe=True), headers=headers, timeout=aiohttp.ClientTimeout(total=300)
    )


def upload_of(data: bytes) -> aiohttp.FormData:
    """The form that uploads a picture."""
    form = aiohttp.FormData()
    form.add_field("picture", data, filename="picture.png", content_type="image/png")
    return form


async def _edit_on_page(
    site: str, number: int, seconds: float, delays: list[float], asked: list[int]
) -> None:
    """An ordinary user: a picture, then words, each a second or so after the last response."""
    chance, until_s = random.Random(number), time.monotonic() + seconds
    picture = a_photo(512)
    async with visitor_of(site) as visitor:
        async with visitor.get(f"{site}/") as response:
            response.raise_for_status()
        for count in itertools.count():
            at_s = time.monotonic()
            if count % 5 == 0:
                request = visitor.post(f"{site}/pictures", data=upload_of(picture))
            else:
                request = visitor.post(f"{site}/message", data={"instruction": "make it redder"})
            async with request as response:
                response.raise_for_status()
                await response.read()
            asked += [number] if count % 5 else []
            delays.append(time.monotonic() - at_s)
            if time.monotonic() > until_s:
                break
            await asyncio.sleep(chance.uniform(0.5, 1.5))
        await asyncio.sleep(2.0)  # what was asked last is done before SIGTERM


async def _upload_bombs(site: str, bombs: list[bytes]) -> None:
    async with visitor_of(site) as visitor:
        await visitor.get(f"{site}/")
        for bomb in itertools.cycle(bombs):
            with suppress(*GONE):
                async with visitor.post(f"{site}/pictures", data=upload_of(bomb)) as response:
                    await response.read()
            await asyncio.sleep(0.01)


async def _send_large_bodies(site: str) -> None:
    body = b'{"data": [' + b"[]," * (JSON_BYTES // 3) + b"0]}"
    headers = {"Content-Type": "application/json"}
    async with visitor_of(site) as visitor:
        await visitor.get(f"{site}/")
        for path in itertools.cycle(("message", "act", "pictures")):
            with suppress(*GONE):
                async with visitor.post(f"{site}/{path}", data=body, headers=headers) as response:
                    await response.read()
            await asyncio.sleep(0.01)


async def _hold_uploads(site: str, port: int) -> None:
    """Uploads that stay one byte short."""
    head = (
        f"POST /pictures HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {site}\r\nCookie: mgie=x\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n'
    ).encode()
    await _hold_open(port, head + bytes(900_000), OPEN_UPLOADS)


async def _send_half_requests(port: int) -> None:
    await _hold_open(port, b"GET / HTTP/1.1\r\nHost: 127.0.0.1", HALF_REQUESTS)


async def _hold_open(port: int, start: bytes, count: int) -> None:
    """So many connections that send this and then nothing; those that are closed are opened again."""

    async def hold() -> None:
        while True:
            with suppress(*GONE):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(start)
                    await writer.drain()
                    await reader.read()
                finally:
                    writer.close()
            await asyncio.sleep(0.1)

    await asyncio.gather(*(hold() for _ in range(count)))


async def _ask_for_differences(site: str) -> None:
    async with visitor_of(site) as visitor:
        await visitor.get(f"{site}/")
        keys: set[str] = set()
        for value in range(4):
            with suppress(*GONE):
                async with visitor.post(f"{site}/pictures", data=upload_of(large_picture(value))) as response:
                    keys |= set(re.findall(r"[0-9a-f]{64}", await response.text()))
        for before, after in itertools.cycle(itertools.permutations(sorted(keys), 2)):
            with suppress(*GONE):
                async with visitor.get(f"{site}/changes/{before}/{after}.webp") as response:
                    await response.read()
                async with visitor.get(f"{site}/thumbs/{after}.webp") as response:
                    await response.read()
            await asyncio.sleep(0.01)


# -- all ---------------------------------------------------------------------------------------------------


def is_bad(scene: dict[str, Any]) -> bool:
    """Whether the users of a scene suffered."""
    return bool(
        scene["lost"]
        or scene["ack_p95_s"] > MOST_ACK_S
        or scene["all_over_idle_mib"] > MOST_MIB
        or scene["sigterm_s"] > MOST_END_S
    )


async def measure(seconds: float, scenes: list[str]) -> dict[str, Any]:
    """The scenes, one after the other."""
    play = {"discord": on_discord, "page": on_page}
    return {
        "benchmark": "attackers",
        "seconds": seconds,
        **{name: await play[name](seconds) for name in scenes},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--scenes", nargs="+", choices=("discord", "page"), default=["discord", "page"])
    given = parser.parse_args()
    figures = asyncio.run(measure(given.seconds, given.scenes))
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.exit(any(is_bad(figures[name]) for name in given.scenes))


if __name__ == "__main__":
    main()
