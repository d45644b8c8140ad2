"""Our Conversation against a record of LLaVA's own (commit 7ace501), every case of the file.

MGIE_CONVERSATION_GOLDEN names another file of the same shape.
"""

import base64
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conversations.llava.conversation import Conversation
from conversations.llava.templates import template

GOLDEN = Path(
    os.environ.get("MGIE_CONVERSATION_GOLDEN", Path(__file__).parent / "data" / "llava_golden.json")
)
ROWS: list[dict[str, Any]] = json.loads(GOLDEN.read_text(encoding="utf-8"))["rows"]

every_row = pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row['template']}-{place}") for place, row in enumerate(ROWS)]
)
rows_with_pictures = pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=f"{row['template']}-{place}")
        for place, row in enumerate(ROWS)
        if any(isinstance(message, list) for _, message in row["messages"])
    ],
)


def pattern(width: int, height: int) -> Image.Image:
    """The record's test picture: integer arithmetic only."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    checks = ((x // 9 + y // 11) % 2) * 64
    bands = [(x * 3 + y * 5 + c * 37 + (x * y) // 7 + checks) % 256 for c in range(3)]
    return Image.fromarray(np.stack(bands, -1).astype(np.uint8))


def replay(row: dict[str, Any]) -> Conversation:
    """The talk of a row, from its template."""
    talk = template(row["template"])
    for speaker, message in row["messages"]:
        if isinstance(message, list):
            text, size, mode = message
            message = (text, pattern(*size), mode)
        talk.append_message(talk.roles["UA".index(speaker)], message)
    return talk


def shortened(answer: Any, golden: Any) -> Any:
    """An answer in the form the record keeps it: long HTML as length, head and tail."""
    if not isinstance(golden, dict):
        return answer
    head, tail = len(golden["head"]), len(golden["tail"])
    return {"len": len(answer), "head": answer[:head], "tail": answer[-tail:]}


def test_the_record_has_cases() -> None:
    assert ROWS


@every_row
def test_the_prompt_is_llavas(row: dict[str, Any]) -> None:
    assert replay(row).get_prompt() == row["prompt"]


@every_row
def test_the_template_is_llavas(row: dict[str, Any]) -> None:
    talk = template(row["template"])
    ours = (talk.sep_style.name, talk.sep, talk.sep2, list(talk.roles), talk.offset, talk.version)
    keys = ("sep_style", "sep", "sep2", "roles", "offset", "version_of_template")
    assert ours == tuple(row[key] for key in keys)


@every_row
def test_the_gradio_pairs_are_llavas(row: dict[str, Any]) -> None:
    pairs = replay(row).to_gradio_chatbot()
    assert len(pairs) == len(row["gradio"])
    for ours, theirs in zip(pairs, row["gradio"], strict=True):
        assert [shortened(*cell) for cell in zip(ours, theirs, strict=True)] == theirs


@every_row
def test_the_dict_is_llavas(row: dict[str, Any]) -> None:
    assert replay(row).dict() == row["dict"]


@every_row
def test_a_conversation_comes_back_from_its_dict(row: dict[str, Any]) -> None:
    talk = replay(row)
    back = Conversation.from_dict(json.loads(json.dumps(talk.dict())))
    assert back.dict() == talk.dict()
    assert back.get_prompt() == row["prompt"]
    assert back.sep_style.name == row["sep_style"]


@every_row
def test_a_copy_says_the_same_and_keeps_its_version(row: dict[str, Any]) -> None:
    copy = replay(row).copy()
    assert (copy.get_prompt(), copy.version) == (row["prompt"], row["version_of_template"])


@every_row
def test_the_pictures_are_llavas(row: dict[str, Any]) -> None:
    pictures = replay(row).get_images(return_pil=True)
    ours = [
        {"size": list(picture.size), "sha256_rgb": hashlib.sha256(picture.tobytes()).hexdigest()}
        for picture in pictures
    ]
    assert ours == row.get("images", [])


@rows_with_pictures
def test_the_base64_pictures_are_jpegs_of_the_same_size(row: dict[str, Any]) -> None:
    files = [Image.open(io.BytesIO(base64.b64decode(text))) for text in replay(row).get_images()]
    assert [file.format for file in files] == ["JPEG"] * len(files)
    assert [list(file.size) for file in files] == row["images_b64_are_jpeg_of_size"]
