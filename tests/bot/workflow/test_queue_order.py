"""Waiting: how many may, who may cancel, what is told, and what a drain leaves."""

import asyncio

from bot.chat.events import CancelAsked, HelpAsked, InfoAsked, QueueAsked
from bot.chat.replies import CardState, Note, Queue
from bot.policy.limits import Limits
from conversations.turn import TurnState
from mgie_engine.edits import DeviceState
from tests.support.english import english, in_english, title_of
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.workflow_room import PaperChat, WorkflowRoom, workflow_room


async def says(d: WorkflowRoom, event) -> str:
    reply = await d.workflow.handle(event)
    assert isinstance(reply, Note | Queue), reply
    return in_english(reply.text)


async def test_one_user_may_let_three_wait_beside_the_running_one(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        session = await d.upload()
        for _ in range(4):
            await d.accepted("make it red", turn=session.root.id)
            if not editor.edits:
                await editor.started()
        text = await says(d, d.asked("make it red", turn=session.root.id))
    assert text == "You already have 3 edits in the queue; the limit is 3. Try again when one is done."


async def test_a_full_line_says_so_and_saves_nothing(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor, limits=Limits(waiting=2)) as d:
        for user in ("ann", "bob", "eve"):
            await d.accepted("make it red", user, picture=a_picture())
            if user == "ann":
                await editor.started()
        text = await says(d, d.asked("make it red", "joe", picture=a_picture()))
        counts = await d.store.count_states()
    assert text.startswith("The queue is full: 2 edits are waiting.")
    assert counts[TurnState.WAITING] + counts[TurnState.RUNNING] == 3


async def test_requests_that_come_too_fast_say_when_to_come_back(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), limits=Limits(requests=2, window_s=12)) as d:
        session = await d.upload()
        await d.accepted("make it red", turn=session.root.id)
        assert (
            await says(d, d.asked("blue")) == "Too many requests: the limit is 2 in 12 s. Try again in 12 s."
        )
        d.clock.now += 12
        await d.accepted("make it blue")


