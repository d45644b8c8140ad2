"""Who may not attach files in a channel gets no pictures there: edits are refused, the rest is private."""

from pathlib import Path

import pytest

from tests.bot.discord_chat.test_buttons import said
from tests.support.discord_gestures import opened
from tests.support.discord_room import Room, loopback, person, room
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import Channel, Message
from tests.support.english import english
from tests.support.fakes import a_picture

REFUSED = english("user_may_not_post")
FILES = {"a.png": a_picture()}


async def gallery(r: Room) -> tuple[Channel, Message]:
    """A channel in which anna may write and not attach files, and a result of ben's there."""
    channel = r.discord.open_channel("gallery", no_files=(r.anna,))
    asked = r.discord.say(channel, r.ben, "make it red", files=FILES, mention=True)
    first = await r.result(asked)
    await r.turns_end()
    return channel, first


def with_pictures(r: Room, channel: Channel) -> list[Message]:
    return [message for message in r.discord.messages_of_bot(channel) if message.uploads]


@pytest.mark.parametrize("words", ["make it darker", "again", "stronger"])
async def test_an_edit_in_words_is_refused_with_a_sentence(tmp_path: Path, words: str) -> None:
    async with room(tmp_path) as r:
        channel, first = await gallery(r)
        threads = r.discord.open_thread(first)
        for place, target in ((channel, {"reply_to": first}), (threads, {"mention": True})):
            answered = await r.answer(r.discord.say(place, r.anna, words, **target))
            assert text_of(answered) == REFUSED
        assert len(with_pictures(r, channel)) == 1


async def test_an_edit_by_command_menu_and_button_is_refused_too(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        channel, first = await gallery(r)
        form = await opened(r, r.discord.menu(first, r.anna, "Refine from here"))
        for asked in (
            r.discord.slash(channel, r.anna, "edit", instruction="red", image=a_picture()),
            r.discord.slash(channel, r.anna, "grid"),
            r.discord.press(first, "Retry", r.anna),
            r.discord.fill_in(form, words="darker"),
        ):
            assert await said(r, asked) == REFUSED


@pytest.mark.parametrize("words", ["show v1", "history", "compare", "back to v0"])
async def test_versions_are_shown_in_private(tmp_path: Path, words: str) -> None:
    async with room(tmp_path) as r:
        channel, first = await gallery(r)
        r.discord.say(channel, r.anna, words, reply_to=first)
        dm = r.discord.dm(r.anna)
        await r.discord.wait_for(lambda: with_pictures(r, dm))
        dm.denied.add("send_messages")
        answered = await r.answer(r.discord.say(channel, r.anna, words, reply_to=first))
        assert text_of(answered) == REFUSED
        assert with_pictures(r, channel) == [first]


async def test_the_right_is_asked_for_of_what_was_said_while_the_bot_was_away(tmp_path: Path) -> None:
    async with loopback() as server:
        anna, ben = person(server, "anna"), person(server, "ben")
        async with room(tmp_path, discord=server) as r:
            channel, first = await gallery(r)
        asked = server.say(channel, anna, "make it darker", reply_to=first)
        allowed = server.say(channel, ben, "make it blue", reply_to=first)
        async with room(tmp_path, discord=server) as r:
            assert text_of(await r.answer(asked)) == REFUSED
            await r.result(allowed)
