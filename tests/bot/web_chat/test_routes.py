"""What is sent to the page over a real socket: its own forms pass, everything else gets a sentence."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio

from bot.web_chat import forms, request_limits
from bot.web_chat.forms import TEXT_CHARS
from bot.web_chat.request_limits import FORM_BYTES, LOCAL_UPLOAD_BYTES
from bot.web_chat.security import COOKIE
from tests.support.page_server import InvertingEditor, PageServer, a_drawing, page_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

COOKIE_LINE = f"cookie: {COOKIE}=Zm9vYmFyYmF6cXV4MTIzNA\r\n"
FORM = "content-type: application/x-www-form-urlencoded\r\n"
JSON = "accept: application/json\r\n"
MESSAGE = {"instruction": "make it night", "text_cfg": "7.5", "image_cfg": "1.5", "steps": "4", "seed": ""}
EDGE = "thisisanedge"
UPLOAD = f"content-type: multipart/form-data; boundary={EDGE}\r\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PageServer]:
    async with page_server(tmp_path_factory.mktemp("page"), InvertingEditor()) as bot:
        yield bot


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def nothing_asked(page: PageServer) -> AsyncIterator[None]:
    """What is refused leaves no turn behind; tests that ask use a page of their own."""
    before = len(await page.store.turns_by("web:Zm9vYmFyYmF6cXV4MTIzNA"))
    yield
    assert len(await page.store.turns_by("web:Zm9vYmFyYmF6cXV4MTIzNA")) == before


def uploaded(file: bytes, name: str = "picture") -> bytes:
    """An upload form with one file."""
    head = f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\n\r\n'
    return head.encode() + file + f"\r\n--{EDGE}--\r\n".encode()


async def send(
    page: PageServer, method: str, path: str, body: bytes = b"", headers: str = ""
) -> tuple[int, str]:
    """The status and the text of an answer to bytes sent as they are."""
    host, port = page.url.removeprefix("http://").split(":")
    length = "" if "transfer-encoding" in headers else f"content-length: {len(body)}\r\n"
    head = f"{method} {path} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\n{length}{headers}\r\n"
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode() + body)
        await writer.drain()
        answer = await reader.read()
        writer.close()
    start, _, text = answer.partition(b"\r\n\r\n")
    return int(start.split()[1]), text.decode("utf-8", "replace")


async def post(page: PageServer, path: str, body: bytes | dict[str, str]) -> tuple[int, str]:
    """Send a form."""
    content = body if isinstance(body, bytes) else urlencode(body).encode()
    return await send(page, "POST", path, content, FORM + COOKIE_LINE)


async def test_the_forms_of_the_page_are_answered(tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as page:
        assert "welcome" in (await send(page, "GET", "/", headers=COOKIE_LINE))[1]
        status, _ = await send(page, "POST", "/pictures", uploaded(a_drawing()), UPLOAD + COOKIE_LINE)
        assert status == 303
        status, text = await send(
            page, "POST", "/message", urlencode(MESSAGE).encode(), FORM + JSON + COOKIE_LINE
        )
        assert status == 200
        answer = json.loads(text)
        assert answer["taken"]
        assert "make it night" in answer["parts"]["talk"]
        assert (await post(page, "/act", {"undo": ""}))[0] == 303


async def test_a_browser_without_a_script_gets_whole_pages(tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as page:
        status, text = await post(page, "/message", MESSAGE)
        assert status == 200
        assert "Attach one" in text
        assert ">make it night</textarea>" in text
        status, text = await post(page, "/act", {"choose": ""})
        assert status == 200
        assert 'class="choosing"' in text


@pytest.mark.parametrize(
    "change",
    [
        {"oauth_token": "x"},
        {"__proto__": "x"},
        {"picture": "/etc/passwd"},
        {"path": "/dev/zero"},
        {"instruction": "x" * (TEXT_CHARS + 1)},
        {"expressive": "x" * (TEXT_CHARS + 1)},
        {"corrects": "../../etc"},
        {"corrects": "x" * 33},
        {"seed": "1" * 21},
        {"steps": "many"},
        {"steps": "4.5"},
        {"steps": "1e400"},
        {"steps": "9" * 5000},
        {"text_cfg": "nan"},
        {"image_cfg": "inf"},
        {"image_cfg": "[1.5]"},
    ],
    ids=str,
)
async def test_what_the_message_form_never_sends_is_refused(page: PageServer, change: dict[str, str]) -> None:
    status, text = await post(page, "/message", MESSAGE | change)
    assert status == 400
    assert "did not understand" in text


@pytest.mark.parametrize(
    "act",
    [
        {},
        {"fly": ""},
        {"undo": "1"},
        {"undo": "", "redo": ""},
        {"cancel": ""},
        {"cancel": "../k3f9"},
        {"cancel": "x" * 33},
        {"preset": "loudest"},
        {"sample": "../../etc/passwd"},
        {"sample": "/dev/zero"},
        {"sample": "http://127.0.0.1:9/picture.png"},
        {"say": ""},
        {"say": "x" * (TEXT_CHARS + 1)},
        {"act": "undo"},
        {"look": ""},
    ],
    ids=str,
)
async def test_what_no_button_sends_is_refused(page: PageServer, act: dict[str, str]) -> None:
    assert (await post(page, "/act", act))[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        b"undo",
        b"&&&",
        b"\xff\xfe",
        b"undo=%ff",
        b"say=%ed%a0%80",
        b"undo=&undo=",
        b"say=a&say=b",
        b'{"undo": ""}',
        b"[" * 60_000,
        b"&".join(b"a%d=" % number for number in range(5000)),
    ],
)
async def test_bodies_that_are_no_form_are_refused(page: PageServer, body: bytes) -> None:
    assert (await post(page, "/act", body))[0] == 400


@pytest.mark.parametrize("path", ["/act", "/message", "/pictures"])
@pytest.mark.parametrize(
    "headers",
    [
        "content-type: application/json\r\n",
        "content-type: text/plain\r\n",
        "",
        f"{FORM}content-encoding: gzip\r\n",
        f"{UPLOAD}content-encoding: deflate\r\n",
    ],
)
async def test_other_kinds_of_bodies_are_refused(page: PageServer, path: str, headers: str) -> None:
    assert (await send(page, "POST", path, b"{}", headers + COOKIE_LINE))[0] == 415


@pytest.mark.parametrize("path", ["/act", "/message"])
@pytest.mark.parametrize("size", [FORM_BYTES + 1, 10 * FORM_BYTES])
async def test_a_large_form_is_refused(page: PageServer, path: str, size: int) -> None:
    status, text = await post(page, path, b"say=".ljust(size, b"x"))
    assert status == 413
    assert "too large" in text


def in_chunks(body: bytes, size: int) -> bytes:
    """A body in the chunked encoding of HTTP/1.1."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])


