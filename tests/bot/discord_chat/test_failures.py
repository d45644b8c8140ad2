"""When Discord does not cooperate: each result still appears once, and people are told what is wrong."""

from dataclasses import replace
from pathlib import Path

import pytest

from conversations.turn import TurnState
from mgie_engine.errors import EngineError
from tests.bot.discord_chat.test_buttons import a_card, said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import AT_ONCE, NO_CARDS, Room, results_in, results_to, room
from tests.support.discord_server.people import text_of
from tests.support.english import english
from tests.support.fakes import ScriptedEdit, ScriptedEditor, a_picture

POST, MESSAGES = "POST", "/messages$"


async def one_result(r: Room) -> str:
    """Post a picture, wait until all is over: the text of the only message the bot left."""
    result = await r.result(post_picture(r))
    await r.turns_end()
    assert r.discord.messages_of_bot(r.channel) == [result]
    assert {turn.state for turn in await r.turns()} == {TurnState.DONE}
    return text_of(result)


async def begun(r: Room, editor: ScriptedEditor) -> ScriptedEdit:
    """An edit of a fresh picture that runs, and whose card says so."""
    post_picture(r)
    edit = await editor.started()
    await a_card(r, "🎨")
    return edit


async def test_a_lost_answer_does_not_double_the_result(tmp_path: Path) -> None:
    async with room(tmp_path, pacing=NO_CARDS) as r:
        lost = r.discord.faults.server_error(POST, MESSAGES, said="-done", done=True)
        await one_result(r)
        assert lost.met == 1


async def test_a_server_error_is_tried_again(tmp_path: Path) -> None:
    async with room(tmp_path, pacing=NO_CARDS) as r:
        r.discord.faults.server_error(POST, MESSAGES, said="-done", status=503)
        await one_result(r)


@pytest.mark.parametrize("via", [True, False])
async def test_a_rate_limit_delays_and_loses_nothing(tmp_path: Path, via: bool) -> None:
    async with room(tmp_path, pacing=NO_CARDS) as r:
        limit = r.discord.faults.rate_limit(POST, MESSAGES, via=via, said="-done")
        await one_result(r)
        assert limit.met == 1


