"""What the model does not read is answered with a sentence and never painted."""

from dataclasses import replace

import pytest

from bot.chat.events import Addressing
from bot.chat.replies import Accepted, Note
from conversations.messages import Message
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.workflow_room import NO_PACE, workflow_room

ABLE = Message("abilities")
ENGLISH_ONLY = replace(NO_PACE, languages=("en",))


@pytest.mark.parametrize("text", ["rends-le plus sombre", "сделай темнее", "mach den Himmel dunkler"])
async def test_other_languages_are_answered(tmp_path, text):
    async with workflow_room(tmp_path, EchoEditor(), limits=ENGLISH_ONLY) as d:
        session = await d.upload()
        for addressing in (Addressing.MESSAGE, Addressing.FORM):
            reply = await d.workflow.handle(d.asked(text, addressing=addressing))
            assert isinstance(reply, Note)
            assert reply.text.code == "other_language"
            assert reply.buttons[0].says == "make it darker"
        beside = await d.workflow.handle(d.asked(text, channel="c2", picture=a_picture()))
        assert beside.text.code == "other_language"
        assert await d.store.session_for_channel("paper:c2", "paper:ann") is not None  # the picture is kept
        assert len((await d.store.session(session.id)).turns) == 1


async def test_a_message_edited_into_another_language_changes_nothing(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor, limits=ENGLISH_ONLY) as d:
        await d.accepted("make it grey", "bob", picture=a_picture())
        await editor.started()
        asked = d.asked("make it red", picture=a_picture())
        waiting = (await d.workflow.handle(asked)).card.turn_id
        for text in ("rends-le plus sombre", "сделай темнее", "mach den Himmel dunkler"):
            assert not await d.workflow.message_edited(asked.event_id, text)
        assert (await d.store.turn(waiting)).instruction == "make it red"
        assert await d.workflow.message_edited(asked.event_id, "make it blue")


async def test_commands_are_understood_in_every_language_all_the_same(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), limits=ENGLISH_ONLY) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        undone = await d.workflow.handle(d.asked("mach das bitte rückgängig"))
        assert undone.note.code == "back_at"
        assert isinstance(await d.workflow.handle(d.asked("make it darker")), Accepted)


async def test_what_the_model_can_do_is_said_with_an_upload_and_in_the_help(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), limits=replace(NO_PACE, abilities=ABLE)) as d:
        ready = await d.workflow.handle(d.asked(picture=a_picture()))
        assert ABLE.code in str(ready.note)
        told = await d.workflow.handle(d.asked("what can you do?"))
        assert ABLE.code in str(told.text)