@pytest.mark.parametrize(
    ("body", "size", "status"),
    [
        (b"undo=", 1, 200),
        (b"fly=1", 7, 400),
        (b"say=".ljust(FORM_BYTES + 1, b"x"), 1000, 413),
    ],
    ids=["small", "unknown", "large"],
)
async def test_chunked_forms_are_read_like_others(
    page: PageServer, body: bytes, size: int, status: int
) -> None:
    headers = f"transfer-encoding: chunked\r\n{FORM}{COOKIE_LINE}"
    assert (await send(page, "POST", "/act", in_chunks(body, size), headers))[0] == status


async def test_damaged_chunks_are_refused(page: PageServer) -> None:
    headers = f"transfer-encoding: chunked\r\n{FORM}{COOKIE_LINE}"
    assert (await send(page, "POST", "/act", b"zz\r\nundo=\r\n0\r\n\r\n", headers))[0] == 400


async def test_a_form_that_does_not_arrive_is_given_up(
    page: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "FORM_S", 0.1)
    headers = f"transfer-encoding: chunked\r\n{FORM}{COOKIE_LINE}"
    status, text = await send(page, "POST", "/act", b"1\r\nu\r\n", headers)
    assert status == 408
    assert "too long" in text


async def test_an_upload_one_byte_short_is_given_up(
    page: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "UPLOAD_PAUSE_S", 0.1)
    body = uploaded(a_drawing())
    headers = f"transfer-encoding: chunked\r\n{UPLOAD}{COOKIE_LINE}"
    short = b"%x\r\n%s" % (len(body), body[:-1])
    assert (await send(page, "POST", "/pictures", short, headers))[0] == 408


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"no multipart at all", 400),
        (uploaded(a_drawing(), "file"), 400),
        (uploaded(a_drawing()).removesuffix(b"--\r\n") + b"\r\n" + uploaded(b"x").partition(b"\r\n")[2], 400),
        (b"--" + EDGE.encode() + b"\r\n" + b"A: b\r\n" * 20_000, 400),
    ],
    ids=["empty", "text", "other field", "two files", "headers"],
)
async def test_other_uploads_are_refused(page: PageServer, body: bytes, status: int) -> None:
    assert (await send(page, "POST", "/pictures", body, UPLOAD + COOKIE_LINE))[0] == status


