"""What one address, and many visitors at once, may take of the page."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.web_chat import routes, security, upload_slots
from bot.web_chat.address_limits import FORMS, FORMS_S, REMEMBERED, REMEMBERED_S, AddressLimits
from bot.web_chat.controller import PageController, Visitor
from bot.web_chat.page_update import PageUpdate
from bot.web_chat.request_limits import DRAWN_PER_VISITOR, TooManyAtOnce, Underway
from bot.web_chat.security import COOKIE
from bot.web_chat.upload_slots import UploadSlots
from tests.support.page_server import InvertingEditor, a_drawing, page_server
from tests.support.page_visitors import ANN, BOB, SEEN, listening, visitor


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
