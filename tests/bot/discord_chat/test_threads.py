"""Threads for new pictures, where moderators choose them: the next versions go there."""

from pathlib import Path

from tests.bot.discord_chat.test_buttons import next_result, said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.bot.discord_chat.test_erasing import erase
from tests.bot.discord_chat.test_moderation import decided
from tests.support.discord_gestures import seen
from tests.support.discord_room import Room, loopback, results_in, room
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import Channel, Message
from tests.support.english import english
from tests.support.fakes import ScriptedEditor, a_picture


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


async def test_a_thread_that_is_deleted_during_an_edit_gives_the_result_to_the_channel(
    tmp_path: Path,
) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        await decided(r, "channel", do="a thread for each picture")
        first = await r.result_of(editor, post_picture(r))
        thread = await r.discord.wait_for(lambda: r.discord.world.channels.get(first.id))
        r.discord.say(r.channel, r.anna, "now blue", reply_to=first)
        edit = await editor.started()
        r.discord.delete_thread(thread)
        edit.finish()
        assert "v2 · [from v1 ↗]" in text_of(await next_result(r, 2))


async def test_a_thread_that_is_deleted_while_the_bot_is_away_is_forgotten(tmp_path: Path) -> None:
    async with loopback() as discord:
        async with room(tmp_path, discord=discord) as r:
            first, thread = await with_thread(r)
        discord.delete_thread(thread)
        async with room(tmp_path, discord=discord) as r:
            discord.say(r.channel, r.anna, "now blue", reply_to=first)
            assert "v2 · [from v1 ↗]" in text_of(await next_result(r, 2))
            again = discord.say(r.channel, r.anna, "and warmer", reply_to=first)
            assert "v3 · [from v1 ↗]" in text_of(await r.result(again))


async def test_no_thread_is_opened_in_which_the_bot_may_not_write(tmp_path: Path) -> None:
    async with loopback() as discord:
        channel = discord.world.add_channel("pictures")
        channel.denied.add("send_messages_in_threads")
        async with room(tmp_path, discord=discord) as r:
            await decided(r, "channel", do="a thread for each picture")
            first = await r.result(post_picture(r))
            await r.turns_end()
            assert first.id not in discord.world.channels
            why = english("no_thread_permission", permission="Send Messages in Threads")
            assert why in [text_of(m) for m in discord.messages_of_bot(channel)]


async def test_four_results_open_a_thread_and_what_is_picked_goes_there(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await decided(r, "channel", do="a thread for each picture")
        asked = r.discord.slash(
            r.channel, r.anna, "edit", instruction="make it dusk", results=4, image=a_picture()
        )
        await seen(r, asked)
        sheet = await next_result(r, 1)
        thread = await r.discord.wait_for(lambda: r.discord.world.channels.get(sheet.id))
        pressed = r.discord.press(sheet, "2", r.anna)
        assert "v2 · from v0" in text_of(await in_thread(r, thread, 1))
        assert f"/{thread.id}/" in await said(r, pressed)


async def test_erased_words_are_taken_off_the_name_of_the_thread(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        _, thread = await with_thread(r, "make the ball secretly red")
        await erase(r)
        await r.discord.wait_for(lambda: thread.name == "…")


async def test_completing_a_version_in_a_thread_fetches_no_message(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        thread = r.discord.open_thread(r.discord.say(r.channel, r.anna, "look at that"))
        await r.result(post_picture(r))
        typing = r.discord.autocomplete(thread, r.anna, "session goto", "version", "")
        assert await r.discord.wait_for(lambda: typing.choices)
        assert not [q for q in r.discord.requests if q.method == "GET" and "/messages/" in q.path]
