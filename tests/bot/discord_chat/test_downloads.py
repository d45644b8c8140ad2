"""What is fetched, from where, and how much of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from bot.discord_chat.errors import DownloadRefused
from bot.discord_chat.inbound.downloads import DownloadRules, Downloads, RemoteFile
from tests.bot.discord_chat.test_commands import answered
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import LIMITS, room
from tests.support.discord_server.people import text_of
from tests.support.english import english_pattern
from tests.support.fakes import ScriptedEditor, a_picture

DISCORD = DownloadRules(("cdn.discordapp.com", "media.discordapp.net", "127.0.0.1:8800"), 1000)


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.discordapp.com/attachments/1/2/a.png?ex=1",
        "https://media.discordapp.net/a.png",
        "https://CDN.discordapp.com/a.png",
        "https://127.0.0.1:8800/a.png",
    ],
)
def test_allowed_hosts_are_asked(url: str) -> None:
    assert DISCORD.allow(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.discordapp.com/a.png",
        "https://evil.example/a.png",
        "https://cdn.discordapp.com.evil.example/a.png",
        "https://cdn.discordapp.com@evil.example/a.png",
        "https://user:word@cdn.discordapp.com/a.png",
        "https://127.0.0.1/a.png",
        "https://127.0.0.1:8801/a.png",
        "https://[::1]/a.png",
        "https://169.254.169.254/latest/meta-data",
        "https://cdn.discordapp.com:99999/a.png",
        "file:///etc/passwd",
        "ftp://cdn.discordapp.com/a.png",
        "//cdn.discordapp.com/a.png",
        "",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    assert not DISCORD.allow(url)


HOSTS = (
    *("cdn.discordapp.com", "evil.example", "127.0.0.1", "127.0.0.1:8800", "[::1]", "0x7f.1", "2130706433"),
    *("cdn.discordapp.com.evil.example", "evil.example#cdn.discordapp.com", "cdn.discordapp.com:443"),
    *(
        "cdn.discordapp.com:x",
        "cdn。discordapp。com",
        "CDN.DISCORDAPP.COM.",
        "ⓒdn.discordapp.com",
        "%63dn.discordapp.com",
    ),
)
BETWEEN = (
    "",
    "@",
    "\\",
    "/",
    "//",
    "?",
    "#",
    ":",
    "%2f",
    "%40",
    "\t",
    "\n",
    " ",
    "\x00",
    ";",
    "&",
    "@@",
    ":80@",
    "\\@",
)
STARTS = (
    "https://",
    "http://",
    "HTTPS://",
    "https:",
    "https:/",
    "https:///",
    "//",
    "\\\\",
    "https:\\\\",
    " https://",
)


def test_what_is_allowed_goes_to_an_allowed_host_as_the_client_reads_it() -> None:
    urls = [
        f"{start}{first}{between}{second}/a.png"
        for start, first, between, second in product(STARTS, HOSTS, BETWEEN, (*HOSTS, ""))
    ]
    allowed = [url for url in urls if DISCORD.allow(url)]
    assert len(urls) > 40_000
    assert allowed
    for text in allowed:
        try:
            url = URL(text)  # as aiohttp, which fetches it
        except ValueError:
            continue
        assert url.scheme == "https", text
        assert url.host in DISCORD.hosts or f"{url.host}:{url.port}" in DISCORD.hosts, text
        assert url.user is None, text


@pytest.fixture
async def cdn() -> AsyncIterator[TestServer]:
    """A server that misbehaves by path."""

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPFound("/plain")

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()  # no length announced
        await response.prepare(request)
        for _ in range(64):
            await response.write(bytes(64 * 1024))
        return response

    async def silent(request: web.Request) -> web.Response:
        request.protocol.force_close()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def plain(request: web.Request) -> web.Response:
        return web.Response(body=b"pixels")

    async def large(request: web.Request) -> web.Response:
        return web.Response(body=bytes(2000))

    app = web.Application()
    app.router.add_get("/plain", plain)
    app.router.add_get("/large", large)
    app.router.add_get("/redirect", redirect)
    app.router.add_get("/endless", endless)
    app.router.add_get("/silent", silent)
    server = TestServer(app)
    async with server:
        yield server


async def fetch(cdn: TestServer, path: str, expected: int = 0, timeout_s: float = 5.0) -> bytes:
    downloads = Downloads(DownloadRules((f"127.0.0.1:{cdn.port}",), 1000, timeout_s, plain_http=True))
    try:
        return await downloads.fetch(RemoteFile(f"http://127.0.0.1:{cdn.port}{path}", expected))
    finally:
        await downloads.close()


async def test_a_file_is_fetched(cdn: TestServer) -> None:
    assert await fetch(cdn, "/plain") == b"pixels"


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/redirect", "status=302"),
        ("/missing", "status=404"),
        ("/large", "file_too_large"),
        ("/endless", "file_too_large"),
        ("/silent", "not_downloaded_connection"),
    ],
)
async def test_what_cannot_be_had_is_said(cdn: TestServer, path: str, sentence: str) -> None:
    with pytest.raises(DownloadRefused, match=sentence):
        await fetch(cdn, path)


async def test_a_file_announced_as_too_large_is_not_even_asked_for(cdn: TestServer) -> None:
    with pytest.raises(DownloadRefused, match=r"size=mebibytes\(size=1.0\)"):
        await fetch(cdn, "/plain", expected=2**20)


async def test_a_slow_server_is_given_up(cdn: TestServer) -> None:
    with pytest.raises(DownloadRefused, match="not_downloaded_timeout"):
        await fetch(cdn, "/plain", timeout_s=0.0)


# --- nothing is fetched before the rules allow the edit ---

FLOOD = 8


async def test_of_a_flood_only_what_the_request_rate_allows_is_fetched(tmp_path: Path) -> None:
    limits = replace(LIMITS, requests=3, window_s=3600.0, waiting_per_person=FLOOD)
    async with room(tmp_path, limits=limits) as r:
        asked = [post_picture(r, f"make it darker {number}") for number in range(FLOOD)]
        answers = [text_of(await r.answer(message)) for message in asked]
        await r.turns_end()
        assert len(r.discord.downloads) == len(await r.turns()) / 2 == 3
    assert sum(bool(english_pattern("too_fast").search(answer)) for answer in answers) == FLOOD - 3


@pytest.mark.parametrize("gesture", ["command", "message"])
async def test_nothing_is_fetched_for_a_user_with_a_full_queue(tmp_path: Path, gesture: str) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor, limits=replace(LIMITS, waiting_per_person=0)) as r:
        if gesture == "message":
            await r.answer(post_picture(r))
        else:
            used = r.discord.slash(r.channel, r.anna, "edit", instruction="red", image=a_picture())
            await answered(r, used)
        assert r.discord.downloads == []
