"""Who may use the local page, by which names, and what other sites may not do."""

import io
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from bot.web_chat.security import COOKIE, Site, objection, person_of
from conversations.images.normalise import to_png
from conversations.images.packed_pictures import packed
from conversations.messages import Message
from tests.support.page_server import InvertingEditor, a_drawing, page_server

HERE = {"host": "127.0.0.1:7860"}
LOCAL = Site()
STUDIO = Site(frozenset({"studio.lan"}))


def a_file() -> dict[str, bytes]:
    """The upload form."""
    return {"picture": a_drawing()}


def status(method: str, headers: dict[str, str], site: Site = LOCAL, *, is_local: bool = True) -> int | None:
    """The status with which a request is turned away; None for one that passes."""
    refusal: tuple[int, Message] | None = objection(method, headers, site, is_local=is_local)
    return refusal and refusal[0]


TOKEN = "Zm9vYmFyYmF6cXV4MTIzNA"


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "127.0.0.1", "[::1]:7860", "[::1]"])
def test_its_own_names_are_let_in(host: str) -> None:
    assert status("GET", {"host": host}) is None


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""])
def test_a_foreign_name_for_this_machine_is_turned_away(host: str) -> None:
    assert status("GET", {"host": host}) == 421


def test_names_that_the_operator_gave_are_let_in_and_no_others() -> None:
    assert status("GET", {"host": "Studio.LAN:7860"}, STUDIO) is None
    assert status("GET", {"host": "evil.example"}, STUDIO) == 421


def test_a_forwarded_name_must_be_known_beside_the_name_that_was_asked() -> None:
    forwarded = {"host": "127.0.0.1:7860", "x-forwarded-host": "studio.lan"}
    assert status("GET", forwarded, STUDIO) is None
    assert status("GET", forwarded) == 421
    assert status("GET", {"host": "evil.example", "x-forwarded-host": "studio.lan"}, STUDIO) == 421
    assert status("GET", forwarded, is_local=False) is None  # not believed, so not looked at


async def test_an_open_page_is_safe_from_dns_rebinding(tmp_path: Path) -> None:
    """A site that points its own name at this machine gets nothing, by any route."""
    async with page_server(tmp_path, InvertingEditor(), host="0.0.0.0", names=("studio.lan",)) as bot:
        port = urlsplit(bot.url).port
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser:
            for name in ("evil.example", f"evil.example:{port}", "studio.lan.evil.example", "0.0.0.0"):
                rebound = {"host": name, "origin": f"http://{name}"}
                assert (await browser.get("/", headers=rebound)).status_code == 421
                assert (await browser.get("/static/page.js", headers=rebound)).status_code == 421
                answer = await browser.post("/pictures", files=a_file(), headers=rebound)
                assert answer.status_code == 421
                assert "set-cookie" not in answer.headers
            for name in (f"studio.lan:{port}", f"127.0.0.1:{port}"):
                assert (await browser.get("/", headers={"host": name})).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:7861", "http://[", "null"])
def test_changes_from_other_pages_are_turned_away(origin: str) -> None:
    assert status("POST", {**HERE, "origin": origin}) == 403
    assert status("POST", {**HERE, "origin": origin}, STUDIO) == 403


def test_changes_from_the_page_itself_pass() -> None:
    assert status("POST", {**HERE, "origin": "http://127.0.0.1:7860"}) is None


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7860", "studio.lan", "studio.lan:7860", "localhost"], ids=lambda host: f"Host {host}"
)
@pytest.mark.parametrize("origin", ["http://studio.lan", "https://studio.lan", "https://studio.lan:8443"])
def test_changes_through_a_proxy_on_this_machine_pass_by_a_given_name(host: str, origin: str) -> None:
    headers = {"host": host, "origin": origin}
    assert status("POST", headers, STUDIO) is None
    is_same_place = origin.partition("//")[2] == host
    assert status("POST", headers, STUDIO, is_local=False) == (None if is_same_place else 403)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_the_browser_knows_to_come_from_elsewhere_is_turned_away(site: str) -> None:
    headers = {"host": "studio.lan", "origin": "https://studio.lan", "sec-fetch-site": site}
    assert status("POST", headers, STUDIO) == 403
    assert status("POST", {**headers, "sec-fetch-site": "same-origin"}, STUDIO) is None