async def test_a_dropped_socket_is_resumed_and_nothing_is_missed(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await one_result(r)
        r.discord.gateway.drop_sockets()
        asked = r.discord.say(r.channel, r.anna, "now blue", mention=True)
        await r.result(asked)
        assert r.discord.gateway.resumes == 1


async def test_a_server_that_asks_to_reconnect_loses_nobody(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.discord.gateway.ask_to_reconnect()
        await r.discord.wait_for(lambda: r.discord.gateway.resumes)
        await one_result(r)


async def test_events_delivered_twice_are_answered_once(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        asked = post_picture(r)
        r.discord.gateway.replay(last=1)
        await r.result(asked)
        r.discord.gateway.replay(last=10)
        again = r.discord.say(r.channel, r.anna, "now blue", mention=True)
        await r.result(again)
        await r.turns_end()
        assert len(r.discord.messages_of_bot(r.channel)) == 2


async def test_a_deleted_card_is_no_loss(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked = post_picture(r)
        edit = await editor.started()
        r.discord.delete(await a_card(r, "🎨"))
        edit.finish()
        await r.result(asked)


async def test_a_deleted_card_is_posted_again_when_the_edit_fails(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        post_picture(r)
        edit = await editor.started()
        r.discord.delete(await a_card(r, "🎨"))
        edit.die()
        (await editor.started()).die()
        assert english("failed") in text_of(await a_card(r, "⚠️"))


async def test_a_card_too_old_to_be_edited_is_replaced(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        edit = await begun(r, editor)
        sentence = "Maximum number of edits to messages older than 1 hour reached."
        r.discord.faults.refuse("PATCH", "/messages/", 30046, sentence, status=429)
        edit.die()
        (await editor.started()).die()
        await a_card(r, "⚠️")
        await r.turns_end()
        assert len(r.discord.messages_of_bot(r.channel)) == 1


async def test_a_failed_edit_is_reported_in_a_thread_archived_meanwhile(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        edit = await begun(r, editor)
        r.discord.faults.refuse("PATCH", "/messages/", 50083, "Thread is archived", times=99)
        edit.fail(EngineError("no"))
        await r.turns_end()
        (card,) = r.discord.messages_of_bot(r.channel)
        assert english("failed") in text_of(card)
        assert {turn.state for turn in await r.turns()} == {TurnState.DONE, TurnState.FAILED}


async def test_a_failed_edit_is_reported_by_dm_where_the_bot_lost_its_access(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        edit = await begun(r, editor)
        r.channel.denied.add("view_channel")
        edit.fail(EngineError("no"))
        await r.turns_end()
        (card,) = r.discord.messages_of_bot(r.discord.dm(r.anna))
        assert english("failed") in text_of(card)
        assert {turn.state for turn in await r.turns()} == {TurnState.DONE, TurnState.FAILED}


async def test_a_failed_edit_of_a_place_without_any_access_ends_quietly(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        edit = await begun(r, editor)
        r.channel.denied.add("view_channel")
        r.discord.dm(r.anna).denied.add("send_messages")
        edit.fail(EngineError("no"))
        await r.turns_end()
        assert {turn.state for turn in await r.turns()} == {TurnState.DONE, TurnState.FAILED}


async def test_a_deleted_request_is_forgotten_with_its_card(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked = post_picture(r)
        edit = await editor.started()
        await a_card(r, "🎨")
        r.discord.delete(asked)
        await r.discord.wait_for(lambda: not r.discord.messages_of_bot(r.channel))
        await r.turns_end()
        assert edit.cancelled
        assert [turn.is_upload for turn in await r.turns()] == [True]


@pytest.mark.parametrize("said", ["-card", "-done"])
async def test_a_request_deleted_while_its_card_or_result_is_posted_leaves_nothing(
    tmp_path: Path, said: str
) -> None:
    async with room(tmp_path, pacing=AT_ONCE if said == "-card" else NO_CARDS) as r:
        late = r.discord.faults.rate_limit(POST, MESSAGES, retry_after_s=0.5, said=said)
        asked = post_picture(r)
        await r.discord.wait_for(lambda: late.met)
        r.discord.delete(asked)
        await r.turns_end()
        await r.discord.wait_for(lambda: _posted(r, said))
        await r.discord.wait_for(lambda: not r.discord.messages_of_bot(r.channel))
        assert [turn.is_upload for turn in await r.turns()] == [True]


def _posted(r: Room, said: str) -> bool:
    posts = [q for q in r.discord.requests if q.method == POST and q.path.endswith("/messages")]
    return any(q.status == 200 and said in q.body["nonce"] for q in posts)


async def test_where_the_bot_may_not_post_the_owner_hears_by_dm_which_right_is_missing(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as r:
        r.channel.denied.add("send_messages")
        post_picture(r)
        dm = r.discord.dm(r.anna)
        await r.discord.wait_for(lambda: results_in(r.discord, dm))
        await r.turns_end()
        why, *results = r.discord.messages_of_bot(dm)
        assert text_of(why).startswith(f"I cannot post in <#{r.channel.id}> because I lack ")
        assert len(results) == 1
        assert r.discord.messages_of_bot(r.channel) == []


async def test_without_the_right_to_reply_it_posts_plainly(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        r.channel.denied.add("read_message_history")
        post_picture(r)
        (result,) = await r.discord.wait_for(lambda: results_in(r.discord, r.channel))
        assert result.reply_to is None


async def test_a_deleted_channel_ends_its_turns_quietly(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        post_picture(r)
        edit = await editor.started()
        del r.discord.world.channels[r.channel.id]
        edit.finish()
        await r.turns_end()
        assert {turn.state for turn in await r.turns()} == {TurnState.DONE}


async def test_a_server_that_threw_the_bot_out_ends_its_turns_quietly(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        post_picture(r)
        edit = await editor.started()
        r.channel.denied.add("view_channel")
        r.discord.dm(r.anna).denied.add("send_messages")
        r.discord.gateway.dispatch("GUILD_DELETE", {"id": str(r.discord.world.guild_id)})
        edit.finish()
        await r.turns_end()
        assert {turn.state for turn in await r.turns()} == {TurnState.DONE}


async def test_an_answer_to_a_webhook_that_is_not_there_yet_loses_no_edit(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        r.discord.faults.refuse("PATCH", "@original$", 10015, "Unknown Webhook", status=404)
        r.discord.slash(r.channel, r.anna, "edit", instruction="red", image=a_picture())
        await r.discord.wait_for(lambda: results_in(r.discord, r.channel))


async def test_where_the_bot_may_not_react_it_stays_silent(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        await r.result(post_picture(r))
        refused = r.discord.faults.refuse("PUT", "/reactions/", 50013, "Missing Permissions", status=403)
        r.discord.say(r.channel, r.anna, "this but different")
        await r.discord.wait_for(lambda: refused.met)
        await r.result(r.discord.say(r.channel, r.anna, "make it blue"))


async def test_a_public_answer_that_may_not_be_posted_is_given_in_private(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        await r.turns_end()
        r.channel.denied.add("send_messages")
        assert "make the ball red" in await said(r, r.discord.slash(r.channel, r.anna, "show"))


async def test_an_interaction_that_came_too_late_is_not_acted_upon(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        r.discord.faults.refuse(POST, "/callback$", 10062, "Unknown interaction", status=404)
        r.discord.slash(r.channel, r.anna, "edit", instruction="red", image=a_picture())
        asked = post_picture(r, "blue")
        await r.result(asked)
        assert len(results_in(r.discord, r.channel)) == 1


async def test_a_form_that_is_opened_too_late_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with room(tmp_path) as r:
        shown = await r.result(post_picture(r))
        refused = r.discord.faults.refuse(POST, "/callback$", 10062, "Unknown interaction", status=404)
        r.discord.press(shown, "Refine", r.anna)
        await r.discord.wait_for(lambda: refused.met)
        await r.result(r.discord.say(r.channel, r.anna, "make it blue", reply_to=shown))
    assert "could not open the form" in caplog.text
    assert [record for record in caplog.records if record.exc_info] == []


async def test_an_expired_token_loses_no_edit(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        r.discord.faults.refuse("PATCH", "@original$", 50027, "Invalid Webhook Token", status=401)
        r.discord.slash(r.channel, r.anna, "edit", instruction="red", image=a_picture())
        await r.discord.wait_for(lambda: results_in(r.discord, r.channel))


async def test_an_expired_token_with_nothing_queued_is_reported_by_dm(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        r.discord.faults.refuse("PATCH", "@original$", 50027, "Invalid Webhook Token", status=401)
        r.discord.slash(r.channel, r.anna, "session new")
        dm = r.discord.dm(r.anna)
        (note,) = await r.discord.wait_for(lambda: r.discord.messages_of_bot(dm))
        assert text_of(note) == english("too_late")


async def test_an_interaction_delivered_twice_is_answered_once(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        asked = r.discord.slash(r.channel, r.anna, "edit", instruction="red", image=a_picture())
        r.discord.gateway.replay(last=1)
        assert (await said(r, asked)).startswith("Queued as v1.")
        await r.turns_end()
        await r.discord.wait_for(lambda: results_in(r.discord, r.channel))
        assert len(results_in(r.discord, r.channel)) == 1


async def test_results_to_one_request_are_one(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        asked = post_picture(r)
        await r.result(asked)
        await r.turns_end()
        assert len(results_to(r.discord, asked)) == 1


async def test_while_a_large_picture_is_on_its_way_the_bot_types(tmp_path: Path) -> None:
    async with room(tmp_path, pacing=replace(AT_ONCE, typing_delay_s=0.0)) as r:
        r.discord.cdn_is_open.clear()
        asked = post_picture(r)
        await r.discord.wait_for(lambda: r.channel.typing)
        r.discord.cdn_is_open.set()
        await r.result(asked)
