"""What one visitor, or many at once, may take: connections, streams, time and lines in the log."""

import asyncio
import logging
import random
import socket
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from bot.ops import http_server
from bot.web_chat import event_stream, routes, security, upload_slots
from bot.web_chat.address_limits import FORMS, FORMS_S, REMEMBERED, REMEMBERED_S, AddressLimits
from bot.web_chat.controller import PageController, Visitor
from bot.web_chat.live_cards import LiveCards
from bot.web_chat.page_update import PageUpdate
from bot.web_chat.request_limits import DRAWN_PER_VISITOR, TooManyAtOnce, Underway
from bot.web_chat.security import COOKIE
from bot.web_chat.upload_slots import UploadSlots
from tests.support.page_server import InvertingEditor, PageServer, a_drawing, page_server, to_png

ANN, BOB = "Zm9vYmFyYmF6cXV4MTIzNA", "QmFyYmF6cXV4MTIzNFpt00"
SEEN = "4f.0"
MIB = 2**20


def visitor(page: PageServer, person: str = ANN) -> httpx.AsyncClient:
    """Somebody with a cookie; every request has a connection of its own."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=page.url, cookies={COOKIE: person}, limits=limits, timeout=10)


@asynccontextmanager
async def listening(client: httpx.AsyncClient, seen: str = SEEN) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of an event stream, once it is open."""
    async with client.stream("GET", f"/events/{seen}") as answer:
        answer.raise_for_status()
        lines = answer.aiter_lines()
        assert (await anext(lines)).startswith("retry:")
        yield lines


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


async def test_an_address_counts_whatever_cookies_it_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "STREAMS_PER_ADDRESS", 2)
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(page_server(tmp_path, InvertingEditor()))
        for number, address in enumerate(("10.0.0.1", "10.0.0.1", "10.0.0.2")):
            client = await stack.enter_async_context(visitor(page, f"{ANN[:-1]}{number}"))
            client.headers["x-forwarded-for"] = address
            await stack.enter_async_context(listening(client))
        third = await stack.enter_async_context(visitor(page, BOB))
        refused = await third.get(f"/events/{SEEN}", headers={"x-forwarded-for": "10.0.0.1"})
        assert refused.status_code == 429
        await stack.enter_async_context(listening(third))  # this machine's own address is not counted


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", None),
        ("127.0.0.1", None),
        ("unknown", "unknown"),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(address: str, counted: str | None) -> None:
    assert security.network_of(address) == counted


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


def test_what_is_underway_is_counted_for_each_and_for_all() -> None:
    underway = Underway(2, 3, 4)
    with underway.one_more("ann", "home"), underway.one_more("ann", "home"):
        with pytest.raises(TooManyAtOnce), underway.one_more("ann", "work"):
            pass
        with underway.one_more("bob", "home"):
            with pytest.raises(TooManyAtOnce), underway.one_more("eve", "home"):
                pass
            with underway.one_more("eve", None), pytest.raises(TooManyAtOnce), underway.one_more("al", None):
                pass
    with underway.one_more("ann", "home"):
        pass


async def test_where_all_slots_are_taken_the_slowest_upload_makes_room() -> None:
    now = 0.0
    slots, limit = UploadSlots(9, 9, 2, lambda: now), asyncio.timeout(None)
    async with limit, AsyncExitStack() as stack:
        fast, slow = (stack.enter_context(slots.one_more(name, None)) for name in ("ann", "mallory"))
        fast.limit, slow.limit = asyncio.timeout(None), limit
        with pytest.raises(TooManyAtOnce), slots.one_more("bob", None):
            pass  # both have just begun
        slow.received(900_000)
        now = 20.0
        fast.received(20_000)
        third = stack.enter_context(slots.one_more("bob", None))
        assert slow.limit is None
        assert limit.when() is not None
        third.limit, fast.limit, now = None, None, 40.0  # both have arrived and are being read
        with pytest.raises(TooManyAtOnce), slots.one_more("eve", None):
            pass
        limit.reschedule(None)


