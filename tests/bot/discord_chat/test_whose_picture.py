"""Who may edit whose picture, and who is asked, on Discord."""

from pathlib import Path

from tests.bot.discord_chat.test_buttons import next_result, said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_gestures import opened, press
from tests.support.discord_room import Room, room
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import Message
from tests.support.english import english
from tests.support.fakes import a_picture


async def question_about_bens_cat(r: Room) -> Message:
    cat = r.discord.say(r.channel, r.ben, "my cat", files={"cat.png": a_picture()})
    return await r.answer(r.discord.say(r.channel, r.anna, "make it red", reply_to=cat, mention=True))


async def test_the_owner_of_a_picture_is_asked_and_allows_it(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        question = await question_about_bens_cat(r)
        assert f"<@{r.ben.id}>, may <@{r.anna.id}> edit your picture?" in text_of(question)
        assert english("consent_not_yours") in text_of(await press(r, question, "Always"))
        assert english("consent_once") in text_of(await press(r, question, "Allow once", r.ben))
        result = await next_result(r, 1)
        assert f"<@{r.anna.id}>" in text_of(result)
        assert question.id not in r.channel.messages


async def test_who_allows_everybody_is_not_asked(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        allowed = r.discord.slash(r.channel, r.ben, "privacy consent", who="everybody")
        assert await said(r, allowed) == english("consent_everybody")
        cat = r.discord.say(r.channel, r.ben, "my cat", files={"cat.png": a_picture()})
        await r.result(r.discord.say(r.channel, r.anna, "make it red", reply_to=cat, mention=True))


async def test_a_locked_session_asks_its_owner_and_a_shared_one_does_not(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result = await r.result(post_picture(r))
        assert await said(r, r.discord.slash(r.channel, r.anna, "session lock")) == english("locked")
        question = await r.answer(r.discord.say(r.channel, r.ben, "now blue", reply_to=result))
        assert f"<@{r.anna.id}>, may <@{r.ben.id}>" in text_of(question)
        assert await said(r, r.discord.slash(r.channel, r.anna, "session share")) == english("shared")
        assert "v2" in text_of(await r.result(r.discord.say(r.channel, r.ben, "now blue", reply_to=result)))


async def test_a_question_from_a_form_is_put_to_the_channel(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        cat = r.discord.say(r.channel, r.ben, "my cat", files={"cat.png": a_picture()})
        form = await opened(r, r.discord.menu(cat, r.anna, "Edit this image"))
        assert await said(r, r.discord.fill_in(form, words="make it red")) == english("question_posted")
        (question,) = r.discord.messages_of_bot(r.channel)
        await press(r, question, "Allow once", r.ben)
        await next_result(r, 1)
