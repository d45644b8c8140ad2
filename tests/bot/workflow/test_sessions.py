"""Users list their sessions, go on with an earlier one, and delete one with everything in it."""

from pathlib import Path

import pytest

from bot.chat.events import ButtonAction, HistoryAsked
from bot.chat.replies import Erased, History, Note, Sessions
from bot.chat.session_events import DeleteSessionAsked, SessionsAsked
from bot.workflow.button_events import button_event
from conversations.turn import TurnState
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.workflow_room import WorkflowRoom, workflow_room


async def listed(d: WorkflowRoom, user: str = "ann") -> Sessions:
    reply = await d.workflow.handle(SessionsAsked(**d.origin(user)))
    assert isinstance(reply, Sessions)
    return reply


async def test_sessions_are_listed_the_last_used_first(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.accepted("make it blue", picture=a_picture(colour="pink"))
        await d.idle()
        newest, oldest = (await listed(d)).sessions
        assert (newest.instruction, newest.versions, newest.is_here) == ("make it blue", 2, True)
        assert (oldest.instruction, oldest.is_here) == ("make it red", False)
        d.clock.now += 1
        await d.workflow.handle(button_event(ButtonAction.GO_TO, oldest.current, **d.origin()))
        assert [session.is_here for session in (await listed(d)).sessions] == [True, False]
        assert (await listed(d)).sessions[0].current == oldest.current
        assert (await listed(d, "ben")).sessions == ()


async def test_a_list_of_sessions_ends_where_it_has_very_many_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.store.user_data.MOST_TURNS", 3)
    async with workflow_room(tmp_path, EchoEditor()) as d:
        for words in ("make it red", "make it blue", "make it gold"):
            await d.accepted(words, picture=a_picture())
        await d.idle()
        assert [one.instruction for one in (await listed(d)).sessions] == ["make it gold", "make it blue"]


async def test_a_deleted_session_is_gone_with_its_pictures(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        kept = (await d.accepted("make it blue", picture=a_picture(colour="pink"))).card
        await d.idle()
        current = (await listed(d)).sessions[1].current
        asked = await d.workflow.handle(DeleteSessionAsked(**d.origin(), turn=current))
        assert isinstance(asked, Note)
        assert [button.act for button in asked.buttons] == [ButtonAction.DELETE_SESSION]
        pressed = button_event(ButtonAction.DELETE_SESSION, asked.about, **d.origin())
        assert isinstance(await d.workflow.handle(pressed), Erased)
        assert len((await listed(d)).sessions) == 1
        assert len(await d.store.turns_in(*TurnState)) == 2
        assert await d.workflow.pictures.file(kept.before or "")
        history = await d.workflow.handle(HistoryAsked(**d.origin()))
        assert isinstance(history, History)
        assert len(history.cards) == 2


async def test_what_runs_in_a_deleted_session_is_cancelled(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it red", picture=a_picture())
        edit = await editor.started()
        sure = DeleteSessionAsked(**d.origin(), is_confirmed=True)
        assert isinstance(await d.workflow.handle(sure), Erased)
        await d.idle()
        assert edit.cancelled
        assert not await d.store.turns_in(*TurnState)
