"""The judge itself: it must let good requests pass and find planted mistakes."""

from typing import Any

import pytest

from tests.support.discord_server.published_api import PublishedApi, _digest

API = PublishedApi.load()
pytestmark = pytest.mark.skipif(API is None, reason="no copy of the published API description here")

SEND = "/channels/{channel_id}/messages"
BUTTON = {"type": 2, "style": 2, "label": "Undo", "custom_id": "e1:undo:k3f9:8dk2"}
GOOD: dict[str, Any] = {
    "flags": 32768,
    "nonce": "k3f9-done",
    "enforce_nonce": True,
    "tts": False,
    "components": [
        {
            "type": 17,
            "accent_color": 0x23A55A,
            "components": [
                {"type": 10, "content": "### v1"},
                {"type": 12, "items": [{"media": {"url": "attachment://a.png"}, "description": "alt"}]},
                {"type": 1, "components": [BUTTON]},
            ],
        }
    ],
    "message_reference": {"message_id": 12, "channel_id": 34, "fail_if_not_exists": False},
    "allowed_mentions": {"parse": [], "replied_user": False},
    "attachments": [{"id": 0, "filename": "a.png", "description": "alt"}],
}


def complaints(body: dict[str, Any]) -> list[str]:
    assert API is not None
    return API.complaints_about_request("POST", SEND, body)


def test_what_discord_py_sends_passes() -> None:
    assert complaints(GOOD) == []


def test_a_body_is_judged_again_unless_only_its_snowflakes_differ() -> None:
    one, other = "175928847299117063", "175928847299117064"
    assert _digest({"id": one, "in": one}) == _digest({"id": other, "in": other})
    for another in ({"id": one, "in": other}, {"id": one, "in": one[1:]}, {"id": one, "in": "general"}):
        assert _digest({"id": one, "in": one}) != _digest(another)


@pytest.mark.parametrize(
    "mistake",
    [
        {"nonce": "x" * 26},
        {"flags": "32768"},
        {"nonse": "k3f9"},
        {"attachments": [{"id": 0, "file_name": "a.png"}]},
        {"components": [{"type": 99}]},
        {"components": [{"type": 1, "components": [BUTTON | {"custom_id": "x" * 101}]}]},
        {"components": [{"type": 1, "components": [BUTTON | {"label": "x" * 81}]}]},
        {"components": [{"type": 12, "items": []}]},
        {"message_reference": {"channel_id": "34"}},
        {"allowed_mentions": {"parse": ["all"]}},
    ],
)
def test_planted_mistakes_are_found(mistake: dict[str, Any]) -> None:
    assert complaints(GOOD | mistake)


def test_answers_are_judged_too() -> None:
    assert API is not None
    assert API.complaints_about_answer("GET", "/users/@me", 200, {"id": "1"})
