"""Calls of gradio's functions over a real socket: what the page sends passes, files and addresses do not."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.web_chat import security
from bot.web_chat.calls import BODY_BYTES, STRING_CHARS, CallRefused, checked_call
from bot.web_chat.security import COOKIE
from tests.support.page_server import InvertingEditor, PageServer, a_drawing, page_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALL = "/gradio_api/run/predict"
COOKIE_LINE = f"cookie: {COOKIE}=Zm9vYmFyYmF6cXV4MTIzNA\r\n"
LOAD, SAY, ACT = 0, 2, 5  # numbers of the page's functions
SAID: list[Any] = ["make it night", "", "", 7.5, 1.5, 4, "", None]


def file_at(path: str) -> dict[str, Any]:
    """What gradio takes for a file: it would copy it, or fetch it."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def a_call(function: int = ACT, data: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    """The body of a call as the page sends it."""
    return {
        "data": [None] if data is None else data,
        "event_data": None,
        "fn_index": function,
        "trigger_id": 23,
        "session_hash": "jmxnyyluzfh",
        **fields,
    }


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where gradio would put copied files."""
    folder = tmp_path_factory.mktemp("copies")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        yield folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(copies: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PageServer]:
    async with page_server(tmp_path_factory.mktemp("page"), InvertingEditor()) as bot:
        yield bot


@pytest.fixture(autouse=True)
def nothing_copied(copies: Path) -> Iterator[None]:
    """Whatever is asked, gradio copies nothing."""
    yield
    assert [path for path in copies.rglob("*") if path.is_file()] == []


async def send(
    page: PageServer, method: str, path: str, body: bytes = b"", headers: str = ""
) -> tuple[int, str]:
    """The status and the text of an answer to bytes sent as they are; within five seconds."""
    host, port = page.url.removeprefix("http://").split(":")
    length = "" if "transfer-encoding" in headers else f"content-length: {len(body)}\r\n"
    head = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{length}{headers}\r\n"
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode() + body)
        await writer.drain()
        answer = await reader.read()
        writer.close()
    start, _, text = answer.partition(b"\r\n\r\n")
    return int(start.split()[1]), text.decode("utf-8", "replace")


async def call(page: PageServer, body: Any) -> tuple[int, str]:
    """Send a call in JSON."""
    headers = f"content-type: application/json\r\n{COOKIE_LINE}"
    return await send(page, "POST", CALL, json.dumps(body).encode(), headers)


async def test_the_functions_of_the_page_answer(page: PageServer) -> None:
    status, text = await call(page, a_call(LOAD, []))
    assert status == 200
    assert "welcome" in text
    await send(page, "POST", "/pictures", a_drawing(), COOKIE_LINE)
    assert (await call(page, a_call(SAY, SAID)))[0] == 200
    status, text = await call(page, a_call(event_data={"act": "look"}))
    assert status == 200
    assert "make it night" in text


@pytest.mark.parametrize("path", ["/etc/passwd", "/dev/zero", "http://127.0.0.1:9/picture.png"])
@pytest.mark.parametrize("function", [LOAD, SAY, ACT])
async def test_a_file_is_refused_wherever_it_stands(page: PageServer, path: str, function: int) -> None:
    file = file_at(path)
    nested: list[Any] = [file, [file], {"value": file}, [[{"a": [file]}]]]
    bodies = [a_call(function, [place, *SAID[1:]]) for place in nested]
    bodies += [a_call(function, [place]) for place in nested]
    bodies += [a_call(function, event_data=place) for place in nested]
    bodies += [
        a_call(function, session_hash=file),
        a_call(function, oauth_token=file),
        a_call(function) | file,
    ]
    for body in bodies:
        assert (await call(page, body))[0] == 422


@pytest.mark.parametrize(
    "change",
    [
        {"fn_index": 99},
        {"fn_index": -1},
        {"fn_index": None},
        {"fn_index": True},
        {"fn_index": "5"},
        {"data": []},
        {"data": [None, None]},
        {"data": {}},
        {"data": ["x" * (STRING_CHARS + 1)]},
        {"data": [2**70 * 10**300]},
        {"data": [float("nan")]},
        {"data": [float("inf")]},
        {"event_data": {"act": "look", "deep": {}}},
        {"event_data": {"act": ["look"]}},
        {"event_data": {"../act": "look"}},
        {"event_data": dict.fromkeys("abcdefghijklmnopq", 1)},
        {"event_data": "look"},
        {"session_hash": "../../etc"},
        {"session_hash": None},
        {"simple_format": True},
        {"batched": True},
        {"event_id": "1"},
    ],
    ids=str,
)
async def test_what_the_page_never_sends_is_refused(page: PageServer, change: dict[str, Any]) -> None:
    assert (await call(page, a_call() | change))[0] == 422


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"data=1",
        b"[" * 60_000,
        b'{"data": [null], "fn_index": 5, "session_hash": "x", "data": [{"path": "/etc/passwd"}]}',
        b'{"data": [{"path": "/etc/passwd"}], "fn_index": 5, "session_hash": "x", "data": [null]}',
        b'{"data": [null], "fn_index": 5, "session_hash": "x", "event_data": {"act": "look", "act": "undo"}}',
    ],
)
async def test_other_bodies_are_refused(page: PageServer, body: bytes) -> None:
    assert (await send(page, "POST", CALL, body, COOKIE_LINE))[0] == 422


