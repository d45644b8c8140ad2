"""A message with half of a surrogate pair does no harm, whichever JSON library discord.py found."""

import json
from pathlib import Path
from typing import Any

import pytest
from discord import utils

from bot.discord_chat.gateway_json import read_json
from tests.support.discord_room import room
from tests.support.fakes import a_picture


def strict_json(text: str) -> Any:
    """As orjson reads: it refuses half of a surrogate pair."""
    said = json.loads(text)
    json.dumps(said, ensure_ascii=False).encode()
    return said


async def test_a_message_with_half_of_a_surrogate_pair_is_an_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utils, "_from_json", strict_json)
    async with room(tmp_path) as r:
        files = {"picture\udc00.png": a_picture()}
        who = r.discord.world.add_person("An\ud800n")
        await r.result(r.discord.say(r.channel, who, "make it redder \ud83d", files=files, mention=True))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r'["a \ud83d"]', ["a \ufffd"]),
        (r'{"\udc00": {"b": ["\ud83d\ude00", 1, null]}}', {"\ufffd": {"b": ["\U0001f600", 1, None]}}),
        (r'"\\ud83d"', "\\ud83d"),
        ('"ü"', "ü"),
    ],
)
def test_halves_are_replaced_and_whole_pairs_kept(text: str, said: object) -> None:
    assert read_json(text) == said