async def test_a_cookie_over_tls_stays_there_where_a_proxy_of_this_machine_says_so(tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot:
        for protocol, is_secure in (("https", True), ("http", False), ("nonsense", False)):
            async with httpx.AsyncClient(base_url=bot.url) as browser:
                answer = await browser.get("/", headers={"X-Forwarded-Proto": protocol})
            assert ("Secure" in answer.headers["set-cookie"]) is is_secure


@pytest.mark.parametrize(
    "cookies", [f"{COOKIE}={TOKEN}", f"a=1; {COOKIE}={TOKEN}", f'odd={{"a":1}}; {COOKIE}={TOKEN}; b=2']
)
def test_a_browser_is_known_by_its_cookie_whatever_else_it_carries(cookies: str) -> None:
    assert person_of(cookies) == f"web:{TOKEN}"


@pytest.mark.parametrize(
    "cookies", [None, "", f"{COOKIE}=short", f"not_{COOKIE}={TOKEN}", f"{COOKIE}={TOKEN}x"]
)
def test_anything_else_is_nobody(cookies: str | None) -> None:
    assert person_of(cookies) is None


async def test_a_newcomer_gets_a_cookie_and_a_regular_keeps_theirs(tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        httpx.AsyncClient(base_url=bot.url) as browser,
    ):
        first = await browser.get("/")
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(first.headers["set-cookie"].split("; "))
        policy = first.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "set-cookie" not in (await browser.get("/")).headers


async def test_a_packed_picture_is_served_as_the_file_it_is(tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        httpx.AsyncClient(base_url=bot.url) as browser,
    ):
        for is_packed in (False, True):
            key = bot.images.put(to_png(Image.new("RGB", (600, 400), "teal")))
            if is_packed:
                bot.images.replace(key, packed(bot.images.get(key)) or b"")
            answer = await browser.get(f"/pictures/{key}.png")
            kind = "webp" if is_packed else "png"
            assert answer.headers["content-type"] == f"image/{kind}"
            assert f'{kind}"' in answer.headers["content-disposition"]
            assert answer.content == bot.images.stored(key)
            assert (await browser.get(f"/thumbs/{key}.webp")).status_code == 200


async def test_a_newcomer_who_asks_for_the_parts_alone_gets_a_cookie_that_uploads(tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        httpx.AsyncClient(base_url=bot.url, headers={"Accept": "application/json"}) as browser,
    ):
        assert "HttpOnly" in (await browser.get("/")).headers["set-cookie"]
        assert (await browser.post("/pictures", files=a_file())).status_code == 200


async def test_a_picture_without_a_cookie_is_not_taken(tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        httpx.AsyncClient(base_url=bot.url) as browser,
    ):
        answer = await browser.post("/pictures", files=a_file())
        assert "cookie" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/nothing.png",
        f"/pictures/{'0' * 64}.png",
        "/thumbs/x.webp",
        "/samples/x",
        "/changes/x/y.webp",
    ],
)
async def test_what_is_not_there_is_not_found(tmp_path: Path, path: str) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        httpx.AsyncClient(base_url=bot.url) as browser,
    ):
        assert (await browser.get(path)).status_code == 404


async def test_what_is_made_as_it_is_sent_is_not_made_for_its_headers(tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, httpx.AsyncClient(base_url=bot.url) as client:
        assert (await client.head("/")).status_code == 200
        assert (await client.post("/pictures", files=a_file())).status_code == 303
        for path in ("/export", "/events/4f.0"):
            assert (await client.head(path)).status_code == 405
        assert (await client.get("/export")).status_code == 200


async def test_a_user_takes_everything_home_and_nothing_is_left_lying_about(tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        httpx.AsyncClient(base_url=bot.url) as browser,
    ):
        await browser.get("/")
        assert (await browser.get("/export")).status_code == 404
        await browser.post("/pictures", files=a_file())
        answer = await browser.get("/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="mgie.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        [picture] = [name for name in archive.namelist() if name.endswith("/v0.png")]
        assert archive.read(picture)


async def test_where_two_pictures_differ_can_be_fetched(tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        httpx.AsyncClient(base_url=bot.url) as browser,
    ):
        keys = [bot.images.put(a_drawing(sky=sky)) for sky in ("skyblue", "navy")]
        answer = await browser.get(f"/changes/{keys[0]}/{keys[1]}.webp")
    assert answer.content[8:12] == b"WEBP"
