"""kill -9 at bad moments, with the real bot process: every turn is answered exactly once."""

from pathlib import Path

from tests.bot.discord_chat.test_conversation import post_picture
from tests.conversations.images.test_sandbox import BOMBS
from tests.support.bot_process import bot_process, colour_of, marks_on
from tests.support.discord_room import loopback, person, results_in, results_to, room
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.people import gallery_of, text_of
from tests.support.discord_server.world import Channel, Message
from tests.support.english import english
from tests.support.fakes import a_picture

FIRST_START_S = 60.0


async def result(discord: DiscordServer, asked: Message) -> Message:
    return (await discord.wait_for(lambda: results_to(discord, asked), FIRST_START_S))[0]


def after_picture(discord: DiscordServer, message: Message) -> bytes:
    return gallery_of(message, discord.world)[-1][0]


def cards(discord: DiscordServer, channel: Channel, mark: str) -> list[Message]:
    return [m for m in discord.messages_of_bot(channel) if f"### {mark}" in text_of(m)]


async def test_a_picture_by_mention_then_a_reply_the_second_made_from_the_first(tmp_path: Path) -> None:
    async with loopback() as discord, bot_process(tmp_path, discord, "marking"):
        channel, anna = discord.world.add_channel("pictures"), person(discord, "anna")
        await discord.wait_for(lambda: discord.gateway.connected, FIRST_START_S)
        asked = discord.say(channel, anna, "make the ball red", files={"b.png": a_picture()}, mention=True)
        first = await result(discord, asked)
        second = await result(discord, discord.say(channel, anna, "now blue", reply_to=first))
        assert len(results_in(discord, channel)) == 2
        red, blue = colour_of("make the ball red"), colour_of("now blue")
        assert marks_on(after_picture(discord, first), 1) == [red]
        assert marks_on(after_picture(discord, second), 2) == [red, blue]


async def test_killed_while_one_runs_and_two_wait_all_three_are_answered_once(tmp_path: Path) -> None:
    async with loopback() as discord:
        channel, anna = discord.world.add_channel("pictures"), person(discord, "anna")
        async with bot_process(tmp_path, discord, "stuck") as bot:
            await discord.wait_for(lambda: discord.gateway.connected, FIRST_START_S)
            first = discord.say(channel, anna, "make it red", files={"b.png": a_picture()}, mention=True)
            (running,) = await discord.wait_for(lambda: cards(discord, channel, "🎨"))
            others = [
                discord.say(channel, person(discord, "ben"), "make it blue", reply_to=first, mention=True),
                discord.say(channel, anna, "make it green", reply_to=running),
            ]
            await discord.wait_for(lambda: len(cards(discord, channel, "⏳")) == 2)
            await bot.kill()
        async with bot_process(tmp_path, discord, "marking") as bot:
            for asked in (first, *others):
                await result(discord, asked)
            assert await bot.stop() == 0
        assert [len(discord.answers_to(asked)) for asked in (first, *others)] == [1, 1, 1]
        assert len(discord.messages_of_bot(channel)) == 3


async def test_killed_after_the_card_went_out_but_before_that_was_known(tmp_path: Path) -> None:
    async with loopback() as discord:
        channel, anna = discord.world.add_channel("pictures"), person(discord, "anna")
        async with bot_process(tmp_path, discord, "stuck") as bot:
            await discord.wait_for(lambda: discord.gateway.connected, FIRST_START_S)
            posted = discord.faults.silence("POST", "/messages$", said="-card")
            asked = discord.say(channel, anna, "make it red", files={"b.png": a_picture()}, mention=True)
            await discord.wait_for(lambda: posted.met)
            await bot.kill()
        discord.world.nonces.clear()  # as if minutes had passed
        async with bot_process(tmp_path, discord, "marking") as bot:
            only = await result(discord, asked)
            assert await bot.stop() == 0
        assert discord.messages_of_bot(channel) == [only]


async def test_killed_after_the_result_went_out_but_before_that_was_known(tmp_path: Path) -> None:
    async with loopback() as discord:
        channel, anna = discord.world.add_channel("pictures"), person(discord, "anna")
        async with bot_process(tmp_path, discord, "marking") as bot:
            await discord.wait_for(lambda: discord.gateway.connected, FIRST_START_S)
            posted = discord.faults.silence("POST", "/messages$", said="-done")
            asked = discord.say(channel, anna, "make it red", files={"b.png": a_picture()}, mention=True)
            await discord.wait_for(lambda: posted.met)
            await bot.kill()
        discord.world.nonces.clear()  # as if minutes had passed
        async with bot_process(tmp_path, discord, "marking") as bot:
            await discord.wait_for(lambda: discord.gateway.identifies == 2, FIRST_START_S)
            again = discord.say(channel, anna, "now blue", reply_to=(await result(discord, asked)))
            await result(discord, again)
            assert await bot.stop() == 0
        assert len(discord.messages_of_bot(channel)) == 2


