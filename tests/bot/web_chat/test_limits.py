"""What one visitor, or many at once, may take: connections, streams, time and lines in the log."""

import asyncio
import logging
import random
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from bot.ops import http_server
from bot.web_chat import event_stream, routes, security
from bot.web_chat.live_cards import LiveCards
from bot.web_chat.security import COOKIE
from tests.support.page_server import InvertingEditor, PageServer, a_drawing, page_server, to_png
from tests.support.page_visitors import ANN, BOB, SEEN, listening, visitor

MIB = 2**20


async def update(lines: AsyncIterator[str]) -> str:
    """The next update of a stream."""
    return await anext(line async for line in lines if line.startswith("data:"))


async def raw(page: PageServer, data: bytes) -> bytes:
    """What comes back for bytes sent as they are, until the server closes."""
    host, port = page.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(10):
            writer.write(data)
            return await reader.read()
    finally:
        writer.close()


async def test_every_page_of_a_user_hears_of_a_change_and_no_other_user(tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as page,
        visitor(page) as ann,
        visitor(page, BOB) as bob,
        listening(ann) as one,
        listening(ann) as two,
        listening(bob) as other,
    ):
        for lines in (one, two, other):
            await update(lines)  # how things stand
        await ann.post("/pictures", files={"picture": a_drawing()})
        for lines in (one, two):
            assert "is your picture" in await update(lines)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await update(other)


async def test_a_server_that_stops_ends_its_streams(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        async with asyncio.timeout(10), page_server(tmp_path, InvertingEditor()) as page:
            ann = await stack.enter_async_context(visitor(page))
            lines = await stack.enter_async_context(listening(ann))
        assert [line async for line in lines if line.startswith("data:")]


async def test_a_server_that_fails_accepts_nothing_while_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[str] = []

    def connect(live_cards: LiveCards) -> None:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", urlsplit(attempts[0]).port))
        attempts.append("refused")

    monkeypatch.setattr(LiveCards, "close", connect)
    with suppress(asyncio.CancelledError):
        async with page_server(tmp_path, InvertingEditor()) as page:
            attempts.append(page.url)
            raise asyncio.CancelledError
    assert attempts[1:] == ["refused"]


async def test_an_answer_that_fails_half_way_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(routes, "update_json", fail)
    async with page_server(tmp_path, InvertingEditor()) as page:
        cookie = f"cookie: {COOKIE}={ANN}"
        answer = await raw(
            page, f"GET /events/{SEEN} HTTP/1.1\r\nhost: 127.0.0.1\r\n{cookie}\r\n\r\n".encode()
        )
    assert answer.count(b"HTTP/1.1") == 1
    assert not answer.endswith(b"0\r\n\r\n")  # so it does not look whole


async def test_a_visit_is_no_event_to_store(tmp_path: Path) -> None:
    def events() -> int:
        with closing(sqlite3.connect(tmp_path / "conversations.db")) as db:
            return int(db.execute("SELECT count(*) FROM seen").fetchone()[0])

    async with page_server(tmp_path, InvertingEditor()) as page, visitor(page) as ann:
        for headers in ({}, {"cookie": ""}):
            (await ann.get("/", headers=headers)).raise_for_status()
        async with listening(ann) as lines:
            await update(lines)
        assert events() == 0


async def test_streams_of_one_visitor_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "STREAMS_PER_VISITOR", 2)
    async with (
        page_server(tmp_path, InvertingEditor()) as page,
        visitor(page) as ann,
        visitor(page, BOB) as bob,
    ):
        async with listening(ann), listening(ann):
            refused = await ann.get(f"/events/{SEEN}")
            assert refused.status_code == 429
            assert "Too many requests at once" in refused.text
            async with listening(bob):
                assert (await ann.get("/")).status_code == 200
        await until_not_refused(ann)


async def test_a_browser_that_stops_reading_its_stream_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "STREAMS_PER_VISITOR", 1)
    monkeypatch.setattr(routes, "update_json", lambda *_: {"parts": "x" * 16 * MIB})  # more than is buffered
    monkeypatch.setattr(event_stream, "WRITE_S", 0.1)
    async with (
        page_server(tmp_path, InvertingEditor()) as page,
        visitor(page) as ann,
        ann.stream("GET", f"/events/{SEEN}") as unread,
    ):
        unread.raise_for_status()
        await until_not_refused(ann)


async def until_not_refused(ann: httpx.AsyncClient) -> None:
    """The server learns a little later that streams are gone."""
    async with asyncio.timeout(10):
        is_refused = True
        while is_refused:
            async with ann.stream("GET", f"/events/{SEEN}") as answer:
                is_refused = answer.status_code == 429


async def test_requests_of_one_visitor_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "REQUESTS_PER_VISITOR", 2)
    async with (
        page_server(tmp_path, InvertingEditor()) as page,
        visitor(page) as ann,
        visitor(page, BOB) as bob,
        listening(ann),
        listening(ann),
    ):
        refused = await ann.get("/", headers={"Accept": "application/json"})
        assert refused.status_code == 429
        assert "Too many requests at once" in refused.json()["notice"]
        assert (await bob.get("/")).status_code == 200


