"""Results come first: when a card is shown, what it becomes, and what else says that the bot is at work."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.discord_chat.ids import MessagePlace
from bot.discord_chat.sending.channel_traffic import EDIT, POST, WINDOW_S, ChannelTraffic, Pacing
from bot.discord_chat.sending.first_signs import TAKEN
from conversations.turn import TurnState
from tests.bot.discord_chat.test_buttons import a_card
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import NO_CARDS, Room, is_result, loopback, results_in, room
from tests.support.discord_server.people import text_of
from tests.support.discord_server.rate_limits import RateLimits
from tests.support.discord_server.world import Message
from tests.support.english import english
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture, painting

CHANNEL = 7


# -- what there is room for ---------------------------------------------------------------------------------


class Clock:
    """Seconds that pass when the test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_cards_leave_room_for_results_until_the_window_is_over() -> None:
    clock = Clock()
    traffic = ChannelTraffic(Pacing(cards=2), clock)
    traffic.sent(CHANNEL, POST)
    assert traffic.has_room(CHANNEL, POST)
    traffic.sent(CHANNEL, POST)
    assert not traffic.has_room(CHANNEL, POST)
    assert traffic.has_room(CHANNEL, EDIT)
    assert traffic.has_room(CHANNEL + 1, POST)
    clock.now += WINDOW_S
    assert traffic.has_room(CHANNEL, POST)


def test_a_card_on_its_way_counts() -> None:
    traffic = ChannelTraffic(Pacing(cards=1), Clock())
    with traffic.taking(CHANNEL, POST):
        assert not traffic.has_room(CHANNEL, POST)
    assert traffic.has_room(CHANNEL, POST)


# -- cards and results --------------------------------------------------------------------------------------


async def card_and_edit(r: Room, editor: ScriptedEditor) -> tuple[Message, Message]:
    """A request that runs, and its card."""
    asked = post_picture(r)
    edit = await editor.started()
    card = await a_card(r, "🎨")
    edit.finish()
    return asked, card


async def test_a_card_becomes_the_result(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked, card = await card_and_edit(r, editor)
        assert await r.result(asked) is card
        assert len(card.uploads) == 2
        await r.turns_end()
        assert [turn.delivered for turn in await r.turns(TurnState.DONE)][-1] == str(
            MessagePlace(r.channel.id, card.id)
        )


async def test_a_card_that_has_scrolled_away_is_replaced_by_a_new_message(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked = post_picture(r)
        edit = await editor.started()
        card = await a_card(r, "🎨")
        said = [r.discord.say(r.channel, r.ben, f"look at number {number}") for number in range(21)]
        marker = r.discord.say(
            r.channel, r.ben, "help", mention=True
        )  # so that the bot has received the others
        await r.answer(marker)
        edit.finish()
        assert (await r.result(asked)).id > said[-1].id
        await r.turns_end()
        assert card.id not in r.channel.messages


async def test_where_pictures_cannot_be_put_into_a_card_results_are_posted(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        refused = r.discord.faults.refuse("PATCH", "/messages/", 50035, "no such file", with_files=True)
        asked, card = await card_and_edit(r, editor)
        assert (await r.result(asked)).id != card.id
        assert refused.met == 1
        await r.turns_end()
        assert card.id not in r.channel.messages
        again, second = await card_and_edit(r, editor)
        assert (await r.result(again)).id != second.id
        edits = [request for request in r.discord.requests if request.method == "PATCH"]
        assert [request.status for request in edits].count(400) == 1


@pytest.mark.parametrize(("code", "reason"), [(20009, "discord_found_explicit"), (40005, None)])
async def test_a_result_that_is_refused_as_an_edit(tmp_path: Path, code: int, reason: str | None) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        status = 413 if code == 40005 else 400
        r.discord.faults.refuse("PATCH", "/messages/", code, "no", status=status, with_files=True)
        _, card = await card_and_edit(r, editor)
        await r.turns_end()
        assert r.discord.messages_of_bot(r.channel) == [card]
        assert is_result(card) if reason is None else english(reason) in text_of(card)


async def test_a_card_that_became_the_result_is_found_after_a_crash(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with loopback() as discord, room(tmp_path, editor, discord) as r:
        asked, card = await card_and_edit(r, editor)
        await r.result(asked)
        await r.turns_end()
        (done,) = [turn for turn in await r.turns(TurnState.DONE) if not turn.is_upload]
        assert await r.bot.chat.already_delivered(done) == done.delivered
        assert done.delivered == str(MessagePlace(r.channel.id, card.id))


async def test_no_card_is_posted_where_there_is_no_room_for_it(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor, pacing=NO_CARDS) as r:
        asked = post_picture(r)
        edit = await editor.started()
        edit.report(painting(1))
        edit.finish()
        await r.result(asked)
        posts = [q for q in r.discord.requests if q.method == "POST" and q.path.endswith("/messages")]
        assert len(posts) == 1


# -- first signs --------------------------------------------------------------------------------------------


async def test_the_first_sign_is_typing_and_beside_other_edits_a_reaction(tmp_path: Path) -> None:
    editor = ScriptedEditor(slots=2)
    async with room(tmp_path, editor, pacing=NO_CARDS) as r:
        first = post_picture(r)
        await r.discord.wait_for(lambda: r.channel.typing)
        first_edit = await editor.started()
        second = r.discord.say(r.channel, r.ben, "make it red", files={"b.png": a_picture()}, mention=True)
        await r.discord.wait_for(lambda: second.reactions)
        assert list(second.reactions) == [TAKEN]
        assert not first.reactions
        first_edit.finish()
        (await editor.started()).finish()
        await r.result(first)
        await r.result(second)
        assert len(r.channel.typing) == 1


async def test_no_sign_where_the_bot_may_not_react(tmp_path: Path) -> None:
    editor = ScriptedEditor(slots=2)
    async with room(tmp_path, editor, pacing=NO_CARDS) as r:
        refused = r.discord.faults.refuse("PUT", "/reactions/", 50013, "Missing Permissions", status=403)
        first = post_picture(r)
        first_edit = await editor.started()
        second = r.discord.say(r.channel, r.ben, "make it red", files={"b.png": a_picture()}, mention=True)
        await r.discord.wait_for(lambda: refused.met)
        first_edit.finish()
        (await editor.started()).finish()
        await r.result(first)
        await r.result(second)


async def test_a_card_that_comes_at_once_needs_no_sign(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        await r.turns_end()
        assert not r.channel.typing


# -- under rate limits --------------------------------------------------------------------------------------


async def test_everybody_in_a_busy_channel_gets_one_result_under_rate_limits(tmp_path: Path) -> None:
    limits = RateLimits(speed=20)
    pacing = replace(Pacing(), card_after_s=0.0, edit_pause_s=0.0)
    async with (
        loopback(rate_limits=limits) as discord,
        room(tmp_path, EchoEditor(), discord, pacing=pacing) as r,
    ):
        people = [discord.world.add_person(f"person-{number}") for number in range(12)]
        asked = [
            discord.say(r.channel, who, "make it red", files={"b.png": a_picture()}, mention=True)
            for who in people
        ]
        for each in asked:
            await r.result(each)
        await r.turns_end()
        assert len(results_in(discord, r.channel)) == len(people)