async def test_too_many_words_and_none_at_all_get_a_sentence(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        assert (await says(d, d.asked(f"make it {'r' * 393}"))).startswith(
            "Your instruction has 401 characters; the limit is 400"
        )
        assert (await says(d, d.asked("  "))).startswith("Tell me what to change")


async def test_a_waiting_turn_is_cancelled_and_stays_so(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it red", "bob", picture=a_picture())
        running = await editor.started()
        reply = await d.accepted("make it red", picture=a_picture())
        assert await says(d, CancelAsked(**d.origin())) == "v1 is cancelled. It does not count."
        running.finish()
        [turn] = await d.done(reply.card.turn_id)
    assert (turn.state, len(editor.edits)) == (TurnState.CANCELLED, 1)
    assert [in_english(card.status) for card in d.chat.finals(turn.id)] == ["Cancelled. It does not count."]


async def test_a_running_turn_is_cancelled_by_word(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        reply = await d.accepted("make it red", picture=a_picture())
        edit = await editor.started()
        assert await says(d, d.asked("stop")) == "v1 is cancelled. It does not count."
        [turn] = await d.done(reply.card.turn_id)
    assert (turn.state, edit.cancelled) == (TurnState.CANCELLED, True)


async def test_a_dependent_turn_is_cancelled_while_its_parent_runs(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it red", picture=a_picture())
        edit = await editor.started()
        child = await d.accepted("now blue")
        assert await says(d, CancelAsked(**d.origin(), turn=child.card.turn_id)) == (
            "v2 is cancelled. It does not count."
        )
        edit.finish()
        await d.idle()
        assert title_of((await d.accepted("now green")).card) == "v3 · from v1"


async def test_only_the_owner_or_a_moderator_cancels(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        reply = await d.accepted("make it red", picture=a_picture())
        turn = reply.card.turn_id
        refused = await says(d, CancelAsked(**d.origin("bob"), turn=turn))
        assert refused == "Only the user who requested v1 can do that."
        allowed = CancelAsked(**d.origin("bob"), turn=turn, is_moderator=True)
        assert await says(d, allowed) == "v1 is cancelled. It does not count."


async def test_a_moderator_of_another_channel_cancels_nothing_here(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        turn = (await d.accepted("make it red", picture=a_picture())).card.turn_id
        await editor.started()
        for is_moderator in (True, False):
            foreign = CancelAsked(**d.origin("bob", "c2"), turn=turn, is_moderator=is_moderator)
            assert await says(d, foreign) == english("no_such_version", version=turn)
        assert (await d.store.turn(turn)).state is TurnState.RUNNING
        own = CancelAsked(**d.origin("ann", "c2"), turn=turn)
        assert await says(d, own) == "v1 is cancelled. It does not count."


async def test_what_is_over_cannot_be_cancelled(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        reply = await d.accepted("make it red", picture=a_picture())
        await d.idle()
        over = CancelAsked(**d.origin(), turn=reply.card.turn_id)
        assert await says(d, over) == "v1 is neither waiting nor running."
        assert await says(d, CancelAsked(**d.origin())) == "You have no edits queued or running here."


async def test_the_queue_shows_mine_and_how_busy_it_is(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it red", "bob", picture=a_picture())
        await editor.started()
        await d.accepted("make it blue", picture=a_picture())
        assert await says(d, QueueAsked(**d.origin())) == (
            "v1 “make it blue”: Position 1 of 1 in the queue\nIn total: 1 waiting, 1 running."
        )
        assert (await says(d, QueueAsked(**d.origin("eve")))).startswith("You have no edits in the queue.")


async def test_users_see_when_they_move_up(tmp_path):
    chat, editor = PaperChat(), ScriptedEditor()
    async with workflow_room(tmp_path, editor, chat, every_s=0.01) as d:
        for user in ("ann", "bob", "eve"):
            last = await d.accepted("make it red", user, picture=a_picture())
        assert in_english(last.card.status) == "Position 2 of 2 in the queue"
        (await editor.started()).finish()
        await chat.saw(
            lambda card: (
                card.turn_id == last.card.turn_id and in_english(card.status).startswith("Position 1")
            )
        )


async def test_info_names_model_and_licence(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        text = await says(d, InfoAsked(**d.origin()))
    assert "test-model (ready)" in text
    assert "CC-BY-NC" in text
    assert "non-commercial" in text
    assert "Apache-2.0" in text


async def test_info_names_every_device_of_several(tmp_path):
    editor = EchoEditor()
    editor.devices = (
        DeviceState("cuda:0", True, slots=8, running=3, deaths=0),
        DeviceState("cuda:1", False, slots=8, running=0, deaths=1),
        DeviceState("cuda:2", False, slots=2, running=0, deaths=0, fault="No room."),
    )
    async with workflow_room(tmp_path, editor) as d:
        text = await says(d, InfoAsked(**d.origin()))
    assert "**cuda:0:** 3 of 8 edits running" in text
    assert "**cuda:1:** the model is being loaded" in text
    assert "**cuda:2:** the model cannot be loaded" in text


async def test_help_is_one_note(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        assert "Edit pictures by talking" in await says(d, HelpAsked(**d.origin()))
        assert await says(d, d.asked("help")) == await says(d, HelpAsked(**d.origin()))


async def test_a_drain_finishes_what_runs_and_keeps_what_waits(tmp_path):
    chat, editor = PaperChat(), ScriptedEditor()
    async with workflow_room(tmp_path, editor, chat) as d:
        running = await d.accepted("make it red", picture=a_picture())
        edit = await editor.started()
        waiting = await d.accepted("make it red", "bob", picture=a_picture())
        dependent = await d.accepted("now blue")
        draining = asyncio.create_task(d.workflow.drain(30))
        await asyncio.sleep(0)  # lets it begin
        refused = await says(d, d.asked("make it green", "eve", picture=a_picture()))
        edit.finish()
        await draining
        ids = [reply.card.turn_id for reply in (running, waiting, dependent)]
        states = [(await d.store.turn(turn_id)).state for turn_id in ids]
    assert refused.startswith("The bot is restarting")
    assert states == [TurnState.DONE, TurnState.WAITING, TurnState.WAITING]
    assert list(chat.posted) == [f"{ids[0]}-done"]


async def test_a_drain_does_not_wait_for_ever(tmp_path):
    chat, editor = PaperChat(), ScriptedEditor()
    async with workflow_room(tmp_path, editor, chat) as d:
        reply = await d.accepted("make it red", picture=a_picture())
        await editor.started()
        await d.workflow.drain(0)
        turn = await d.store.turn(reply.card.turn_id)
    assert (turn.state, chat.posted) == (TurnState.WAITING, {})
    assert chat.states(turn.id)[-1] in (CardState.QUEUED, CardState.RUNNING)
