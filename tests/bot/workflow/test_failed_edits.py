"""Edits that fail, and what is said of them."""

from bot.chat.replies import CardState, Note
from conversations.turn import TurnState
from mgie_engine.errors import ModelError, RequestRefused
from tests.support.english import in_english, title_of
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.workflow_room import PaperChat, workflow_room


async def test_when_the_parent_fails_the_child_says_so(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make the ball red", picture=a_picture())
        child = await d.accepted("now blue")
        (await editor.started()).fail(RequestRefused("I cannot edit this picture."))
        [turn] = await d.done(child.card.turn_id)
    assert turn.state is TurnState.FAILED
    assert in_english(d.chat.finals(turn.id)[0].status).startswith(
        "v1 did not finish, so this edit was not started."
    )


async def test_an_engine_that_died_twice_is_said_and_can_be_retried(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        reply = await d.accepted("make the ball red", picture=a_picture())
        (await editor.started()).die()
        (await editor.started()).die()
        await d.idle()
        [card] = d.chat.finals(reply.card.turn_id)
        assert (card.state, in_english(card.status)) == (
            CardState.FAILED,
            "The edit failed and does not count. Press Retry to try again.",
        )
        assert title_of((await d.accepted("again")).card) == "v2 · from v0"
        (await editor.started()).finish()


async def test_an_engine_that_died_once_is_not_even_noticed(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        reply = await d.accepted("make the ball red", picture=a_picture())
        (await editor.started()).die()
        (await editor.started()).finish()
        [turn] = await d.done(reply.card.turn_id)
    assert turn.state is TurnState.DONE


async def test_a_chat_that_stumbles_is_asked_again_and_shows_one_result(tmp_path):
    chat = PaperChat()
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        session = await d.upload()
        chat.breaks = 5
        reply = await d.accepted("make the ball red", turn=session.root.id)
        [turn] = await d.done(reply.card.turn_id)
    assert turn.state is TurnState.DONE
    assert len(chat.posted) == 1


async def test_a_message_that_went_out_although_the_connection_broke_is_not_sent_twice(tmp_path):
    chat = PaperChat()
    chat.dies_after_posting = True
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        reply = await d.accepted("make the ball red", picture=a_picture())
        [turn] = await d.done(reply.card.turn_id)
    assert (turn.state, turn.delivered) == (TurnState.DONE, f"m-{turn.id}")
    assert len(chat.finals(turn.id)) == 1


async def test_a_channel_that_is_gone_closes_the_turn_quietly(tmp_path):
    chat = PaperChat()
    chat.is_gone = True
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        reply = await d.accepted("make the ball red", picture=a_picture())
        [turn] = await d.done(reply.card.turn_id)
    assert (turn.state, turn.delivered) == (TurnState.DONE, None)


async def test_a_fault_of_ours_is_a_sentence_and_a_log_line(tmp_path, caplog):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make the ball red", picture=a_picture())
        d.images.folder.rename(tmp_path / "elsewhere")
        d.images.folder.write_text("a file where the folder was")
        reply = await d.workflow.handle(d.asked("red", picture=a_picture(9, 9)))
    assert isinstance(reply, Note)
    assert in_english(reply.text).startswith("Something went wrong in the bot")
    assert "could not be handled" in caplog.text


async def test_a_model_that_cannot_be_loaded_is_said(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        reply = await d.accepted("make the ball red", picture=a_picture())
        (await editor.started()).fail(ModelError("config.json is missing."))
        await d.idle()
    assert in_english(d.chat.finals(reply.card.turn_id)[0].status).startswith("The model could not be loaded")


async def test_a_picture_deleted_while_its_edit_waited_is_said(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it red", "bob", picture=a_picture())
        first = await editor.started()
        reply = await d.accepted("make it red", picture=a_picture(20, 20))
        assert reply.card.before
        d.images.delete(reply.card.before)
        first.finish()
        [turn] = await d.done(reply.card.turn_id)
    assert (turn.state, in_english(turn.error)) == (
        TurnState.FAILED,
        "The picture of v0 was deleted, so this edit cannot run. Please attach it again.",
    )
