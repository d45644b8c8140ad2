"""The API for other programs by plain HTTP: JSON bodies, and bodies that are none."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.api_server import api_server, opened
from tests.support.fakes import EchoEditor
from tests.support.page_server import a_drawing

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


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
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
