"""The scene on the local page: hostile pictures, large bodies, and connections that are kept open."""

import asyncio
import itertools
import random
import re
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.attacks.attack import START_WITHIN_S, USERS, figures_of, large_picture, under_attack
from benchmarks.chat import a_photo
from bot.web_chat.security import COOKIE
from tests.conversations.images.test_sandbox import BOMBS
from tests.support.bot_process import bot_process
from tests.support.discord_server import DiscordServer

JSON_BYTES = 60_000_000
OPEN_UPLOADS, HALF_REQUESTS = 40, 200
GONE = (aiohttp.ClientError, OSError, TimeoutError)  # what an attacker meets


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
    code = "import sys; from benchmarks.attacks.on_page import attack_page; attack_page(int(sys.argv[1]))"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, str(port)),
        cwd=Path(__file__).parents[2],
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
    """Uploads that stay one byte short, each with a cookie of its own."""

    def start(number: int) -> bytes:
        head = (
            f"POST /pictures HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {site}\r\n"
            f"Cookie: {COOKIE}={number:022}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n"
            '--b\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n'
        )
        return head.encode() + bytes(900_000)

    await _hold_open(port, start, OPEN_UPLOADS)


async def _send_half_requests(port: int) -> None:
    await _hold_open(port, lambda _: b"GET / HTTP/1.1\r\nHost: 127.0.0.1", HALF_REQUESTS)


async def _hold_open(port: int, start: Callable[[int], bytes], count: int) -> None:
    """So many connections that send this and then nothing; those that are closed are opened again."""

    async def hold(number: int) -> None:
        while True:
            with suppress(*GONE):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(start(number))
                    await writer.drain()
                    await reader.read()
                finally:
                    writer.close()
            await asyncio.sleep(0.1)

    await asyncio.gather(*(hold(number) for number in range(count)))


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
