"""What a killed bot owes, it does after its next start: once, in order."""

import asyncio
import random
from pathlib import Path

import pytest

from bot.chat.replies import CardState
from conversations.images.picture_reader import PictureReader
from conversations.store.session_store import SessionStore
from conversations.turn import Turn, TurnState
from mgie_engine.edits import EditRequest, EditResult, Report
from tests.support.english import title_of
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture, echo
from tests.support.workflow_room import PaperChat, WorkflowRoom, workflow_room


async def test_a_running_and_two_waiting_turns_are_answered_after_a_restart(tmp_path):
    chat = PaperChat()
    async with workflow_room(tmp_path, ScriptedEditor(), chat) as d:
        replies = [await d.accepted("make it red", p, picture=a_picture()) for p in ("ann", "bob", "eve")]
    assert chat.posted == {}
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        assert await d.workflow.resume("paper") == 3
        turns = await d.done(*(reply.card.turn_id for reply in replies))
    assert [turn.state for turn in turns] == [TurnState.DONE] * 3
    assert sorted(chat.posted) == sorted(f"{turn.id}-done" for turn in turns)


async def test_a_result_of_an_attempt_that_is_not_the_last_does_not_count(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        reply = await d.accepted("make it red", picture=a_picture())
        edit = await editor.started()
        await d.store.begin_attempt(reply.card.turn_id)  # by whoever took the turn over
        edit.finish()
        await d.idle()
        turn = await d.store.turn(reply.card.turn_id)
    assert (turn.state, turn.attempt, turn.image) == (TurnState.RUNNING, 2, None)


async def test_an_edit_whose_engine_died_is_the_second_attempt(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        reply = await d.accepted("make it red", picture=a_picture())
        (await editor.started()).die()
        (await editor.started()).finish()
        [turn] = await d.done(reply.card.turn_id)
    assert (turn.state, turn.attempt) == (TurnState.DONE, 2)


async def test_turns_are_taken_up_in_the_order_they_were_asked(tmp_path):
    async with workflow_room(tmp_path, ScriptedEditor()) as d:
        for number in range(5):
            await d.accepted(f"edit {number}", f"person {number}", picture=a_picture())
            d.clock.now += 1
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.workflow.resume("paper")
        heard = []
        for _ in range(5):
            edit = await editor.started()
            heard.append(edit.request.instruction)
            edit.finish()
        await d.idle()
    assert heard == [f"edit {number}" for number in range(5)]


async def test_a_chain_of_dependent_turns_survives(tmp_path):
    async with workflow_room(tmp_path, ScriptedEditor()) as d:
        await d.accepted("make the ball red", picture=a_picture())
        await d.accepted("now blue")
        last = await d.accepted("and darker")
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.workflow.resume("paper")
        [turn] = await d.done(last.card.turn_id)
        assert turn.state is TurnState.DONE
        assert title_of(d.chat.finals(turn.id)[0]) == "v3 · from v2"


async def test_a_result_that_was_posted_before_the_crash_is_not_posted_again(tmp_path):
    chat = PaperChat()
    async with workflow_room(tmp_path, ScriptedEditor(), chat) as d:
        reply = await d.accepted("make the ball red", picture=a_picture())
        turn = await d.store.turn(reply.card.turn_id)
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        await store.set_state(turn.id, TurnState.DELIVERING, image="ab" * 32)
    chat.posted[f"{turn.id}-done"] = "m-1"
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        await d.workflow.resume("paper")
        [turn] = await d.done(turn.id)
    assert (turn.state, turn.delivered, chat.finals(turn.id)) == (TurnState.DONE, "m-1", [])


async def test_a_result_that_was_stored_but_not_posted_is_posted_without_painting_again(tmp_path):
    chat = PaperChat()
    chat.breaks = 10**6
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        reply = await d.accepted("make the ball red", picture=a_picture())
        [turn] = await d.done(reply.card.turn_id)
        assert turn.state is TurnState.DELIVERING
    chat.breaks = 0
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor, chat) as d:
        await d.workflow.resume("paper")
        [turn] = await d.done(turn.id)
    assert (turn.state, editor.edits) == (TurnState.DONE, [])
    assert chat.states(turn.id) == [CardState.DONE]


async def test_a_chat_that_is_back_gets_what_could_not_be_shown(tmp_path):
    chat = PaperChat()
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        chat.breaks = 10**6
        reply = await d.accepted("make the ball red", picture=a_picture())
        await d.idle()
        chat.breaks = 0
        assert await d.workflow.resume("paper") == 1
        [turn] = await d.done(reply.card.turn_id)
    assert turn.state is TurnState.DONE


async def test_what_a_long_outage_left_behind_is_taken_up_by_itself(tmp_path):
    chat = PaperChat()
    async with workflow_room(tmp_path, EchoEditor(), chat, every_s=0.01) as d:
        chat.breaks = 7  # more than one round of tries
        reply = await d.accepted("make the ball red", picture=a_picture())
        await chat.saw(lambda card: card.state is CardState.DONE)
        [turn] = await d.done(reply.card.turn_id)
    assert turn.state is TurnState.DONE


async def test_resuming_twice_runs_nothing_twice(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make the ball red", picture=a_picture())
        assert await d.workflow.resume("paper") == 0
        (await editor.started()).finish()
        await d.idle()
        assert await d.workflow.resume("paper") == 0
    assert len(editor.edits) == 1


async def test_turns_of_a_chat_that_is_not_here_stay_as_they_are(tmp_path):
    async with workflow_room(tmp_path, ScriptedEditor()) as d:
        reply = await d.accepted("make the ball red", picture=a_picture())
    async with workflow_room(tmp_path, EchoEditor()) as d:
        assert await d.workflow.resume("another") == 0
        [turn] = await d.done(reply.card.turn_id)
    assert not turn.state.is_final


async def test_a_failure_nobody_was_told_of_is_told_after_the_restart(tmp_path):
    chat = PaperChat()
    async with workflow_room(tmp_path, editor := ScriptedEditor(), chat) as d:
        reply = await d.accepted("make the ball red", picture=a_picture())
        chat.breaks = 10**6
        (await editor.started()).die()
        (await editor.started()).die()
        await d.idle()
    chat.breaks = 0
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        await d.workflow.resume("paper")
        [turn] = await d.done(reply.card.turn_id)
    assert (turn.state, list(chat.posted)) == (TurnState.FAILED, [f"{turn.id}-failed"])


async def test_an_event_replayed_after_the_restart_is_not_a_new_edit(tmp_path):
    chat = PaperChat()
    async with workflow_room(tmp_path, ScriptedEditor(), chat) as d:
        event = d.asked("make the ball red", picture=a_picture())
        await d.workflow.handle(event)
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        await d.workflow.resume("paper")
        assert await d.workflow.handle(event) is None
        await d.idle()
    assert len(chat.posted) == 1


# -- many people, many deaths ----------------------------------------------------------------


class SlowEditor(EchoEditor):
    """Takes a few turns of the loop for each edit, so that a death finds edits in every state."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(slots=3)
        self._rng = rng

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """Dawdle, then give the picture back."""
        for _ in range(self._rng.randrange(6)):
            await asyncio.sleep(0)
        return echo(request)


class FlakyChat(PaperChat):
    """Now and then the answer is lost: sometimes before the message went out, sometimes after."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng

    async def show(self, turn: Turn, card):
        """Show, with luck."""
        self.breaks = int(self._rng.random() < 0.1)
        self.dies_after_posting = self._rng.random() < 0.1
        for _ in range(self._rng.randrange(4)):
            await asyncio.sleep(0)
        return await super().show(turn, card)


async def a_life(folder: Path, chat: FlakyChat, rng: random.Random, count: int, accepted: list[str]) -> None:
    """Serve for a while; people ask for this and that, each on top of what they have."""
    async with workflow_room(folder, SlowEditor(rng), chat) as d:
        await d.workflow.resume("paper")
        for _ in range(count):
            await one_edit(d, rng, accepted)
        await d.idle()


async def one_edit(d: WorkflowRoom, rng: random.Random, accepted: list[str]) -> None:
    """Somebody asks; what was accepted must be answered."""
    user, channel = f"p{rng.randrange(6)}", f"c{rng.randrange(3)}"
    picture = a_picture() if rng.random() < 0.3 else None
    event_id = f"paper:{rng.getrandbits(64)}"
    event = d.asked(f"make ball {len(accepted)} red", user, channel, picture=picture, event_id=event_id)
    for _ in range(1 + (rng.random() < 0.2)):  # now and then the event comes twice
        reply = await d.workflow.handle(event)
        if reply is not None and hasattr(reply, "card"):
            accepted.append(reply.card.turn_id)


async def killed_after(steps: int, work) -> bool:
    """Run `work` for so many turns of the loop, then kill it between two of them; whether it had ended."""
    task = asyncio.ensure_future(work)
    for _ in range(steps):
        if task.done():
            break
        await asyncio.sleep(0.0005)
    ended = task.done()
    task.cancel()
    await asyncio.wait([task])
    return ended


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_dies_when_every_accepted_edit_is_answered_once(tmp_path, seed):
    rng = random.Random(seed)
    chat, accepted, lives = FlakyChat(rng), [], 0
    while lives < 12 or len(accepted) <= 20:  # a slow machine accepts less in the same time
        lives += 1
        await PictureReader().read(a_picture())  # so that a child process is ready
        await killed_after(rng.randrange(1, 160), a_life(tmp_path, chat, rng, 12, accepted))
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        chat.show = lambda turn, card: PaperChat.show(chat, turn, card)  # type: ignore[method-assign]
        chat.breaks, chat.dies_after_posting = 0, False
        await d.workflow.resume("paper")
        await d.idle()
        counts = await d.store.count_states()
    assert len(accepted) == len(set(accepted))
    assert {nonce.removesuffix("-done") for nonce in chat.posted} >= set(accepted)
    assert all(len(chat.finals(turn_id)) == 1 for turn_id in accepted)
    assert counts[TurnState.DONE] == len(chat.posted)
    assert sum(counts.values()) == counts[TurnState.DONE]
