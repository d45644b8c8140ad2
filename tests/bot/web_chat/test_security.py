"""Who may come in at the local page's door, and where they may go."""

import io
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from bot.web_chat.security import COOKIE, LOOPBACK, objection, person_of
from tests.support.page_server import InvertingEditor, a_drawing, page_server

HERE = {"host": "127.0.0.1:7860"}
TOKEN = "Zm9vYmFyYmF6cXV4MTIzNA"


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "127.0.0.1", "[::1]:7860", "[::1]"])
def test_its_own_names_are_let_in(host: str) -> None:
    assert objection("GET", "/", {"host": host}, LOOPBACK) is None


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""])
def test_a_foreign_name_for_this_machine_is_turned_away(host: str) -> None:
    refusal = objection("GET", "/", {"host": host}, LOOPBACK)
    assert refusal is not None
    assert refusal[0] == 421


def test_names_that_the_operator_gave_are_let_in_and_no_others() -> None:
    names = LOOPBACK | {"studio.lan"}
    assert objection("GET", "/", {"host": "Studio.LAN:7860"}, names) is None
    assert objection("GET", "/", {"host": "evil.example"}, names) is not None


async def test_an_open_page_is_safe_from_dns_rebinding(tmp_path: Path) -> None:
    """A site that points its own name at this machine gets nothing, by any route."""
    async with page_server(tmp_path, InvertingEditor(), host="0.0.0.0", names=("studio.lan",)) as bot:
        port = urlsplit(bot.url).port
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser:
            for name in ("evil.example", f"evil.example:{port}", "studio.lan.evil.example", "0.0.0.0"):
                rebound = {"host": name, "origin": f"http://{name}"}
                assert (await browser.get("/", headers=rebound)).status_code == 421
                assert (await browser.get("/config", headers=rebound)).status_code == 421
                answer = await browser.post("/pictures", content=a_drawing(), headers=rebound)
                assert answer.status_code == 421
                assert "set-cookie" not in answer.headers
            for name in (f"studio.lan:{port}", f"127.0.0.1:{port}"):
                assert (await browser.get("/", headers={"host": name})).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:7861", "null"])
def test_changes_from_other_pages_are_turned_away(origin: str) -> None:
    refusal = objection("POST", "/pictures", {**HERE, "origin": origin}, LOOPBACK)
    assert refusal is not None
    assert refusal[0] == 403


def test_changes_from_the_page_itself_pass() -> None:
    assert objection("POST", "/pictures", {**HERE, "origin": "http://127.0.0.1:7860"}, LOOPBACK) is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/gradio_api/info"),
        ("GET", "/gradio_api/openapi.json"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/proxy=https://example.com"),
        ("POST", "/gradio_api/upload"),
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/call/say"),
        ("DELETE", "/pictures"),
    ],
)
def test_addresses_the_page_does_not_use_are_closed(method: str, path: str) -> None:
    refusal = objection(method, path, HERE, LOOPBACK)
    assert refusal is not None
    assert refusal[0] == 404


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
        assert "HttpOnly; SameSite=Lax" in first.headers["set-cookie"]
        assert "frame-ancestors 'none'" in first.headers["content-security-policy"]
        assert "set-cookie" not in (await browser.get("/")).headers


async def test_a_picture_without_a_cookie_is_not_taken(tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        httpx.AsyncClient(base_url=bot.url) as browser,
    ):
        answer = await browser.post("/pictures", content=a_drawing())
        assert "cookie" in answer.json()["text"]


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


async def test_a_user_takes_everything_home_and_nothing_is_left_lying_about(tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        httpx.AsyncClient(base_url=bot.url) as browser,
    ):
        await browser.get("/")
        assert (await browser.get("/export")).status_code == 404
        await browser.post("/pictures", content=a_drawing())
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
