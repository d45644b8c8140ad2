"""The bot deletes only messages that it wrote itself, whatever it may do in the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.discord_chat.ids import MessagePlace
from tests.bot.discord_chat.test_buttons import next_result, said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.bot.discord_chat.test_moderation import closed, moderators
from tests.support.discord_gestures import opened, seen
from tests.support.discord_room import Room, loopback, results_in, room
from tests.support.discord_server.interactions import Interaction
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import Message, Person
from tests.support.english import english
from tests.support.fakes import a_busy_picture

HANDLERS = ("CommandTree-", "discord-ui-", "discord.py: on_interaction")  # names of discord.py's tasks
with_power = pytest.mark.parametrize("granted", ["manage_messages", "administrator"])


@asynccontextmanager
async def powerful_room(folder: Path, granted: str) -> AsyncIterator[Room]:
    """A room whose bot may delete what anybody wrote."""
    async with loopback() as discord:
        discord.world.granted.add(granted)
        async with room(folder, discord=discord) as made:
            yield made


def a_webhook(r: Room) -> Person:
    return r.discord.world.add_webhook("camera")


async def posts_of_others(r: Room) -> list[Message]:
    """Pictures that a webhook, another bot, a member and Anna herself posted; Anna may edit them all."""
    consent = r.discord.slash(r.channel, r.ben, "privacy consent", who="everybody")
    assert await said(r, consent) == english("consent_everybody")
    authors = (a_webhook(r), r.discord.world.add_person("painter", bot=True), r.ben, r.anna)
    return [post_by(r, author) for author in authors]


def post_by(r: Room, author: Person) -> Message:
    return r.discord.say(r.channel, author, "look", files={"a.png": a_busy_picture()})


def are_there(r: Room, posts: list[Message]) -> bool:
    return r.channel.messages.keys() >= {post.id for post in posts}


async def upload_card(r: Room, post: Message) -> Message:
    """The bot's card of v0, which is the picture of that message."""
    card = await r.answer(r.discord.say(r.channel, r.anna, reply_to=post, mention=True))
    assert english("picture_ready", version="v0") in text_of(card)
    return card


async def finished(r: Room, asked: Interaction) -> str:
    """The answer to a gesture, once the bot has done everything it does for it."""
    answer = await said(r, asked)
    handlers = [task for task in asyncio.all_tasks() if task.get_name().startswith(HANDLERS)]
    await asyncio.gather(*handlers)
    return answer


# -- the ways to delete -------------------------------------------------------------------------------------


@with_power
async def test_erasing_ones_data_keeps_the_messages_the_pictures_came_from(
    tmp_path: Path, granted: str
) -> None:
    async with powerful_room(tmp_path, granted) as r:
        posts = await posts_of_others(r)
        for count, post in enumerate(posts, 1):
            form = await opened(r, r.discord.menu(post, r.anna, "Edit this image"))
            r.discord.fill_in(form, words="make it red")
            await next_result(r, count)
        await r.turns_end()
        question = await seen(r, r.discord.slash(r.channel, r.anna, "privacy delete"))
        await finished(r, r.discord.press(question, "Delete all my data", r.anna))
        assert await r.turns() == ()
        assert results_in(r.discord, r.channel) == []
        assert are_there(r, posts)


@with_power
async def test_deleting_an_upload_from_the_menu_keeps_the_message_it_came_from(
    tmp_path: Path, granted: str
) -> None:
    async with powerful_room(tmp_path, granted) as r:
        posts = await posts_of_others(r)
        for post in posts:
            menu = r.discord.menu(await upload_card(r, post), r.anna, "Cancel or delete edit")
            assert await finished(r, menu) == english("deleted", version="v0")
        assert are_there(r, posts)


@with_power
async def test_a_moderator_who_removes_an_upload_keeps_the_message_it_came_from(
    tmp_path: Path, granted: str
) -> None:
    async with powerful_room(tmp_path, granted) as r:
        posts, channel = await posts_of_others(r), await moderators(r)
        for button, post in zip(("Remove", "Remove", "Remove", "Remove and block image"), posts, strict=True):
            form = await opened(r, r.discord.menu(await upload_card(r, post), r.anna, "Report edit"))
            assert await said(r, r.discord.fill_in(form)) == english("reported_here")
            report = r.discord.messages_of_bot(channel)[-1]
            assert f"/{post.id})" in text_of(report)  # it still links to where the picture is
            await closed(r, report, button)
        assert are_there(r, posts)


