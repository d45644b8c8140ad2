"""Erasing: every message with a picture of a turn goes, also when the bot ends in the middle of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import discord
import pytest
from discord.utils import time_snowflake, utcnow

from bot.chat.replies import AskTarget, ImageChoice
from bot.discord_chat.ids import channel_key
from conversations.messages import Message as Words
from tests.bot.discord_chat.test_buttons import said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import Room, loopback, room, turn_of
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import Channel, Message
from tests.support.english import english
from tests.support.fakes import a_picture


def with_pictures(discord: DiscordServer, channel: Channel) -> list[Message]:
    return [message for message in discord.messages_of_bot(channel) if message.uploads]


async def shown_often(r: Room) -> Message:
    """A result, and copies of it by every public way."""
    first = await r.result(post_picture(r))
    await r.turns_end()
    await said_nothing(r, "show", version="v1")
    await r.answer(r.discord.say(r.channel, r.anna, "undo", mention=True))
    await r.answer(r.discord.say(r.channel, r.anna, "history", mention=True))
    await r.answer(r.discord.say(r.channel, r.anna, "compare", reply_to=first))
    await r.turns_end()
    assert len(with_pictures(r.discord, r.channel)) >= 4
    return first


async def said_nothing(r: Room, command: str, **options: str) -> None:
    """Use a command that is answered in public."""
    before = len(r.discord.messages_of_bot(r.channel))
    r.discord.slash(r.channel, r.anna, command, **options)
    await r.discord.wait_for(lambda: len(r.discord.messages_of_bot(r.channel)) > before)


async def erase(r: Room) -> None:
    """Delete all data of anna, as far as the chat goes along."""
    asked = r.discord.slash(r.channel, r.anna, "privacy delete")
    await said(r, asked)
    assert asked.answer is not None
    await said(r, r.discord.press(asked.answer, english("button.forget_me"), r.anna))


async def test_every_message_with_a_picture_of_an_erased_user_is_deleted(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await shown_often(r)
        await erase(r)
        await r.discord.wait_for(lambda: not with_pictures(r.discord, r.channel))


@pytest.mark.parametrize(("how", "left"), [("everything", 0), ("one version", 1)])
async def test_what_could_not_be_deleted_is_deleted_after_a_restart(
    tmp_path: Path, how: str, left: int
) -> None:
    """After one version was erased, the copy of the other one is left."""
    async with loopback() as server:
        async with room(tmp_path, discord=server) as r:
            first = await shown_often(r)
            server.faults.server_error("DELETE", f"/{r.channel.id}/messages/", status=503, times=99)
            if how == "everything":
                await erase(r)
            else:
                await said(r, server.menu(first, r.anna, "Cancel or delete edit"))
            assert await r.store.messages.to_delete("discord")
        server.faults.clear()
        channel = next(iter(server.world.channels.values()))
        async with room(tmp_path, discord=server) as r:
            await server.wait_for(lambda: len(with_pictures(server, channel)) == left)


@asynccontextmanager
async def killed_before_recording(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """What the bot posts within is not recorded, as after a kill between the two; ends once that happened."""
    happened = asyncio.Event()

    async def killed(*_: object) -> None:
        happened.set()
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr("bot.discord_chat.own_messages.OwnMessages.record", killed)
        yield
        await happened.wait()


@pytest.mark.parametrize("words", ["history", "undo", "compare with v0"])
async def test_an_answer_that_a_kill_kept_from_being_recorded_goes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Some answers name no version by a button, and some are given again after the restart."""
    async with loopback() as server:
        async with room(tmp_path, discord=server) as r:
            channel = r.channel
            await r.result(post_picture(r))
            await r.turns_end()
            async with killed_before_recording(monkeypatch):
                await r.answer(r.discord.say(channel, r.anna, words, mention=True))
        server.world.nonces.clear()  # as if minutes had passed
        async with room(tmp_path, discord=server) as r:
            await erase(r)
            await server.wait_for(lambda: not with_pictures(server, channel))
            assert await r.store.messages.postings("discord") == ()


