"""Undo, redo, go to, start over, new, history, show: by words and by buttons."""

from dataclasses import replace

import pytest

from bot.chat.events import Addressing, ButtonAction, HistoryAsked, Move, MoveAsked, ShowAsked
from bot.chat.replies import AskTarget, History, Note, Reacted, ShownVersion
from bot.workflow.button_events import button_event
from conversations.messages import Message
from conversations.request_source import NO_SOURCE
from conversations.turn import TurnState
from tests.support.asking_editor import AskingEditor
from tests.support.english import in_english, title_of
from tests.support.fakes import EchoEditor, ScriptedEdit, ScriptedEditor, a_picture
from tests.support.workflow_room import NO_PACE, WorkflowRoom, workflow_room


async def three_versions(d: WorkflowRoom) -> list[str]:
    """Ann's v1, v2, v3 in a row; their turn ids."""
    first = await d.accepted("make the ball red", picture=a_picture())
    rest = [await d.accepted(words) for words in ("now blue", "and darker")]
    await d.idle()
    return [reply.card.turn_id for reply in (first, *rest)]


async def says(d: WorkflowRoom, text: str, user: str = "ann", **more) -> str:
    """What the bot answers to these words, in short."""
    reply = await d.workflow.handle(d.asked(text, user, **more))
    return in_english(reply.note) if isinstance(reply, ShownVersion) else in_english(reply.text)