async def test_uploads_that_are_held_open_keep_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "UPLOADS", 2)
    monkeypatch.setattr(upload_slots, "YOUNG_S", 0.0)
    form = b'--b\r\ncontent-disposition: form-data; name="picture"; filename="a"\r\n\r\n' + bytes(1000)
    async with page_server(tmp_path, InvertingEditor()) as page, visitor(page) as ann:
        host = page.url.removeprefix("http://")
        held = []
        for number in range(3):
            held.append(await asyncio.open_connection(*host.split(":")))
            held[-1][1].write(
                f"POST /pictures HTTP/1.1\r\nhost: {host}\r\ncookie: {COOKIE}={BOB[:-1]}{number}\r\n"
                "content-type: multipart/form-data; boundary=b\r\ncontent-length: 9999\r\n\r\n".encode()
                + form
            )
        lines = {asyncio.create_task(reader.readline()) for reader, _ in held}
        given_up, lines = await asyncio.wait(lines, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        answer = await ann.post("/pictures", files={"picture": ("a.png", a_drawing())})
        assert answer.status_code == 303
        more, lines = await asyncio.wait(lines, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        assert [b" 408 " in line.result() for line in (*given_up, *more)] == [True, True]
        for _, writer in held:
            writer.close()
        await asyncio.gather(*lines)


def test_the_forms_and_the_waiting_edits_of_an_address_are_counted_whatever_its_cookies() -> None:
    now, waiting = 0.0, Counter[str]()
    limits = AddressLimits(waiting.__getitem__, lambda: now)
    for number in range(FORMS):
        limits.count_form(f"cookie {number}", "10.0.0.1")
    with pytest.raises(TooManyAtOnce):
        limits.count_form("new cookie", "10.0.0.1")
    limits.count_form("ann", "10.0.0.2")
    limits.count_form("bob", None)  # this machine, behind which anybody may be
    waiting.update({f"cookie {number}": 3 for number in range(FORMS)})
    now = 2 * FORMS_S
    with pytest.raises(TooManyAtOnce):
        limits.count_form("new cookie", "10.0.0.1")
    limits.count_form("ann", "10.0.0.2")
    waiting.clear()
    limits.count_form("new cookie", "10.0.0.1")


def test_addresses_that_were_quiet_are_forgotten() -> None:
    now = 0.0
    limits = AddressLimits(lambda _: 0, lambda: now)
    for number in range(REMEMBERED + 5):
        limits.count_form("ann", f"address {number}")
    assert len(limits._known) == REMEMBERED
    now = 2 * REMEMBERED_S
    limits.count_form("ann", "another")
    assert list(limits._known) == ["another"]


async def test_a_page_refuses_the_edits_of_an_address_that_asks_too_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web_chat.address_limits.FORMS", 1)
    async with page_server(tmp_path, InvertingEditor()) as page, visitor(page) as ann:
        for address, is_refused in (("10.0.0.1", False), ("10.0.0.1", True), ("10.0.0.2", False)):
            answer = await ann.post("/act", data={"undo": ""}, headers={"x-forwarded-for": address})
            assert (answer.status_code == 429) is is_refused


async def test_a_visitor_who_asks_without_end_leaves_time_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing: Counter[str] = Counter()
    most: Counter[str] = Counter()
    is_full, may_go = asyncio.Event(), asyncio.Event()

    async def held(self: PageController, visitor: Visitor, reply: object = None) -> PageUpdate:
        drawing[str(visitor.person)] += 1
        most[str(visitor.person)] = max(most[str(visitor.person)], drawing[str(visitor.person)])
        if visitor.person == f"web:{ANN}":
            if drawing[visitor.person] == DRAWN_PER_VISITOR:
                is_full.set()
            await may_go.wait()
        drawing[str(visitor.person)] -= 1
        return await whole(self, visitor)

    whole = PageController.current
    monkeypatch.setattr(PageController, "current", held)
    async with (
        page_server(tmp_path, InvertingEditor()) as page,
        visitor(page) as ann,
        visitor(page, BOB) as bob,
    ):
        asked = [asyncio.create_task(ann.get("/")) for _ in range(8)]
        async with asyncio.timeout(30):
            await is_full.wait()
        assert (await bob.get("/")).status_code == 200
        may_go.set()
        assert {(await one).status_code for one in asked} == {200}
    assert most[f"web:{ANN}"] == DRAWN_PER_VISITOR


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
