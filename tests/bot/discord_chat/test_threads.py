"""Threads for new pictures, where moderators choose them: the next versions go there."""

from pathlib import Path

from tests.bot.discord_chat.test_buttons import said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.bot.discord_chat.test_erasing import erase
from tests.bot.discord_chat.test_moderation import decided
from tests.support.discord_room import Room, results_in, room
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import Channel, Message
from tests.support.english import english


async def with_thread(r: Room, words: str = "make the ball red") -> tuple[Message, Channel]:
    """The first result of a new picture, and the thread on it."""
    said_ = await decided(r, "channel", do="a thread for each picture")
    assert said_ == english("decided.threads")
    first = await r.result(post_picture(r, words))
    thread = await r.discord.wait_for(lambda: r.discord.world.channels.get(first.id))
    await r.discord.wait_for(lambda: thread.members)
    await r.turns_end()
    return first, thread


async def in_thread(r: Room, thread: Channel, count: int) -> Message:
    """The result of that number in the thread."""
    found = await r.discord.wait_for(
        lambda: found if len(found := results_in(r.discord, thread)) >= count else None
    )
    return found[count - 1]


async def test_the_next_versions_go_to_a_thread_named_after_the_instruction(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first, thread = await with_thread(r)
        assert (thread.name, thread.members) == ("make the ball red", [r.anna])
        reply = r.discord.say(r.channel, r.anna, "now blue", reply_to=first)
        assert "v2 · [from v1" in text_of(await in_thread(r, thread, 1))
        there = english("queued_in_thread", version="v2", place=f"<#{thread.id}>")
        assert text_of(await r.answer(reply)) == there
        pressed = r.discord.press(first, "Retry", r.anna)
        assert "v3 · [from v0" in text_of(await in_thread(r, thread, 2))
        assert f"<#{thread.id}>" in await said(r, pressed)
        r.discord.say(thread, r.anna, "and warmer", mention=True)
        assert "v4 · [from v3" in text_of(await in_thread(r, thread, 3))
        assert results_in(r.discord, r.channel) == [first]


async def test_every_new_picture_gets_its_own_and_elsewhere_there_is_none(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await with_thread(r)
        second = await r.result(post_picture(r, "make it brighter"))
        thread = await r.discord.wait_for(lambda: r.discord.world.channels.get(second.id))
        assert thread.name == "make it brighter"
        assert await decided(r, "channel", do="no threads") == english("decided.no_threads")
        third = await r.result(post_picture(r, "make it warmer"))
        await r.turns_end()
        assert third.id not in r.discord.world.channels


async def test_without_the_permission_it_is_said_once_and_goes_on_in_the_channel(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await decided(r, "channel", do="a thread for each picture")
        r.channel.denied.add("create_public_threads")
        why = english("no_thread_permission", permission="Create Public Threads")
        first = await r.result(post_picture(r))
        await r.turns_end()
        await r.result(post_picture(r, "make it brighter"))
        await r.turns_end()
        assert [text_of(m) for m in r.discord.messages_of_bot(r.channel)].count(why) == 1
        reply = r.discord.say(r.channel, r.anna, "now blue", reply_to=first)
        assert "v2 · [from v1 ↗]" in text_of(await r.result(reply))


async def test_a_thread_that_is_deleted_is_forgotten(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first, thread = await with_thread(r)
        r.discord.delete_thread(thread)
        reply = r.discord.say(r.channel, r.anna, "now blue", reply_to=first)
        assert "v2 · [from v1 ↗]" in text_of(await r.result(reply))


async def test_erased_words_are_taken_off_the_name_of_the_thread(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        _, thread = await with_thread(r, "make the ball secretly red")
        await erase(r)
        await r.discord.wait_for(lambda: thread.name == "…")
