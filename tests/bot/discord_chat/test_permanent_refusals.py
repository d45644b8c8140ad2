"""What Discord will never take: the user is told, the turn ends, and nothing is sent again and again."""

from pathlib import Path

import pytest

from conversations.turn import TurnState
from tests.bot.discord_chat.test_buttons import said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.bot.discord_chat.test_moderation import decided
from tests.support.discord_room import NO_CARDS, Room, room
from tests.support.discord_server.people import text_of
from tests.support.english import english

REASONS = {20009: "discord_found_explicit", 240000: "discord_blocked_words", 50035: "discord_refused"}


def uploads(r: Room) -> int:
    """How often a result was sent."""
    bodies = [request.body for request in r.discord.requests if request.method == "POST"]
    return sum(isinstance(body, dict) and "-done" in str(body.get("nonce")) for body in bodies)


@pytest.mark.parametrize("code", REASONS)
async def test_a_refused_result_is_told_on_its_card_and_not_counted(tmp_path: Path, code: int) -> None:
    async with room(tmp_path, pacing=NO_CARDS) as r:
        await decided(r, "limits", per_day=1)
        r.discord.faults.refuse("POST", "/messages$", code, "no", times=99, said="-done")
        asked = post_picture(r)
        await r.answer(asked)
        await r.turns_end()
        card = r.discord.messages_of_bot(r.channel)[-1]
        assert english(REASONS[code]) in text_of(card)
        assert uploads(r) == 1
        assert {turn.state for turn in await r.turns()} == {TurnState.DONE, TurnState.FAILED}
        (failed,) = await r.turns(TurnState.FAILED)
        assert failed.image is None
        again = r.discord.say(r.channel, r.anna, "make it blue", reply_to=asked, mention=True)
        await r.discord.wait_for(lambda: r.discord.answers_to(again))
        assert "make it blue" in [turn.instruction for turn in await r.turns()]


async def test_words_that_discord_refuses_are_left_out_of_what_is_said(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        for nonce in ("-done", "-failed", "-card"):
            r.discord.faults.refuse("POST", "/messages$", 240000, "no", times=99, said=nonce)
        asked = post_picture(r)
        await r.answer(asked)
        await r.turns_end()
        (told,) = r.discord.answers_to(asked)
        assert text_of(told) == english("discord_blocked_words")
        assert not await r.turns(TurnState.WAITING, TurnState.RUNNING, TurnState.DELIVERING)


@pytest.mark.parametrize("code", [50083, 160005])
async def test_the_result_of_a_closed_thread_comes_by_dm(tmp_path: Path, code: int) -> None:
    async with room(tmp_path) as r:
        r.discord.faults.refuse("POST", f"/{r.channel.id}/messages$", code, "closed", times=99)
        post_picture(r)
        dm = r.discord.dm(r.anna)
        await r.discord.wait_for(lambda: [m for m in r.discord.messages_of_bot(dm) if "### ✅" in text_of(m)])
        await r.turns_end()
        why = english("thread_closed", place=f"<#{r.channel.id}>")
        assert why in [text_of(message) for message in r.discord.messages_of_bot(dm)]
        assert {turn.state for turn in await r.turns()} == {TurnState.DONE}


async def test_an_answer_that_discord_refuses_is_told_to_the_user(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        r.discord.faults.refuse("PATCH", "/webhooks/", 50035, "no")
        told = await said(r, r.discord.slash(r.channel, r.anna, "session history"))
        assert told == english("unexpected")
