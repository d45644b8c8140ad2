"""One edit from chat to chat, and what follows it."""

import asyncio
from threading import Event
from typing import Any

from bot.chat.events import HistoryAsked, ShowAsked
from bot.chat.replies import Accepted, AskTarget, CardState, Note, ShownVersion
from conversations.messages import Message
from conversations.request_source import RequestSource
from conversations.settings import SettingsOverride
from conversations.turn import TurnState
from tests.support.english import facts_of, in_english, title_of
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture, painting
from tests.support.workflow_room import workflow_room


async def test_a_picture_and_words_give_an_edit(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        reply = await d.accepted("make the ball red", picture=a_picture())
        [turn] = await d.done(reply.card.turn_id)
    assert (turn.state, turn.number, turn.expressive) == (TurnState.DONE, 1, "(echo)")
    [card] = d.chat.finals(turn.id)
    assert (card.state, title_of(card), card.instruction) == (
        CardState.DONE,
        "v1 · from v0",
        "make the ball red",
    )
    assert card.before is not None
    assert card.after is not None
    assert facts_of(card).startswith("text 7.5 · image 1.5 · 4 steps · seed ")


async def test_a_turn_is_on_disk_before_it_is_accepted(tmp_path):
    async with workflow_room(tmp_path, ScriptedEditor()) as d:
        reply = await d.accepted("make the ball red", picture=a_picture())
        turn = await d.store.turn(reply.card.turn_id)
    assert turn.state in (TurnState.WAITING, TurnState.RUNNING)
    assert in_english(reply.note) == "Queued as v1."


async def test_a_picture_alone_begins_and_waits_for_words(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        reply = await d.workflow.handle(d.asked(picture=a_picture()))
        assert isinstance(reply, ShownVersion)
        assert (title_of(reply.card), in_english(reply.note)) == (
            "v0",
            "Got it, that is v0. What should I change?",
        )
        assert title_of((await d.accepted("make the ball red")).card) == "v1 · from v0"


async def test_words_alone_refine_the_last_result(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make the ball red", picture=a_picture())
        await d.idle()
        assert title_of((await d.accepted("now blue")).card) == "v2 · from v1"


async def test_the_model_hears_what_was_said_before(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make the ball red", picture=a_picture())
        (await editor.started()).finish()
        await d.idle()
        await d.accepted("now blue")
        second = await editor.started()
    [earlier] = second.request.history
    assert (earlier.instruction, earlier.expressive) == ("make the ball red", "(echo)")


async def test_a_reply_to_a_result_branches_from_it(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        first = await d.accepted("make the ball red", picture=a_picture())
        await d.done()
        await d.accepted("now blue")
        await d.idle()
        reply = await d.accepted("now green", reply_to=f"m-{first.card.turn_id}")
    assert title_of(reply.card) == "v3 · from v1"


async def test_another_user_replying_grows_a_branch_of_their_own(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        first = await d.accepted("make the ball red", picture=a_picture())
        await d.idle()
        await d.accepted("now green", user="bob", reply_to=f"m-{first.card.turn_id}")
        await d.idle()
        assert title_of((await d.accepted("now blue")).card) == "v3 · from v1"
        assert title_of((await d.accepted("and darker", user="bob")).card) == "v4 · from v2"


async def test_a_reply_to_the_upload_itself_finds_it(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make the ball red", picture=a_picture(), message="paper:post")
        reply = await d.accepted("make the ball blue", reply_to="paper:post")
    assert title_of(reply.card) == "v2 · from v0"


async def test_a_version_can_be_named(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make the ball red", picture=a_picture())
        await d.accepted("now blue")
        await d.idle()
        assert title_of((await d.accepted("now green", version="v1")).card) == "v3 · from v1"
        reply = await d.workflow.handle(d.asked("now green", version="v9"))
    assert isinstance(reply, Note)
    assert "no v9" in in_english(reply.text)


async def test_words_without_any_picture_are_asked_which(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        reply = await d.workflow.handle(d.asked("make it darker"))
    assert reply == AskTarget(Message("which_picture"), "make it darker")


async def test_half_an_hour_later_it_asks_which_and_offers_the_pictures(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        session = await d.upload()
        d.clock.now += 1801
        reply = await d.workflow.handle(d.asked("make it darker"))
        assert isinstance(reply, AskTarget)
        assert [choice.turn_id for choice in reply.choices] == [session.root.id]
        chosen = await d.accepted(reply.words, turn=reply.choices[0].turn_id)
    assert title_of(chosen.card) == "v1 · from v0"


async def test_a_user_who_never_was_here_is_asked_which(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        assert isinstance(await d.workflow.handle(d.asked("make it darker", user="bob")), AskTarget)


async def test_a_picture_nobody_was_shown_is_offered_to_nobody_else(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        reply = await d.workflow.handle(d.asked("make it darker", user="bob"))
        assert (isinstance(reply, AskTarget), reply.choices) == (True, ())
        shown = await d.workflow.handle(ShowAsked(**d.origin("bob"), version="v0"))
        assert isinstance(shown, Note)
        listed = await d.workflow.handle(HistoryAsked(**d.origin("bob")))
        assert listed == Note(Message("no_session"))
        await d.upload(message="m1")
        reply = await d.workflow.handle(d.asked("make it darker", user="bob"))
        assert [choice.version for choice in reply.choices] == ["v0"]


async def test_what_a_visiting_bot_answered_is_offered_to_nobody_else(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        visit: dict[str, Any] = {"source": RequestSource(token="t", token_expires_at=1e12)}
        await d.upload(**visit)
        await d.accepted("make it red", **visit)
        await d.idle()
        reply = await d.workflow.handle(d.asked("make it darker", user="bob"))
        assert reply.choices == ()


async def test_looking_does_not_wait_for_a_picture_that_is_still_read(tmp_path, monkeypatch):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        session, reading, put = await d.upload(), Event(), d.images.put
        monkeypatch.setattr(d.images, "put", lambda data: (reading.wait(10), put(data))[1])
        uploading = asyncio.create_task(d.upload())
        await asyncio.sleep(0)
        shown = await d.workflow.handle(ShowAsked(**d.origin(), turn=session.root.id))
        assert (isinstance(shown, ShownVersion), uploading.done()) == (True, False)
        reading.set()
        await uploading


async def test_a_version_of_another_channel_is_not_reached(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        session = await d.upload(channel="secret")
        reply = await d.workflow.handle(d.asked("make it darker", turn=session.root.id))
    assert isinstance(reply, Note)
    assert "There is no" in in_english(reply.text)


async def test_a_file_that_is_no_picture_gets_a_sentence(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        reply = await d.workflow.handle(d.asked("make it darker", picture=b"MZ\x90\x00 not a picture"))
    assert isinstance(reply, Note)
    assert in_english(reply.text)


async def test_settings_named_in_the_call_are_used_and_shown(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        override = SettingsOverride(text_cfg=9.0, seed=5)
        await d.accepted("make the ball red", picture=a_picture(), override=override)
        settings = (await editor.started()).request.settings
    assert (settings.text_cfg, settings.image_cfg, settings.seed, settings.steps) == (9.0, 1.5, 5, 4)


async def test_settings_out_of_range_are_refused_by_name(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        reply = await d.workflow.handle(
            d.asked("red", picture=a_picture(), override=SettingsOverride(text_cfg=99.0))
        )
    assert isinstance(reply, Note)
    assert "text CFG must be between 1 and 20" in in_english(reply.text)


async def test_a_corrected_reading_reaches_the_model(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it red", picture=a_picture(), reading="The ball is bright red.")
        edit = await editor.started()
        edit.finish()
        await d.idle()
    assert edit.request.reading == "The ball is bright red."


async def test_the_same_event_twice_is_one_edit(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        event = d.asked("make the ball red", picture=a_picture())
        assert isinstance(await d.workflow.handle(event), Accepted)
        assert await d.workflow.handle(event) is None
        await d.idle()
        session = await d.store.session_for_channel(event.channel)
        assert session is not None
        assert len(session.turns) == 2


async def test_progress_reaches_the_card(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        reply = await d.accepted("make the ball red", picture=a_picture())
        edit = await editor.started()
        edit.report(painting(2, 4, preview=b"webp"))
        await d.chat.saw(lambda card: card.preview == b"webp")
        edit.finish()
        await d.idle()
    seen = next(card for card in d.chat.shown if card.preview)
    assert (seen.state, in_english(seen.status), seen.expressive) == (CardState.RUNNING, "step 2/4", "(echo)")
    assert 0 < seen.fraction < 1
    assert d.chat.states(reply.card.turn_id) == [CardState.QUEUED, CardState.RUNNING, CardState.DONE]


async def test_a_second_edit_waits_for_the_first_and_builds_on_it(tmp_path):
    editor = ScriptedEditor(slots=2)
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make the ball red", picture=a_picture())
        first = await editor.started()
        reply = await d.accepted("now blue")
        assert (in_english(reply.note), in_english(reply.card.status)) == (
            "Queued as v2; it starts after v1.",
            "Waiting for v1",
        )
        assert len(editor.edits) == 1
        first.finish()
        second = await editor.started()
        assert second.request.instruction == "now blue"


async def test_a_broken_character_is_kept_out_of_the_store(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        accepted = await d.accepted("make it red \ud83d", picture=a_picture())
        assert accepted.card.instruction == "make it red?"