async def test_a_file_up_to_the_limit_of_this_machine_is_taken(tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as page:
        file = a_drawing() + bytes(11 * 2**20)
        status, text = await send(page, "POST", "/pictures", uploaded(file), UPLOAD + JSON + COOKIE_LINE)
        assert status == 200
        assert not json.loads(text)["notice"]


async def test_a_file_beyond_the_limit_of_this_machine_is_refused(page: PageServer) -> None:
    file = bytes(LOCAL_UPLOAD_BYTES + 1)
    status, text = await send(page, "POST", "/pictures", uploaded(file), UPLOAD + JSON + COOKIE_LINE)
    assert status == 200
    assert "40 MiB" in json.loads(text)["notice"]


async def test_a_page_with_names_takes_files_up_to_the_limit_of_every_chat(tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor(), names=("127.0.0.1",)) as page:
        file = a_drawing() + bytes(11 * 2**20)
        _, text = await send(page, "POST", "/pictures", uploaded(file), UPLOAD + JSON + COOKIE_LINE)
        assert "10 MiB" in json.loads(text)["notice"]
    assert LOCAL_UPLOAD_BYTES > request_limits.UPLOAD_BYTES


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/docs"),
        ("GET", "/config"),
        ("GET", "/openapi.json"),
        ("POST", "/gradio_api/run/predict"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/static/../../../etc/passwd"),
        ("GET", "/static/%2e%2e/%2e%2e/etc/passwd"),
        ("GET", "/static/..%2f..%2fserver.py"),
        ("GET", "/static//etc/passwd"),
        ("GET", "/static/.hidden"),
        ("GET", "/templates/page.html"),
        ("GET", "/samples/..%2fsamples.toml"),
        ("GET", "/samples/%2e%2e/samples.toml"),
        ("GET", "/pictures/..%2f..%2fbot.db.png"),
        ("GET", "/pictures/%00.png"),
        ("GET", "/thumbs/x.webp"),
        ("GET", "/changes/x/y.webp"),
        ("GET", f"/pictures/{'0' * 64}.png"),
        ("GET", f"/changes/{'0' * 64}/{'0' * 64}.webp"),
        ("GET", "/act"),
        ("GET", "/message"),
        ("DELETE", "/pictures"),
        ("PUT", "/act"),
        ("OPTIONS", "/"),
        ("TRACE", "/"),
        ("POST", "/"),
    ],
)
async def test_other_addresses_are_closed(page: PageServer, method: str, path: str) -> None:
    status, text = await send(page, method, path, b"", FORM + COOKIE_LINE)
    assert status in (404, 405)
    assert "nothing at this address" in text


ROUTES = ("static", "samples", "pictures", "thumbs", "changes", "changes/x", "events", "export", "")
UP = (
    *("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..\\", "..%5c", "%2e%2e%5c", "..%252f", "%252e%252e%252f"),
    *("..%c0%af", "%c0%ae%c0%ae/", "..%u2215", "..;/", ".%00./", "....//", "..%ef%bc%8f"),
)
GOALS = ("etc/passwd", "conversations.db", "bot/web_chat/server.py", "page.html.png", "samples.toml.webp")


@pytest.mark.parametrize("route", ROUTES)
async def test_no_way_leads_out_of_what_is_served(page: PageServer, route: str) -> None:
    for up, goal in product(UP, GOALS):
        for path in (f"/{route}/{up * 4}{goal}", f"/{up * 4}{route}/{goal}"):
            status, text = await send(page, "GET", path, headers=COOKIE_LINE)
            assert status in (400, 404, 405), path
            assert not any(secret in text for secret in ("root:", "SQLite format", "import ", "[[")), path


@pytest.mark.parametrize("seen", ["x", "..%2f", quote("4f.<b>"), "4f.-1", "4f"])
async def test_streams_begin_at_a_revision(page: PageServer, seen: str) -> None:
    assert (await send(page, "GET", f"/events/{seen}", headers=COOKIE_LINE))[0] == 400


async def test_a_stream_needs_a_cookie(page: PageServer) -> None:
    assert (await send(page, "GET", "/events/4f.0"))[0] == 403


async def test_query_strings_change_nothing(page: PageServer) -> None:
    assert (await send(page, "GET", "/?page=none&deep_link=x", headers=COOKIE_LINE))[0] == 200