async def test_a_reply_to_the_original_message_still_means_v0(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        post = post_by(r, a_webhook(r))
        await upload_card(r, post)
        await r.result(r.discord.say(r.channel, r.anna, "now red", reply_to=post, mention=True))
        assert [turn.label for turn in await r.turns()] == ["v0", "v1"]
        upload = (await r.turns())[0]
        assert (upload.delivered, upload.origin_message) == (None, str(_place(post)))


# -- every message that shows a version ---------------------------------------------------------------------


async def copies_of(r: Room, result: Message) -> list[Message]:
    """The result of v1, its copy by `/show`, undo as a reply, and the history and question that list it."""
    r.discord.slash(r.channel, r.anna, "show", version="v1")
    for words in ("back to v1", "history"):
        await r.answer(r.discord.say(r.channel, r.anna, words, mention=True))
    await r.answer(r.discord.say(r.channel, r.ben, "make it blue", mention=True))
    await r.discord.wait_for(lambda: len(shows_v1(r)) == 5)
    assert result in shows_v1(r)
    return shows_v1(r)


def shows_v1(r: Room) -> list[Message]:
    return [message for message in r.discord.messages_of_bot(r.channel) if "v1" in text_of(message)]


async def test_deleting_a_version_deletes_every_message_that_shows_it(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        upload = await upload_card(r, post_by(r, r.anna))
        result = await r.result(
            r.discord.say(r.channel, r.anna, "make it red", reply_to=upload, mention=True)
        )
        await r.turns_end()
        await copies_of(r, result)
        await finished(r, r.discord.menu(result, r.anna, "Cancel or delete edit"))
        assert r.discord.messages_of_bot(r.channel) == [upload]


async def test_erasing_ones_data_deletes_copies_and_reports_of_an_earlier_run(tmp_path: Path) -> None:
    async with loopback() as discord:
        async with room(tmp_path, discord=discord) as r:
            channel = await moderators(r)
            upload = await upload_card(r, post_by(r, r.anna))
            asked = r.discord.say(r.channel, r.anna, "make it red", reply_to=upload, mention=True)
            result = await r.result(asked)
            await r.turns_end()
            await copies_of(r, result)
            form = await opened(r, r.discord.menu(result, r.ben, "Report edit"))
            assert await said(r, r.discord.fill_in(form)) == english("reported_here")
        async with room(tmp_path, discord=discord) as r:
            question = await seen(r, r.discord.slash(r.channel, r.anna, "privacy delete"))
            await finished(r, r.discord.press(question, "Delete all my data", r.anna))
            assert r.discord.messages_of_bot(r.channel) == r.discord.messages_of_bot(channel) == []


async def test_a_moderator_who_removes_a_version_removes_its_copies_and_closes_the_report(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as r:
        channel = await moderators(r)
        result = await r.result(post_picture(r))
        await r.turns_end()
        await copies_of(r, result)
        form = await opened(r, r.discord.menu(result, r.ben, "Report edit"))
        assert await said(r, r.discord.fill_in(form)) == english("reported_here")
        [report] = r.discord.messages_of_bot(channel)
        await closed(r, report, "Remove")
        await r.discord.wait_for(lambda: not shows_v1(r))
        assert r.discord.messages_of_bot(channel) == [report]


async def test_a_reply_to_a_copy_means_the_version_in_it(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        await r.turns_end()
        r.discord.slash(r.channel, r.anna, "show", version="v1")
        copy = await r.discord.wait_for(lambda: shows_v1(r)[1:])
        reply = r.discord.say(r.channel, r.ben, "make it blue", reply_to=copy[0], mention=True)
        await r.answer(reply)
        key = str(_place(copy[0]))
        found = await r.store.find_by_message(key)
        assert found is not None
        assert found.label == "v1"


# -- where messages are deleted -----------------------------------------------------------------------------


@with_power
async def test_the_key_of_another_users_message_deletes_nothing(tmp_path: Path, granted: str) -> None:
    async with powerful_room(tmp_path, granted) as r:
        posts = await posts_of_others(r)
        await r.bot.handler.own_messages.delete([str(_place(post)) for post in posts])
        assert are_there(r, posts)


async def test_messages_of_an_earlier_run_and_answers_to_interactions_are_own(
    tmp_path: Path,
) -> None:
    async with loopback() as discord:
        async with room(tmp_path, discord=discord) as r:
            result = await r.result(post_picture(r))
            await r.turns_end()
        async with room(tmp_path, discord=discord) as r:
            answer = r.discord.say(r.channel, discord.world.bot, "an answer")
            answer.webhook_id = discord.world.application_id
            await r.bot.handler.own_messages.delete([str(_place(message)) for message in (result, answer)])
            assert r.discord.messages_of_bot(r.channel) == []


async def test_what_cannot_be_looked_at_is_kept(tmp_path: Path) -> None:
    async with powerful_room(tmp_path, "manage_messages") as r:
        post = post_by(r, a_webhook(r))
        r.channel.denied.add("read_message_history")
        await r.bot.handler.own_messages.delete([str(_place(post))])
        assert post.id in r.channel.messages


async def test_a_result_can_be_deleted_where_the_bot_may_not_read_the_history(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        r.channel.denied.add("read_message_history")
        post_picture(r)
        result = await next_result(r, 1)
        await r.turns_end()
        await finished(r, r.discord.menu(result, r.anna, "Cancel or delete edit"))
        assert r.discord.messages_of_bot(r.channel) == []


async def test_a_message_that_is_gone_does_not_keep_the_others(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result = await r.result(post_picture(r))
        await r.turns_end()
        gone = MessagePlace(r.channel.id, result.id + 1)
        await r.bot.handler.own_messages.delete([str(gone), str(_place(result))])
        assert r.discord.messages_of_bot(r.channel) == []


def _place(message: Message) -> MessagePlace:
    return MessagePlace(message.channel.id, message.id)