async def test_killed_while_the_picture_was_still_on_its_way(tmp_path: Path) -> None:
    async with loopback() as discord:
        channel, anna = discord.world.add_channel("pictures"), person(discord, "anna")
        async with bot_process(tmp_path, discord, "marking") as bot:
            await discord.wait_for(lambda: discord.gateway.connected, FIRST_START_S)
            discord.cdn_is_open.clear()
            asked = discord.say(channel, anna, "make it red", files={"b.png": a_picture()}, mention=True)
            await discord.wait_for(lambda: channel.typing)
            await bot.kill()
        discord.cdn_is_open.set()
        async with bot_process(tmp_path, discord, "marking") as bot:
            await result(discord, asked)
            assert await bot.stop() == 0


async def test_a_message_that_ends_the_bot_twice_is_answered_with_a_sentence_and_not_tried_again(
    tmp_path: Path,
) -> None:
    async with loopback() as discord:
        channel, anna = discord.world.add_channel("pictures"), person(discord, "anna")
        async with bot_process(tmp_path, discord, "marking") as bot:
            await discord.wait_for(lambda: discord.gateway.connected, FIRST_START_S)
            await result(
                discord, discord.say(channel, anna, "make it red", files={"b.png": a_picture()}, mention=True)
            )
            assert await bot.stop() == 0
        discord.cdn_is_open.clear()  # a bot that reads the picture is at it until it is killed
        asked = discord.say(channel, anna, "make it red", files={"b.png": a_picture()}, mention=True)
        for _ in range(2):
            channel.typing.clear()
            async with bot_process(tmp_path, discord, "marking") as bot:
                await discord.wait_for(lambda: channel.typing, FIRST_START_S)
                await bot.kill()
        for words in ("now blue", "now green"):
            later = discord.say(channel, anna, words, mention=True)  # the missed are heard oldest first
            async with bot_process(tmp_path, discord, "marking") as bot:
                await result(discord, later)
                (answer,) = discord.answers_to(asked)
                assert english("tried_twice") in text_of(answer)
                assert await bot.stop() == 0
        discord.cdn_is_open.set()


async def test_a_stop_does_not_wait_for_a_picture_that_takes_for_ever(tmp_path: Path) -> None:
    async with loopback() as discord, bot_process(tmp_path, discord, "marking") as bot:
        channel = discord.world.add_channel("pictures")
        await discord.wait_for(lambda: discord.gateway.connected, FIRST_START_S)
        bomb = BOMBS["bmp empty lines"]()  # costly to decode, but not to the server, which looks at its head
        for number in range(6):
            someone = person(discord, f"person-{number}")
            discord.say(channel, someone, "make it red", files={"b.bmp": bomb}, mention=True)
        await discord.wait_for(lambda: channel.typing, FIRST_START_S)
        assert await bot.stop() == 0


async def test_what_was_said_while_the_bot_was_away_is_answered(tmp_path: Path) -> None:
    async with loopback() as discord:
        channel, anna = discord.world.add_channel("pictures"), person(discord, "anna")
        dm = discord.dm(anna)
        async with bot_process(tmp_path, discord, "marking") as bot:
            await discord.wait_for(lambda: discord.gateway.connected, FIRST_START_S)
            await result(
                discord, discord.say(channel, anna, "make it red", files={"b.png": a_picture()}, mention=True)
            )
            await result(discord, discord.say(dm, anna, "make it blue", files={"b.png": a_picture()}))
            assert await bot.stop() == 0
        missed = [
            discord.say(channel, anna, "make it green", mention=True),
            discord.say(dm, anna, "now yellow"),
        ]
        discord.say(channel, anna, "just chatting")
        async with bot_process(tmp_path, discord, "marking") as bot:
            for asked in missed:
                await result(discord, asked)
            assert await bot.stop() == 0
        assert len(results_in(discord, channel)) == 2
        assert len(results_in(discord, dm)) == 2


async def test_what_was_answered_with_a_question_is_not_carried_out_after_a_restart(tmp_path: Path) -> None:
    async with loopback() as discord:
        async with room(tmp_path, discord=discord) as r:
            vague = discord.say(r.channel, r.anna, "make it darker", mention=True)
            assert english("which_picture") in text_of(await r.answer(vague))
            await r.result(post_picture(r))
            await r.turns_end()
        discord.world.nonces.clear()  # as if minutes had passed
        missed = discord.say(r.channel, r.anna, "now blue", mention=True)
        async with room(tmp_path, discord=discord) as r:
            await r.result(missed)  # the missed are heard oldest first
            await r.turns_end()
            assert len(discord.answers_to(vague)) == 1
            assert len(results_in(discord, r.channel)) == 2


async def test_a_refusal_is_not_given_again_after_a_restart(tmp_path: Path) -> None:
    async with loopback() as discord:
        async with room(tmp_path, discord=discord) as r:
            refused = discord.say(r.channel, r.anna, "red", files={"a.png": b"no picture"}, mention=True)
            await r.answer(refused)
        discord.world.nonces.clear()
        missed = discord.say(r.channel, r.anna, "red", files={"a.png": a_picture()}, mention=True)
        async with room(tmp_path, discord=discord) as r:
            await r.result(missed)
            assert len(discord.answers_to(refused)) == 1
