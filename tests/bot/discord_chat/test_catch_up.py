"""What was said while the bot was away: where it is looked for, and how much of it is answered."""

from pathlib import Path

import discord
import pytest

from bot.discord_chat.ids import CHAT
from bot.discord_chat.inbound.catch_up import FRESH
from conversations.store.session_store import SessionStore
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import loopback, person, room
from tests.support.discord_server.world import FORUM, VOICE, Message
from tests.support.fakes import a_picture

FILES = {"a.png": a_picture()}


@pytest.mark.parametrize("place", ["voice", "forum", "thread"])
async def test_every_kind_of_channel_is_caught_up(tmp_path: Path, place: str) -> None:
    async with loopback() as server:
        async with room(tmp_path, discord=server) as r:
            first = await r.result(post_picture(r))
        anna = person(server, "anna")
        if place == "forum":
            forum = server.world.add_channel("show", kind=FORUM)
            asked = server.open_post(forum, anna, "make it blue", files=FILES, mention=True)
        else:
            channel = server.open_thread(first) if place == "thread" else server.open_channel("lounge", VOICE)
            asked = server.say(channel, anna, "make it blue", files=FILES, mention=True)
        async with room(tmp_path, discord=server) as r:
            await r.result(asked)


async def test_of_old_messages_only_the_newest_of_each_user_is_answered(tmp_path: Path) -> None:
    async with loopback() as server:
        async with room(tmp_path, discord=server) as r:
            await r.result(post_picture(r))
        channel, people = next(iter(server.world.channels.values())), ("anna", "ben")
        long_ago = discord.utils.time_snowflake(discord.utils.utcnow() - 3 * FRESH)

        def said_long_ago(name: str, number: int) -> Message:
            words = f"make it {number}"
            at = long_ago + number
            return server.say(channel, person(server, name), words, files=FILES, mention=True, number=at)

        old = {name: [said_long_ago(name, 2 * n + len(name)) for n in range(3)] for name in people}
        await set_back(tmp_path, long_ago)
        fresh = server.say(channel, person(server, "anna"), "make it blue", files=FILES, mention=True)
        async with room(tmp_path, discord=server) as r:
            await r.result(fresh)
            await r.result(old["ben"][-1])
            await r.turns_end()
            answered = [message for name in people for message in old[name] if server.answers_to(message)]
        assert answered == [old["ben"][-1]]  # anna's newest is the fresh one


async def set_back(folder: Path, newest: int) -> None:
    """The bot read its chat for the last time a minute before `newest` was posted."""
    async with SessionStore.open(folder / "conversations.db") as store:
        await store.chats.set_newest_message(CHAT, newest - (60_000 << 22))


async def test_a_result_is_found_again_however_much_was_said_since_the_request(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        long_ago = discord.utils.time_snowflake(discord.utils.utcnow() - FRESH)
        asked = r.discord.say(r.channel, r.anna, "red", files=FILES, mention=True, number=long_ago)
        await r.result(asked)
        await r.turns_end()
        for number in range(1, 1101):
            r.channel.messages[long_ago + number] = Message(long_ago + number, r.channel, r.ben, "chat")
        (turn,) = [turn for turn in await r.turns() if turn.number == 1]
        assert await r.bot.chat.already_delivered(turn) == turn.delivered
