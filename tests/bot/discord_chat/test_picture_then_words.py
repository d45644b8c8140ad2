"""A picture first and words next, or the other way round."""

from pathlib import Path

import pytest

from tests.support.discord_gestures import OTHER, is_about_the_other
from tests.support.discord_room import results_in, room
from tests.support.discord_server.people import text_of
from tests.support.english import english
from tests.support.fakes import a_picture


@pytest.mark.parametrize("mention", [False, True])
async def test_words_find_the_picture_that_was_posted_a_moment_before(tmp_path: Path, mention: bool) -> None:
    async with room(tmp_path, reads_all=True) as r:
        r.discord.say(r.channel, r.anna, files={"a.png": OTHER})
        await r.result(r.discord.say(r.channel, r.anna, "make it red", mention=mention))
        assert await is_about_the_other(r, "make it red")


@pytest.mark.parametrize("words", ["", "this one"])
async def test_the_picture_after_the_question_takes_its_words(tmp_path: Path, words: str) -> None:
    async with room(tmp_path) as r:
        question = await r.answer(r.discord.say(r.channel, r.anna, "make it red", mention=True))
        assert english("which_picture") in text_of(question)
        r.discord.say(r.channel, r.anna, words, files={"a.png": OTHER}, reply_to=question)
        await r.discord.wait_for(lambda: results_in(r.discord, r.channel))
        assert await is_about_the_other(r, "make it red")
        ready = await r.answer(r.discord.say(r.channel, r.anna, words, files={"b.png": OTHER}, mention=True))
        assert english("picture_ready", version="v0") in text_of(ready)


async def test_with_the_intent_any_next_picture_takes_the_words(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        elsewhere = r.discord.open_channel("talk")
        await r.answer(r.discord.say(elsewhere, r.anna, "make it red", mention=True))
        r.discord.say(elsewhere, r.ben, files={"b.png": a_picture()})
        await r.result(r.discord.say(elsewhere, r.anna, files={"a.png": OTHER}))
        assert await is_about_the_other(r, "make it red")


async def test_words_of_its_own_beat_those_of_the_question(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.answer(r.discord.say(r.channel, r.anna, "make it red", mention=True))
        await r.result(r.discord.say(r.channel, r.anna, "make it blue", files={"a.png": OTHER}, mention=True))
        assert [turn.instruction for turn in await r.turns()] == ["", "make it blue"]
