"""The private answer to a command links to its public card and has Cancel; a long wait ends with a ping."""

import time
from pathlib import Path

import pytest

from bot.discord_chat import interactions
from bot.discord_chat.sending.channel_traffic import Pacing
from tests.bot.discord_chat.test_buttons import said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import Room, results_in, room
from tests.support.discord_server.interactions import Interaction
from tests.support.discord_server.people import buttons_of, text_of
from tests.support.discord_server.world import Message
from tests.support.english import english
from tests.support.fakes import ScriptedEditor, a_picture


class ShiftedClock:
    """The time of day, moved ahead by the test."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


async def linked(r: Room, asked: Interaction, message: Message) -> Message:
    """The answer, once it links to the message."""
    link = f"/{message.channel.id}/{message.id})"
    return await r.discord.wait_for(lambda: a if (a := asked.answer) and link in text_of(a) else None)


async def the_card(r: Room) -> Message:
    """The card that is queued or runs."""
    return (
        await r.discord.wait_for(
            lambda: [m for m in r.discord.messages_of_bot(r.channel) if "### ✅" not in text_of(m)]
        )
    )[-1]


async def test_the_answer_links_to_the_card_that_becomes_the_result(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked = r.discord.slash(r.channel, r.anna, "edit", instruction="make it red", image=a_picture())
        edit = await editor.started()
        answer = await linked(r, asked, await the_card(r))
        assert answer.is_ephemeral
        assert english("queued", version="v1") in text_of(answer)
        assert [button["label"] for button in buttons_of(answer)] == ["✖ v1"]
        edit.finish()
        await r.turns_end()
        (result,) = results_in(r.discord, r.channel)
        await linked(r, asked, result)


async def test_the_answer_to_a_quick_edit_links_to_its_result(tmp_path: Path) -> None:
    without_cards = Pacing(edit_pause_s=0.0, card_after_s=60.0)
    async with room(tmp_path, pacing=without_cards) as r:
        asked = r.discord.slash(r.channel, r.anna, "edit", instruction="make it red", image=a_picture())
        (result,) = await r.discord.wait_for(lambda: results_in(r.discord, r.channel))
        answer = await linked(r, asked, result)
        assert buttons_of(answer) == []


async def test_an_answer_that_came_first_links_to_the_result_once_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interactions, "LINK_WITHIN_S", 0.05)
    editor = ScriptedEditor()
    async with room(tmp_path, editor, pacing=Pacing(edit_pause_s=0.0, card_after_s=60.0)) as r:
        asked = r.discord.slash(r.channel, r.anna, "edit", instruction="make it red", image=a_picture())
        edit = await editor.started()
        answer = await r.discord.wait_for(lambda: asked.answer)
        assert text_of(answer) == english("queued", version="v1")
        edit.finish()
        await r.turns_end()
        (result,) = results_in(r.discord, r.channel)
        assert buttons_of(await linked(r, asked, result)) == []


async def test_cancel_in_the_answer_ends_the_edit(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked = r.discord.slash(r.channel, r.anna, "edit", instruction="make it red", image=a_picture())
        await editor.started()
        answer = await linked(r, asked, await the_card(r))
        stopped = await said(r, r.discord.press(answer, "✖ v1", r.anna))
        assert english("stopped", version="v1") in stopped
        await r.turns_end()


async def test_a_refused_answer_keeps_nothing_from_being_shown(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked = r.discord.slash(r.channel, r.anna, "edit", instruction="make it red", image=a_picture())
        edit = await editor.started()
        await linked(r, asked, await the_card(r))
        asked.expired = True
        edit.finish()
        await r.turns_end()
        assert len(results_in(r.discord, r.channel)) == 1


@pytest.mark.parametrize(("waited_s", "is_pinged"), [(30, False), (61, True)])
@pytest.mark.parametrize("door", ["slash", "message"])
async def test_the_result_pings_who_asked_after_a_long_wait(
    tmp_path: Path, waited_s: float, is_pinged: bool, door: str
) -> None:
    editor, clock = ScriptedEditor(), ShiftedClock()
    async with room(tmp_path, editor, clock=clock) as r:
        if door == "slash":
            r.discord.slash(r.channel, r.anna, "edit", instruction="make it red", image=a_picture())
        else:
            post_picture(r)
        edit = await editor.started()
        clock.ahead_s = waited_s
        edit.finish()
        await r.turns_end()
        (result,) = results_in(r.discord, r.channel)
        assert (r.anna.id in result.pings) is is_pinged