@pytest.mark.parametrize("size", [BODY_BYTES + 1, 10 * BODY_BYTES])
async def test_a_large_body_is_refused(page: PageServer, size: int) -> None:
    body = json.dumps(a_call()).encode()
    assert (await send(page, "POST", CALL, body.ljust(size), COOKIE_LINE))[0] == 413


def in_chunks(body: bytes, size: int) -> bytes:
    """A body in the chunked encoding of HTTP/1.1."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])


@pytest.mark.parametrize(
    ("body", "size", "status"),
    [
        (json.dumps(a_call()).encode(), 1, 200),
        (json.dumps(a_call(data=[file_at("/etc/passwd")])).encode(), 7, 422),
        (json.dumps(a_call()).encode().ljust(BODY_BYTES + 1), 1000, 413),
    ],
    ids=["small", "file", "large"],
)
async def test_chunked_bodies_are_read_like_others(
    page: PageServer, body: bytes, size: int, status: int
) -> None:
    headers = f"transfer-encoding: chunked\r\n{COOKIE_LINE}"
    assert (await send(page, "POST", CALL, in_chunks(body, size), headers))[0] == status


async def test_a_body_that_does_not_arrive_is_given_up(
    page: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "CALL_S", 0.1)
    headers = f"transfer-encoding: chunked\r\n{COOKIE_LINE}"
    assert (await send(page, "POST", CALL, b"1\r\n{\r\n", headers))[0] == 408


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/run/say"),
        ("POST", "/gradio_api/run/predict/"),
        ("POST", "/gradio_api/api/predict"),
        ("POST", "/gradio_api/call/say"),
        ("POST", "/gradio_api/call/v2/say"),
        ("GET", "/gradio_api/call/say/1"),
        ("POST", "/gradio_api/queue/join"),
        ("GET", "/gradio_api/queue/data"),
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/upload_progress"),
        ("POST", "/gradio_api/reset"),
        ("POST", "/gradio_api/cancel"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/stream/1"),
        ("POST", "/gradio_api/process_recording"),
        ("GET", "/gradio_api/startup-events"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file=http://127.0.0.1:9/x"),
        ("GET", "/gradio_api/file//etc/passwd"),
        ("GET", "/gradio_api/proxy=http://127.0.0.1:9/x"),
        ("HEAD", "/gradio_api/proxy=http://127.0.0.1:9/x"),
        ("GET", "/gradio_api/deep_link?session_hash=x"),
        ("GET", "/gradio_api/custom_component/1/client/x/x"),
        ("GET", "/static/../../../etc/passwd"),
        ("GET", "/assets/%2e%2e/%2e%2e/etc/passwd"),
        ("GET", "/assets//etc/passwd"),
        ("GET", "/static/.hidden"),
        ("GET", "/svelte/x"),
        ("GET", "/monitoring"),
    ],
)
async def test_other_routes_of_gradio_are_closed(page: PageServer, method: str, path: str) -> None:
    file = json.dumps(a_call(data=[file_at("/etc/passwd")])).encode() if method == "POST" else b""
    status, text = await send(page, method, path, file, COOKIE_LINE)
    assert status == 404
    assert "root:" not in text


async def test_query_strings_do_not_reach_gradio(page: PageServer) -> None:
    assert (await send(page, "GET", "/?page=none&deep_link=x", headers=COOKIE_LINE))[0] == 200


async def test_what_passes_is_written_anew() -> None:
    given = b'{"fn_index":5, "data":["\\ud83d"], "session_hash":"x", "event_data":{"act":"look"}}'
    assert json.loads(checked_call(given, {5: 1})) == {
        "fn_index": 5,
        "data": ["?"],
        "session_hash": "x",
        "trigger_id": None,
        "event_data": {"act": "look"},
    }


async def test_a_function_that_is_not_known_is_refused() -> None:
    with pytest.raises(CallRefused, match="no such function"):
        checked_call(json.dumps(a_call()).encode(), {})
