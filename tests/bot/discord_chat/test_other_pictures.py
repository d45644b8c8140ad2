"""The last instruction for another picture on Discord, and forwarded results."""

from pathlib import Path

import pytest

from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_gestures import OTHER
from tests.support.discord_room import Room, results_in, room, turn_of
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import Channel, Message
from tests.support.english import english

RED = "**Instruction:** make the ball red"


def place(r: Room, door: str) -> Channel:
    return r.discord.dm(r.anna) if door == "dm" else r.channel


def post_in(r: Room, channel: Channel, mention: bool) -> Message:
    files = {"a.png": OTHER}
    return r.discord.say(channel, r.anna, "make the ball red", files=files, mention=mention)


@pytest.mark.parametrize("door", ["mention", "dm", "plain message"])
async def test_same_for_this_one_edits_the_picture_beside_it(tmp_path: Path, door: str) -> None:
    async with room(tmp_path, reads_all=door == "plain message") as r:
        channel, mention = place(r, door), door == "mention"
        await r.result(post_in(r, channel, mention))
        again = r.discord.say(channel, r.anna, "same for this one", files={"b.png": OTHER}, mention=mention)
        assert RED in text_of(await r.result(again))
        sessions = {turn.session_id for turn in await r.turns()}
        assert len(sessions) == 2


@pytest.mark.parametrize("who", ["anna", "ben"])
async def test_the_same_in_reply_to_a_version_is_what_was_asked_for_that_one(
    tmp_path: Path, who: str
) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        await r.result(r.discord.say(r.channel, r.anna, "now blue", reply_to=first))
        user = r.anna if who == "anna" else r.ben
        files = {"b.png": OTHER}
        asked = r.discord.say(r.channel, user, "same for mine please", files=files, reply_to=first)
        assert RED in text_of(await r.result(asked))


async def test_this_one_too_in_reply_to_an_own_picture_edits_that(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        shared = r.discord.say(r.channel, r.anna, "look", files={"b.png": OTHER})
        asked = r.discord.say(
            r.channel, r.anna, "now this one too", reply_to=shared, mention=True, ping=False
        )
        assert RED in text_of(await r.result(asked))


@pytest.mark.parametrize("words", ["oops wrong picture", "ups, falsches Bild", "perdón, foto equivocada"])
async def test_after_the_wrong_picture_the_right_one_is_edited(tmp_path: Path, words: str) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        question = await r.answer(r.discord.say(r.channel, r.anna, words, mention=True))
        assert english("which_picture") in text_of(question)
        assert "make the ball red" in text_of(question)
        r.discord.say(r.channel, r.anna, files={"b.png": OTHER}, mention=True)
        await r.discord.wait_for(lambda: len(results_in(r.discord, r.channel)) == 2)
        assert RED in text_of(results_in(r.discord, r.channel)[-1])


async def test_undo_and_an_instruction_in_one_reply(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        asked = r.discord.say(r.channel, r.anna, "undo that and make it blue", reply_to=first)
        result = await r.result(asked)
        by_id = {turn.id: turn for turn in await r.turns()}
        assert by_id[turn_of(result)].parent_id == by_id[turn_of(first)].parent_id
        assert "**Instruction:** make it blue" in text_of(result)


async def test_a_forwarded_result_brings_its_new_picture(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        dm = r.discord.dm(r.anna)
        ready = await r.answer(r.discord.forward(first, dm, r.anna))
        assert english("picture_ready", version="v0") in text_of(ready)
        await r.result(r.discord.say(dm, r.anna, "now green"))
        made = {turn.instruction: turn for turn in await r.turns()}
        forwarded = (await r.store.session(made["now green"].session_id)).root
        assert forwarded.image == made["make the ball red"].image