async def test_a_message_of_the_bot_that_shows_no_version_any_more_can_be_deleted(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        await r.turns_end()
        await r.store.delete_turn(turn_of(first))
        refused = await said(r, r.discord.menu(first, r.ben, "Cancel or delete edit"))
        assert refused == english("no_version_there")
        gone = await said(r, r.discord.menu(first, r.discord.world.owner, "Cancel or delete edit"))
        assert gone == english("message_deleted")
        assert first.id not in r.channel.messages


async def test_questions_and_news_with_a_users_words_go_too(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        which = await r.answer(r.discord.say(r.channel, r.anna, "make my secret hat red", mention=True))
        assert "secret" in text_of(which)
        result = await r.result(post_picture(r))
        words = "I want to undo my secret somehow"
        meant = await r.answer(r.discord.say(r.channel, r.anna, words, reply_to=result))
        assert "secret" in text_of(meant)
        cat = r.discord.say(r.channel, r.ben, "my cat", files={"cat.png": a_picture()})
        asked = r.discord.say(r.channel, r.anna, "make it my secret red", reply_to=cat, mention=True)
        question = await r.answer(asked)
        await r.answer(r.discord.say(r.channel, r.ben, "no", reply_to=question))
        await r.discord.wait_for(lambda: [m for m in r.discord.answers_to(asked) if m is not question])
        await r.turns_end()
        await erase(r)
        anna = (f"<@{r.anna.id}>", "secret")
        await r.discord.wait_for(
            lambda: (
                not [
                    message
                    for message in r.discord.messages_of_bot(r.channel)
                    if any(sign in text_of(message) for sign in anna)
                ]
            )
        )


async def test_a_session_is_deleted_with_its_messages_after_a_question(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await shown_often(r)
        asked = r.discord.slash(r.channel, r.anna, "session delete")
        assert "1 edit" in await said(r, asked)
        assert with_pictures(r.discord, r.channel)
        assert asked.answer is not None
        pressed = r.discord.press(asked.answer, english("button.delete_session"), r.anna)
        assert await said(r, pressed) == english("session_deleted", edits="1 edit")
        await r.discord.wait_for(lambda: not with_pictures(r.discord, r.channel))
        assert not await r.turns()


async def test_only_its_owner_deletes_a_session(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        asked = r.discord.slash(r.channel, r.ben, "session delete")
        assert await said(r, asked) == english("not_your_session")


@pytest.mark.parametrize(("code", "stays"), [(50035, False), (40060, True)])
async def test_what_discord_refused_is_not_looked_for_at_the_next_start(
    tmp_path: Path, code: int, stays: bool
) -> None:
    """Except where an attempt before, whose answer was lost, may have posted it."""
    async with room(tmp_path) as r:
        choice = ImageChoice("t1", "v1", "an image", "make it red")
        question = AskTarget(Words("which_image"), "make it red", (choice,))
        r.discord.faults.refuse("POST", "/messages", code, "no")
        send = partial(r.bot.get_partial_messageable(r.channel.id).send, "which?")
        with pytest.raises(discord.HTTPException):
            await r.bot.handler.own_messages.post(question, r.channel.id, r.anna.id, utcnow(), send)
        assert bool(await r.store.messages.postings("discord")) is stays


async def test_an_old_failure_and_many_messages_do_not_hide_what_a_kill_kept_from_being_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are looked for at one start. Nothing answers the slash command again."""
    monkeypatch.setattr("bot.discord_chat.unrecorded_messages.SCAN_MESSAGES", 20)
    behind_s, hour_ago = 0.0, time.time() - 3600
    async with loopback() as server:
        async with room(tmp_path, discord=server, clock=lambda: time.time() - behind_s) as r:
            channel = r.channel
            await r.result(post_picture(r))
            await r.turns_end()
            behind_s = 3600.0
            await r.store.messages.begin_posting(channel_key(channel.id), ["t1"])
            behind_s = 0.0
            first = time_snowflake(datetime.fromtimestamp(hour_ago + 1800, UTC))
            for number in range(first, first + 30):
                server.say(channel, r.anna, "hello", number=number)
            async with killed_before_recording(monkeypatch):
                await said_nothing(r, "show", version="v1")
            assert len(await r.store.messages.postings("discord")) == 2
        async with room(tmp_path, discord=server) as r:
            await erase(r)
            await server.wait_for(lambda: not with_pictures(server, channel))
            assert await r.store.messages.postings("discord") == ()