async def test_undo_and_redo_by_words(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await three_versions(d)
        assert await says(d, "undo") == "Back at v2."
        assert await says(d, "Undo that, please!") == "Back at v1."
        assert await says(d, "redo") == "Now at v2."
        assert title_of((await d.accepted("now green")).card) == "v4 · from v2"


async def test_undo_ends_at_the_upload(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        assert (await says(d, "undo")).startswith("There is nothing to undo")


async def test_back_to_a_version(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await three_versions(d)
        assert await says(d, "back to v1") == "Now at v1."
        assert "no v7" in await says(d, "back to v7")
        assert await says(d, "go to the latest version") == "Now at v3."
        assert await says(d, "go to the latest") == "v3 is your current version already."


async def test_start_over_goes_to_the_upload_and_keeps_everything(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await three_versions(d)
        assert await says(d, "start over") == "Back at v0."
        assert await says(d, "start over") == "v0 is your current version already."
        assert title_of((await d.accepted("make it green")).card) == "v4 · from v0"


async def test_new_forgets_the_picture_until_the_next(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        [first, *_] = await three_versions(d)
        reply = await d.workflow.handle(MoveAsked(**d.origin(), move=Move.NEW))
        assert isinstance(reply, Note)
        d.clock.now += 1
        assert isinstance(await d.workflow.handle(d.asked("make it green")), AskTarget)
        assert title_of((await d.accepted("make it green", turn=first)).card) == "v4 · from v1"
        assert title_of((await d.accepted("and darker")).card) == "v5 · from v4"


async def test_the_undo_button_of_a_card_goes_before_that_card(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        [_, second, _] = await three_versions(d)
        reply = await d.workflow.handle(
            button_event(ButtonAction.UNDO, second, **d.origin(), source=NO_SOURCE)
        )
        assert isinstance(reply, ShownVersion)
        assert (in_english(reply.note), reply.card.version) == ("Back at v1.", "v1")


async def test_undo_on_another_users_card_is_not_theirs_to_do(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        [first, *_] = await three_versions(d)
        reply = await d.workflow.handle(
            button_event(ButtonAction.UNDO, first, **d.origin("bob"), source=NO_SOURCE)
        )
    assert reply == Note(Message("not_yours", version="v1"))


async def test_replying_undo_to_a_result_means_that_result(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        [_, second, _] = await three_versions(d)
        assert await says(d, "undo", reply_to=f"m-{second}") == "Back at v1."


async def test_moves_need_a_picture_first(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        assert (await says(d, "undo")).startswith("There is no picture here yet.")


async def test_an_undo_heard_twice_is_done_once(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await three_versions(d)
        event = d.asked("undo")
        assert isinstance(await d.workflow.handle(event), ShownVersion)
        assert await d.workflow.handle(event) is None


async def test_of_very_many_versions_the_history_has_the_upload_the_newest_and_where_i_stand(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("bot.workflow.navigation.SHOWN", 1)
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await three_versions(d)
        await says(d, "back to v1")
        history = await d.workflow.handle(HistoryAsked(**d.origin()))
        assert isinstance(history, History)
        assert [card.version for card in history.cards] == ["v0", "v1", "v3"]
        assert history.text.params["count"] == 4


async def test_the_history_lists_every_version_and_where_i_stand(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        [_, second, _] = await three_versions(d)
        await says(d, "undo")
        reply = await d.workflow.handle(HistoryAsked(**d.origin()))
    assert isinstance(reply, History)
    assert [title_of(card) for card in reply.cards] == ["v0", "v1 · from v0", "v2 · from v1", "v3 · from v2"]
    assert reply.head == second


async def test_a_version_can_be_shown_again_to_everybody(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await three_versions(d)
        reply = await d.workflow.handle(ShowAsked(**d.origin(), version="2"))
    assert isinstance(reply, ShownVersion)
    assert (reply.card.version, reply.private) == ("v2", False)


async def test_words_with_a_picture_are_never_control_words(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        assert (await d.accepted("more", picture=a_picture())).card.instruction == "more"


async def one_done_and_one_running(d: WorkflowRoom, editor: ScriptedEditor) -> tuple[str, ScriptedEdit]:
    """Ann's v1, and v2 that is just painted; the turn id of v2 and its edit."""
    await d.accepted("make the ball red", picture=a_picture())
    (await editor.started()).finish()
    await d.idle()
    second = await d.accepted("now blue")
    return second.card.turn_id, await editor.started()


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("undo", "v2 is cancelled. It does not count. Back at v1."),
        ("no, not like that", "v2 is cancelled. It does not count. Back at v1. What did you mean instead?"),
    ],
)
async def test_undo_cancels_what_still_runs(tmp_path, words, answer):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        second, edit = await one_done_and_one_running(d, editor)
        assert await says(d, words) == answer
        [turn] = await d.done(second)
        assert (turn.state, edit.cancelled) == (TurnState.CANCELLED, True)
        assert (await says(d, "redo")).startswith("There is nothing to redo")
        assert title_of((await d.accepted("now green")).card) == "v3 · from v1"


async def test_undo_of_two_cancels_both_and_undo_of_one_only_the_last(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        _, edit = await one_done_and_one_running(d, editor)
        for words in ("and darker", "and a hat"):
            await d.accepted(words)
        assert await says(d, "undo") == "v4 is cancelled. It does not count. Back at v3."
        assert not edit.cancelled
        both = "v3 is cancelled. It does not count. v2 is cancelled. It does not count. Back at v1."
        assert await says(d, "undo the last two") == both
        assert edit.cancelled


async def test_undo_in_reply_to_a_running_edit_cancels_that_one(tmp_path):
    editor = ScriptedEditor(2)
    async with workflow_room(tmp_path, editor) as d:
        second, edit = await one_done_and_one_running(d, editor)
        await d.accepted("make it green", version="v1")
        other = await editor.started()
        assert await says(d, "undo", turn=second) == "v2 is cancelled. It does not count. Back at v1."
        assert (edit.cancelled, other.cancelled) == (True, False)


async def test_an_edit_that_undoes_a_running_one_cancels_it_once_accepted(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor, limits=replace(NO_PACE, instruction_chars=30)) as d:
        second, edit = await one_done_and_one_running(d, editor)
        assert "the limit is 30" in await says(d, f"undo that and make it {'very ' * 9} green")
        assert not edit.cancelled
        assert title_of((await d.accepted("undo that and make it green")).card) == "v3 · from v1"
        (await editor.started()).finish()
        [turn] = await d.done(second)
        assert (turn.state, edit.cancelled) == (TurnState.CANCELLED, True)


async def test_undo_cancels_nothing_that_another_user_asked_for_or_waits_for(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        second, edit = await one_done_and_one_running(d, editor)
        assert await says(d, "undo", "bob", turn=second) == "Only the user who requested v2 can do that."
        third = (await d.accepted("and darker", "bob", turn=second)).card.turn_id
        assert await says(d, "undo") == "Back at v1."
        edit.finish()
        (await editor.started()).finish()
        assert [turn.state for turn in await d.done(second, third)] == [TurnState.DONE] * 2


async def test_undo_of_two_goes_on_where_another_user_waits_for_the_second_of_them(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        second, edit = await one_done_and_one_running(d, editor)
        third = (await d.accepted("and darker")).card.turn_id
        fourth = (await d.accepted("and a hat", "bob", turn=third)).card.turn_id
        assert await says(d, "undo the last two") == "Back at v1."
        edit.finish()
        (await editor.started()).finish()
        (await editor.started()).finish()
        assert [turn.state for turn in await d.done(second, third, fourth)] == [TurnState.DONE] * 3


WHAT = "What did you mean instead?"


@pytest.mark.parametrize("words", ["no not like that", "that's wrong", "nein, nicht so", "así no"])
@pytest.mark.parametrize("is_named", [False, True], ids=["in a chat", "on the page"])
async def test_a_rejection_undoes_the_result_and_asks_what_was_meant(tmp_path, words, is_named):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        [*_, last] = await three_versions(d)
        asked = d.asked(words, turn=last if is_named else None, addressing=Addressing.FORM)
        shown = await d.workflow.handle(asked)
        assert isinstance(shown, ShownVersion)
        assert in_english(shown.note) == f"Back at v2. {WHAT}"
        assert await says(d, "redo") == "Now at v3."


async def test_an_instruction_after_a_rejection_starts_before_the_result(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await three_versions(d)
        card = (await d.accepted("no, not like that, make it green")).card
        assert (card.instruction, title_of(card)) == ("make it green", "v4 · from v2")


@pytest.mark.parametrize("is_named", [False, True], ids=["in a chat", "on the page"])
async def test_a_rejected_question_or_refusal_undoes_no_result(tmp_path, is_named):
    async with workflow_room(tmp_path, AskingEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        last = (await d.accepted("maybe make it blue")).card
        await d.idle()
        turn = last.parent if is_named else None
        reply = await d.workflow.handle(d.asked("that's not what I meant", turn=turn))
        assert isinstance(reply, Note)
        assert reply.text.code == "say_differently"
        card = (await d.accepted("no, not like that, make it green", turn=turn)).card
        assert title_of(card) == "v2 · from v1"


async def test_nothing_is_undone_where_there_is_no_result(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.workflow.handle(d.asked(picture=a_picture()))
        reply = await d.workflow.handle(d.asked("not like that"))
        assert isinstance(reply, Note)
        assert reply.text.code == "say_differently"


async def test_no_after_a_result_asks_for_other_words(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await three_versions(d)
        reply = await d.workflow.handle(d.asked("no", addressing=Addressing.FORM))
        assert isinstance(reply, Reacted)
        assert reply.text.code == "say_differently"
