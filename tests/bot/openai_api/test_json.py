"""The API for other programs by plain HTTP: JSON bodies, and bodies that are none."""

import asyncio
import base64
import json
import random
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from bot.openai_api import api_routes, edit_form
from bot.openai_api.api_errors import ApiError
from bot.openai_api.api_routes import RECEIVING
from bot.ops.shared_slots import SharedSlots
from tests.support.api_server import KEY, OTHER_KEY, api_server, opened
from tests.support.fakes import EchoEditor
from tests.support.page_server import a_drawing, to_png

MULTIPART = "multipart/form-data; boundary=x"
NAMED_PROMPT = b'--x\r\nContent-Disposition: form-data; name="prompt"'
PICTURE = base64.b64encode(a_drawing((64, 48))).decode()


async def answer_to(folder: Path, body: Any, kind: str = "application/json") -> httpx.Response:
    """What the API says to a body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with api_server(folder, EchoEditor()) as api, httpx.AsyncClient() as client:
        return await client.post(f"{api.url}/images/edits", content=data, headers={"Content-Type": kind})


@pytest.mark.parametrize(
    "picture",
    [
        {"image": PICTURE},
        {"image": f"data:image/png;base64,{PICTURE}"},
        {"images": [{"image_url": f"data:image/png;base64,{PICTURE}"}]},
    ],
)
async def test_a_picture_comes_as_base64_or_as_data_url(tmp_path: Path, picture: dict[str, Any]) -> None:
    answer = await answer_to(tmp_path, {"prompt": "make it darker", "n": 2, **picture})
    assert answer.status_code == 200, answer.text
    assert [opened(each["b64_json"]).size for each in answer.json()["data"]] == [(64, 48)] * 2


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"image": "https://example.com/a.png"}, "image"),
        ({"image": "not base64!"}, "image"),
        ({"image": 7}, "image"),
        ({"image": []}, "image"),
        ({}, "image"),
        ({"images": [{"image_url": PICTURE}, {"image_url": PICTURE}]}, "image"),
        ({"image": PICTURE, "n": 11}, "n"),
        ({"image": PICTURE, "n": "many"}, "n"),
        ({"image": PICTURE, "size": "0x0"}, "size"),
        ({"image": PICTURE, "size": "99999x99999"}, "size"),
        ({"image": PICTURE, "background": "transparent"}, "background"),
        ({"image": PICTURE, "prompt": ""}, "prompt"),
        ({"image": PICTURE, "prompt": "rends-le plus sombre s'il te plaît", "seed": -1}, "seed"),
        ({"image": PICTURE, "text_cfg": float("nan")}, "prompt"),
    ],
)
async def test_what_is_wrong_is_named(tmp_path: Path, fields: dict[str, Any], param: str) -> None:
    answer = await answer_to(tmp_path, {"prompt": "make it darker", **fields})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert error["message"]


async def test_a_body_of_many_parts_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", pytest.fail)
    for part in (b"[],", b'{"":0},', b"0,"):
        with pytest.raises(ApiError, match="too many parts"):
            edit_form._decoded(b'{"image": [' + part * 10_000 + b"0]}")


async def test_bodies_of_one_key_that_do_not_arrive_keep_no_other_key_out(tmp_path: Path) -> None:
    async with api_server(tmp_path, EchoEditor(), (KEY, OTHER_KEY)) as api:
        parts = urlsplit(api.url)
        held = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(RECEIVING)]
        for _, writer in held:
            writer.write(
                f"POST /v1/images/edits HTTP/1.1\r\nhost: {parts.netloc}\r\nauthorization: Bearer {KEY}\r\n"
                "content-type: application/json\r\ncontent-length: 9999\r\n\r\n{".encode()
            )
            await writer.drain()
        asked = {"prompt": "make it darker", "image": PICTURE}
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {OTHER_KEY}"}) as client:
            answer = await client.post(f"{api.url}/images/edits", json=asked)
        assert answer.status_code == 200
        for _, writer in held:
            writer.close()


async def test_slots_are_shared_so_that_one_user_leaves_room() -> None:
    slots, begun = SharedSlots(3, 2), []

    async def hold(user: str) -> None:
        async with slots.slot(user):
            begun.append(user)
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(hold(user)) for user in ("ann", "ann", "ann", "bob", "bob")]
    for _ in range(5):
        await asyncio.sleep(0)
    assert begun == ["ann", "ann", "bob"]
    tasks[0].cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(begun) == 4
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until_cut_off(writer: asyncio.StreamWriter) -> None:
    """Send now and then, and read nothing."""
    async with asyncio.timeout(60):
        while True:
            await asyncio.sleep(0.5)
            writer.write(b" ")
            await writer.drain()


async def test_a_client_that_does_not_read_its_answer_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_routes, "WRITE_S", 0.2)
    monkeypatch.setattr(api_routes, "SLOWEST", 1e9)
    noise = Image.frombytes("RGB", (2000, 2000), random.Random(1).randbytes(12_000_000))
    body = json.dumps(
        {"prompt": "make it darker", "image": base64.b64encode(to_png(noise)).decode()}
    ).encode()
    monkeypatch.setattr(edit_form, "PICTURE_BYTES", 20 * 2**20)
    async with api_server(tmp_path, EchoEditor()) as api:
        parts = urlsplit(api.url)
        _, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1024)
        writer.write(
            f"POST /v1/images/edits HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        with pytest.raises(ConnectionError):
            await until_cut_off(writer)
        writer.close()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"image": [' + b"[]," * 1_000_000 + b"0]}", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"prompt=darker", "application/x-www-form-urlencoded", 415),
        (b"", "multipart/form-data", 400),
        (b"--x\r\nno headers", "multipart/form-data; boundary=x", 400),
        (
            b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
            400,
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n\xff\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            400,
        ),
    ],
)
async def test_a_body_that_is_none_is_refused(tmp_path: Path, body: bytes, kind: str, status: int) -> None:
    answer = await answer_to(tmp_path, body, kind)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]


async def test_an_address_or_a_method_that_is_none_is_an_error_of_the_api(tmp_path: Path) -> None:
    async with api_server(tmp_path, EchoEditor()) as api, httpx.AsyncClient() as client:
        assert (await client.get(f"{api.url}/images/edits")).json()["error"]["message"]
        missing = await client.post(f"{api.url}/chat/completions")
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "invalid_request_error")
