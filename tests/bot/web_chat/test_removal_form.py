"""The form for notices: for anybody, in their language, bounded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bot.policy.host_facts import HostFacts
from bot.web_chat.removal_form import NOTICES_PER_ADDRESS, removal_form
from tests.support.english import english
from tests.support.fakes import EchoEditor, a_busy_picture
from tests.support.workflow_room import WorkflowRoom, workflow_room

HOST = HostFacts(notice_address="notices@example.org", privacy_url="https://example.org/privacy")


@asynccontextmanager
async def form(folder: Path) -> AsyncIterator[tuple[WorkflowRoom, aiohttp.ClientSession]]:
    async with (
        workflow_room(folder, EchoEditor(), host=HOST) as d,
        removal_form(d.workflow, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as browser,
    ):
        yield d, browser


async def sent(browser: aiohttp.ClientSession, picture: bytes = b"", **typed: str) -> tuple[int, str]:
    data = aiohttp.FormData({"about": "", "reason": "", "contact": "", **typed})
    data.add_field("picture", picture, filename="a.png", content_type="image/png")
    async with browser.post("/", data=data) as answer:
        return answer.status, await answer.text()


async def test_the_form_speaks_the_language_of_the_browser_and_names_other_ways(tmp_path: Path) -> None:
    german = {"Accept-Language": "de"}
    async with form(tmp_path) as (_, browser), browser.get("/", headers=german) as answer:
        text = await answer.text()
        assert "Ein Bild entfernen lassen" in text
        assert "notices@example.org" in text
        assert '<a href="https://example.org/privacy"' in text
        assert "Set-Cookie" not in answer.headers
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_a_notice_is_saved_with_the_hash_of_its_picture(tmp_path: Path) -> None:
    async with form(tmp_path) as (d, browser):
        status, text = await sent(browser, a_busy_picture(), reason="it shows <me>", contact="me@example.org")
        assert (status, english("notice.received", number=1) in text) == (200, True)
        (notice,) = await d.store.notices.open_notices()
        assert (notice.reason, notice.contact) == ("it shows <me>", "me@example.org")
        assert notice.image_hash


async def test_what_cannot_be_taken_is_said_and_nothing_typed_is_lost(tmp_path: Path) -> None:
    async with form(tmp_path) as (d, browser):
        status, text = await sent(browser, reason="<b>why</b>")
        assert (status, english("notice.incomplete") in text) == (400, True)
        assert "&lt;b&gt;why&lt;/b&gt;" in text
        assert (await sent(browser, b"no picture", reason="why"))[0] == 400
        async with browser.post("/", json={"reason": "x"}) as answer:
            assert answer.status == 400
        assert await d.store.notices.open_notices() == ()


async def test_one_address_sends_a_few_notices_a_day(tmp_path: Path) -> None:
    async with form(tmp_path) as (d, browser):
        for _ in range(NOTICES_PER_ADDRESS):
            assert (await sent(browser, about="k3f9", reason="why"))[0] == 200
        assert (await sent(browser, about="k3f9", reason="why"))[0] == 429
        assert len(await d.store.notices.open_notices()) == NOTICES_PER_ADDRESS
