"""Owners of pictures are asked once, wherever they can be reached, and answer by button or in words."""

from pathlib import Path

import pytest

from tests.bot.discord_chat.test_whose_picture import question_about_bens_cat
from tests.support.bot_process import bot_process
from tests.support.discord_gestures import opened, press
from tests.support.discord_room import Room, loopback, person, results_in, room
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import Channel, Message, Person
from tests.support.english import english
from tests.support.fakes import a_picture

FIRST_START_S = 60.0


def cat_of_ben(r: Room, channel: Channel | None = None) -> Message:
    return r.discord.say(channel or r.channel, r.ben, "my cat", files={"cat.png": a_picture()})


async def edit_by_menu(r: Room, message: Message, user: Person) -> str:
    """What the user is told who chooses to edit the picture of a message."""
    form = await opened(r, r.discord.menu(message, user, "Edit this image"))
    asked = r.discord.fill_in(form, words="make it red")
    return await r.discord.wait_for(
        lambda: text if (a := asked.answer) and (text := text_of(a)) != english("asking_owner") else ""
    )


def questions(discord: DiscordServer, channel: Channel) -> list[Message]:
    return [m for m in discord.messages_of_bot(channel) if "edit your picture?" in text_of(m)]


@pytest.mark.parametrize("words", ["yes", "Ja, klar!", "sí", "👍"])
async def test_yes_in_reply_to_the_question_allows_the_edit(tmp_path: Path, words: str) -> None:
    async with room(tmp_path) as r:
        question = await question_about_bens_cat(r)
        answered = await r.answer(r.discord.say(r.channel, r.ben, words, reply_to=question))
        assert text_of(answered) == english("consent_once")
        await r.discord.wait_for(lambda: results_in(r.discord, r.channel))
        await r.discord.wait_for(lambda: not questions(r.discord, r.channel))


async def test_no_in_reply_is_told_to_who_asked_who_then_has_to_wait(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        cat = cat_of_ben(r)
        asked = r.discord.say(r.channel, r.anna, "make it red", reply_to=cat, mention=True)
        question = await r.answer(asked)
        await r.answer(r.discord.say(r.channel, r.ben, "nein danke", reply_to=question))
        (denied,) = await r.discord.wait_for(lambda: r.discord.answers_to(asked))
        wait = "7 days"
        assert text_of(denied) == english("consent_denied", person=f"<@{r.anna.id}>", wait=wait)
        refused = await question_about_bens_cat(r)
        assert text_of(refused) == english("consent_paused", wait=wait)


async def test_six_requests_at_every_door_are_one_question(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await question_about_bens_cat(r)
        for _ in range(2):
            await question_about_bens_cat(r)
            assert await edit_by_menu(r, cat_of_ben(r), r.anna) == english("consent_waiting")
        assert len(questions(r.discord, r.channel)) == 1


async def test_words_in_reply_that_are_no_answer_paint_nothing(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        question = await question_about_bens_cat(r)
        for user, words, code in ((r.ben, "only make it blue", "consent_how"), (r.anna, "yes", "")):
            answered = await r.answer(r.discord.say(r.channel, user, words, reply_to=question))
            expected = english(code) if code else english("consent_not_yours")
            assert text_of(answered) == expected
        assert not results_in(r.discord, r.channel)
        assert questions(r.discord, r.channel)


async def test_where_the_bot_may_not_write_the_owner_is_asked_in_private(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        cat = cat_of_ben(r)
        r.channel.denied.add("send_messages")
        assert await edit_by_menu(r, cat, r.anna) == english("question_posted")
        (question,) = questions(r.discord, r.discord.dm(r.ben))
        r.channel.denied.clear()
        r.discord.say(r.discord.dm(r.ben), r.ben, "yes")
        await r.discord.wait_for(lambda: results_in(r.discord, r.channel))
        assert question.id not in r.discord.dm(r.ben).messages


@pytest.mark.parametrize("hides_apps", [False, True])
async def test_a_visitors_owner_is_asked_in_place_or_in_private(tmp_path: Path, hides_apps: bool) -> None:
    async with room(tmp_path) as r:
        away = r.discord.world.add_channel("away", foreign=True)
        away.hides_apps = hides_apps
        assert await edit_by_menu(r, cat_of_ben(r, away), r.anna) == english("question_posted")
        where = r.discord.dm(r.ben) if hides_apps else away
        (question,) = questions(r.discord, where)
        assert text_of(await press(r, question, "Allow once", r.ben)) == english("consent_once")
        await r.turns_end()
        assert len(await r.turns()) == 2


async def test_who_can_be_asked_nowhere_is_not_asked_and_this_is_said(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        away = r.discord.world.add_channel("away", foreign=True)
        away.hides_apps = True
        r.discord.dm(r.ben).denied.add("send_messages")
        refused = await edit_by_menu(r, cat_of_ben(r, away), r.anna)
        assert refused == english("consent_unreachable")


async def test_killed_before_it_is_known_to_be_posted_the_question_is_there_once(tmp_path: Path) -> None:
    async with loopback() as discord:
        channel, anna, ben = discord.world.add_channel("c"), person(discord, "anna"), person(discord, "ben")
        async with bot_process(tmp_path, discord, "marking") as bot:
            await discord.wait_for(lambda: discord.gateway.connected, FIRST_START_S)
            discord.faults.silence("POST", f"/channels/{channel.id}/messages")
            cat = discord.say(channel, ben, "my cat", files={"cat.png": a_picture()})
            discord.say(channel, anna, "make it red", reply_to=cat, mention=True)
            await discord.wait_for(lambda: questions(discord, channel))
            await bot.kill()
        discord.faults.clear()
        discord.world.nonces.clear()
        async with bot_process(tmp_path, discord, "marking") as bot:
            before = discord.gateway.identifies
            await discord.wait_for(lambda: discord.gateway.identifies > before, FIRST_START_S)
            (question,) = questions(discord, channel)
            discord.say(channel, ben, "yes", reply_to=question)
            await discord.wait_for(lambda: results_in(discord, channel))
            await bot.stop()
        assert len(results_in(discord, channel)) == 1