async def test_visitors_behind_a_proxy_of_this_machine_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "REQUESTS_PER_VISITOR", 1)
    async with page_server(tmp_path, InvertingEditor()) as page:
        host, port = page.url.removeprefix("http://").split(":")
        _, slow = await asyncio.open_connection(host, int(port))
        head = f"POST /act HTTP/1.1\r\nhost: {host}\r\nx-forwarded-for: 10.0.0.1\r\n"
        slow.write(
            f"{head}content-type: application/x-www-form-urlencoded\r\ncontent-length: 5\r\n\r\n".encode()
        )
        async with asyncio.timeout(10), httpx.AsyncClient(base_url=page.url) as client:
            while (await client.get("/export", headers={"x-forwarded-for": "10.0.0.1"})).status_code != 429:
                pass  # the server has not yet read the first request
            other = await client.get("/export", headers={"x-forwarded-for": "10.0.0.1, 10.0.0.2"})
            assert other.status_code == 404
        slow.close()


async def test_connections_beyond_the_most_get_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "FEWEST", 2)
    monkeypatch.setattr(http_server, "MOST", 2)
    async with page_server(tmp_path, InvertingEditor()) as page, visitor(page) as ann:
        async with listening(ann), listening(ann):
            answer = await raw(page, b"GET / HTTP/1.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Too many connections; try again in a minute." in answer


@pytest.mark.parametrize(
    "data", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n"], ids=["nothing", "a line", "headers"]
)
async def test_a_request_that_does_not_come_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(http_server, "HEADER_S", 0.1)
    async with page_server(tmp_path, InvertingEditor()) as page:
        assert await raw(page, data) == b""


ODD: list[tuple[str, Callable[[str], bytes]]] = [
    ("garbage", lambda host: b"\x16\x03\x01\x02\x00\x01\r\n\r\n"),
    ("bad header", lambda host: b"GET / HTTP/1.1\r\nhost : x\r\n\r\n"),
    ("long line", lambda host: b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n"),
    ("other name", lambda host: b"GET / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n"),
    ("no address", lambda host: f"GET /x HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode()),
]


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
async def test_the_rest_of_a_large_body_that_is_no_file_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(http_server, "LINGER_S", 600.0)
    async with page_server(tmp_path, InvertingEditor()) as page:
        host = page.url.removeprefix("http://")
        _, writer = await asyncio.open_connection(*host.split(":"))
        writer.write(
            f"POST /message HTTP/1.1\r\nhost: {host}\r\ncontent-type: {kind}\r\n"
            f"content-length: {60 * MIB}\r\n\r\n".encode()
        )
        with pytest.raises(ConnectionError):
            await keep_sending(writer)
        writer.close()


async def keep_sending(writer: asyncio.StreamWriter) -> None:
    """Send bytes for a while."""
    for _ in range(600):
        writer.write(b"x" * 70_000)
        await writer.drain()
        await asyncio.sleep(0.01)


async def test_odd_requests_leave_a_line_of_each_kind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with page_server(tmp_path, InvertingEditor()) as page:
        host = page.url.removeprefix("http://")
        for _, request in ODD:
            for _ in range(20):
                assert b" 4" in (await raw(page, request(host)))[:12]
    lines = [record for record in caplog.records if record.name.startswith(("bot.web_chat", "aiohttp"))]
    assert len(lines) <= len(ODD)


async def test_answers_leave_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TCP_NODELAY every request on an open connection takes 44 ms."""
    options: list[int] = []

    def made(self: http_server.Connection, transport: asyncio.BaseTransport) -> None:
        whole(self, transport)
        options.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    whole = http_server.Connection.connection_made
    monkeypatch.setattr(http_server.Connection, "connection_made", made)
    async with page_server(tmp_path, InvertingEditor()) as page, visitor(page) as ann:
        await ann.get("/")
    assert options
    assert all(options)


async def test_who_does_not_read_a_picture_that_they_take_along_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "TAKE_S", 0.2)
    monkeypatch.setattr(routes, "SLOWEST", 10**9)
    noise = Image.frombytes("RGB", (2000, 2000), random.Random(1).randbytes(12_000_000))
    async with page_server(tmp_path, InvertingEditor()) as page, visitor(page) as ann:
        answer = await ann.post("/pictures", files={"picture": ("a.png", to_png(noise))}, timeout=60)
        assert answer.status_code == 303
        session = await page.store.session_for_channel(f"web:{ANN}")
        assert session is not None
        host = page.url.removeprefix("http://")
        _, writer = await asyncio.open_connection(*host.split(":"), limit=1024)
        writer.write(
            f"GET /downloads/{session.root.id}.png HTTP/1.1\r\nhost: {host}\r\n"
            f"cookie: {COOKIE}={ANN}\r\n\r\n".encode()
        )
        with pytest.raises(ConnectionError):
            await ask_on(writer)
        writer.close()


async def ask_on(writer: asyncio.StreamWriter) -> None:
    """Send now and then, and read nothing."""
    async with asyncio.timeout(60):
        while True:
            await asyncio.sleep(0.5)
            writer.write(b"G")
            await writer.drain()
