"""Messages that do not name the bot: replies with the @ off, edit channels, and the 💬 between them."""

from pathlib import Path

from bot.discord_chat.inbound.message_filter import QUESTION
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.asking_editor import AskingEditor
from tests.support.discord_room import Room, results_in, room
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import Message
from tests.support.english import english
from tests.support.fakes import a_picture


async def settled(r: Room) -> int:
    """How many results there are once something later was answered."""
    await r.result(r.discord.say(r.channel, r.anna, "and finally make it darker", mention=True))
    return len(results_in(r.discord, r.channel))


async def asked_about(r: Room, message: Message) -> None:
    await r.discord.wait_for(lambda: r.discord.world.bot in message.reactions.get(QUESTION, []))


async def test_a_reply_with_the_at_off_is_explained_once_a_day(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result = await r.result(post_picture(r))
        first = r.discord.say(r.channel, r.anna, "now blue", reply_to=result, ping=False)
        assert text_of(await r.answer(first)) == english("ping_off")
        second = r.discord.say(r.channel, r.anna, "now blue", reply_to=result, ping=False)
        assert await settled(r) == 2
        assert r.discord.answers_to(second) == []


async def test_with_the_intent_a_reply_needs_no_at(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        result = await r.result(post_picture(r))
        second = r.discord.say(r.channel, r.anna, "now blue", reply_to=result, ping=False)
        assert "v2 · [from v1" in text_of(await r.result(second))


async def test_in_an_edit_channel_plain_words_go_on_from_my_last_version(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        await r.result(post_picture(r))
        assert "v2 · [from v1" in text_of(await r.result(r.discord.say(r.channel, r.anna, "make it blue")))


async def test_without_the_intent_plain_words_are_left_alone(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        r.discord.say(r.channel, r.anna, "make it blue")
        assert await settled(r) == 2


async def test_in_other_channels_plain_words_are_left_alone(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        elsewhere = r.discord.world.add_channel("elsewhere")
        first = r.discord.say(elsewhere, r.anna, "red", files={"b.png": a_picture()}, mention=True)
        await r.result(first)
        r.discord.say(elsewhere, r.anna, "make it blue")
        await r.result(post_picture(r))
        assert len(results_in(r.discord, elsewhere)) == 1


async def test_chatter_never_becomes_an_edit(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        result = await r.result(post_picture(r))
        r.discord.say(r.channel, r.anna, "lol")
        r.discord.say(r.channel, r.anna, "// make it blue")
        r.discord.say(r.channel, r.anna, f"<@{r.ben.id}> make it blue")
        r.discord.say(r.channel, r.anna, "@everyone make it blue")
        r.discord.say(r.channel, r.ben, "make it blue")  # he has no picture here
        other = r.discord.say(r.channel, r.ben, "hello")
        r.discord.say(r.channel, r.anna, "make it blue", reply_to=other)
        assert await settled(r) == 2
        await r.turns_end()
        assert len(r.discord.messages_of_bot(r.channel)) == 2
        assert result.reactions == {}


async def test_on_doubt_it_asks_and_the_author_says_yes(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        await r.result(post_picture(r))
        doubtful = r.discord.say(r.channel, r.anna, "this but different")
        await asked_about(r, doubtful)
        r.discord.react(doubtful, r.ben, QUESTION)
        assert await settled(r) == 2
        r.discord.react(doubtful, r.anna, QUESTION)
        assert "this but different" in text_of(await r.result(doubtful))


async def test_a_reaction_the_bot_did_not_begin_means_nothing(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        await r.result(post_picture(r))
        laughter = r.discord.say(r.channel, r.anna, "haha")
        r.discord.react(laughter, r.anna, QUESTION)
        assert await settled(r) == 2


async def test_plain_yes_and_no_answer_the_question_of_the_bot_and_nothing_else(tmp_path: Path) -> None:
    async with room(tmp_path, AskingEditor(), reads_all=True) as r:
        early = r.discord.say(r.channel, r.anna, "yes")
        asked = r.discord.say(r.channel, r.anna, "maybe blue", files={"b.png": a_picture()}, mention=True)
        await r.answer(asked)
        await r.turns_end()
        others = r.discord.say(r.channel, r.ben, "yes")
        said_no = await r.answer(r.discord.say(r.channel, r.anna, "no"))
        assert text_of(said_no) == english("say_differently")
        result = await r.result(r.discord.say(r.channel, r.anna, "yes do it"))
        assert "The ball turns blue." in text_of(result)
        later = r.discord.say(r.channel, r.anna, "yes")
        assert await settled(r) == 2
        assert not any(r.discord.answers_to(message) for message in (early, others, later))


async def test_plain_words_pick_one_of_several_results_of_their_author_alone(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        await r.result(post_picture(r, "make it dusk, three versions please"))
        await r.turns_end()
        others = r.discord.say(r.channel, r.ben, "I'll take the second")
        picked = r.discord.say(r.channel, r.anna, "I'll take the second")
        await r.discord.wait_for(lambda: r.discord.answers_to(picked))
        await r.turns_end()
        assert [turn.parent_id is None for turn in await r.turns()].count(True) == 1
        assert [bool(turn.cells) for turn in await r.turns()] == [False, True, False]
        assert not r.discord.answers_to(others)
