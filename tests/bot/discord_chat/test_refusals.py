"""What is wrong with a picture, or with an edit, is said on Discord in a sentence, never as a traceback."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from conversations.messages import Message
from mgie_engine.errors import RequestRefused
from tests.bot.discord_chat.test_buttons import a_card
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import room
from tests.support.discord_server.people import buttons_of, text_of
from tests.support.english import english, english_pattern, in_english
from tests.support.fakes import ScriptedEditor, echo


def a_file(width: int, height: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("L", (width, height)).save(file, kind)
    return file.getvalue()


def an_animation() -> bytes:
    first, *others = (Image.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue"))
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others)
    return file.getvalue()


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"%PDF-1.7 not a picture", "file_kind"),
        (b"", "file_empty"),
        (a_file(7000, 6000), "file_pixels"),
        (a_file(4, 4), "file_small"),
        (a_file(2000, 20), "file_long"),
        (a_file(640, 480)[:200], "file_damaged"),
    ],
)
async def test_a_picture_that_cannot_be_taken_is_refused_by_its_limit(
    tmp_path: Path, file: bytes, code: str
) -> None:
    async with room(tmp_path) as r:
        asked = r.discord.say(r.channel, r.anna, "red", files={"picture.png": file}, mention=True)
        reply = text_of(await r.answer(asked))
        assert english_pattern(code).fullmatch(reply), reply
        assert await r.turns() == ()


async def test_of_an_animation_the_first_frame_is_taken_and_that_is_said(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        files = {"dance.gif": an_animation()}
        result = await r.result(r.discord.say(r.channel, r.anna, "red", files=files, mention=True))
        assert f"-# {english('note_first_frame')}" in text_of(result)


async def test_words_painted_as_written_are_said_on_the_card(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked = post_picture(r)
        edit = await editor.started()
        edit.finish(replace(echo(edit.request), notes=(Message("note_as_written"),)))
        assert f"-# {english('note_as_written')}" in text_of(await r.result(asked))


@pytest.mark.parametrize(
    "message", [Message("too_many_tokens", count=9), Message("no_memory"), Message("broke_up")]
)
async def test_what_the_model_refuses_is_said_and_can_be_tried_again(
    tmp_path: Path, message: Message
) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        post_picture(r)
        (await editor.started()).fail(RequestRefused("refused", message))
        card = await a_card(r, "⚠️")
        assert in_english(message) in text_of(card)
        assert [button["label"] for button in buttons_of(card)] == ["Retry"]


async def test_while_the_bot_stops_it_takes_nothing_new(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.runner.drain(0)
        assert text_of(await r.answer(post_picture(r))) == english("restarting")
