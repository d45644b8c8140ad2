"""A replica edits while somebody waits, and stops when nobody does."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from mgie_engine.cluster.cluster_messages import (
    Held,
    NoFreeSlot,
    OtherWeights,
    ReplicaOrder,
    SignOfLife,
    Unheard,
    edit_message,
    read_event,
)
from mgie_engine.cluster.replica import Replica
from mgie_engine.edits import EditResult, Progress
from mgie_engine.errors import EngineDied, EngineError, RequestRefused
from tests.support.fakes import ScriptedEdit, ScriptedEditor, a_request, painting


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def editor() -> ScriptedEditor:
    return ScriptedEditor(slots=4)


@pytest.fixture
async def replica(editor: ScriptedEditor, clock: Clock) -> AsyncGenerator[Replica, None]:
    made = Replica(editor, "r1", "w", progress_every_s=0.0, clock=clock)
    await made.start()
    async with asyncio.timeout(60):
        yield made
    await made.close()


def order(key: str = "k1", *, bot: str = "bot", instance: int = 7, weights: str = "w") -> dict:
    return edit_message(ReplicaOrder(bot, instance, key, weights, a_request()))


async def ends(replica: Replica, message: object) -> Held | Progress | EditResult | EngineError:
    """How an edit ends."""
    return [read_event(event) async for event in replica.edit(message)][-1]


async def begun(
    replica: Replica, editor: ScriptedEditor, message: object
) -> tuple[asyncio.Task, ScriptedEdit]:
    task = asyncio.create_task(ends(replica, message))
    return task, await editor.started()


def sign(*keys: str, bot: str = "bot", instance: int = 7, count: int = 1) -> SignOfLife:
    return SignOfLife(bot, instance, count, list(keys))


async def test_an_edit_gives_progress_and_its_picture(replica: Replica, editor: ScriptedEditor):
    events = replica.edit(order())
    assert read_event(await anext(events)) == Held()
    first = asyncio.ensure_future(anext(events))
    edit = await editor.started()
    edit.report(painting(1))
    assert read_event(await first) == painting(1)
    edit.finish()
    assert isinstance(read_event(await anext(events)), EditResult)
    assert [event async for event in events] == []


async def test_of_much_progress_the_latest_is_sent_with_the_preview_that_was_not(
    replica: Replica, editor: ScriptedEditor
):
    events = replica.edit(order())
    assert read_event(await anext(events)) == Held()
    first = asyncio.ensure_future(anext(events))
    edit = await editor.started()
    edit.report(painting(1, preview=b"early"))
    edit.report(painting(2))
    edit.report(painting(3))
    assert read_event(await first) == painting(3, preview=b"early")
    edit.finish()
    await events.aclose()


async def test_a_long_step_does_not_silence_the_replica(editor: ScriptedEditor):
    replica = Replica(editor, "r1", "w", held_every_s=0.01)
    await replica.start()
    events = replica.edit(order())
    async with asyncio.timeout(60):
        assert [read_event(await anext(events)) for _ in range(3)] == [Held(), Held(), Held()]
        await events.aclose()
    await replica.close()


async def test_an_edit_of_which_nothing_is_heard_is_dropped(
    replica: Replica, editor: ScriptedEditor, clock: Clock
):
    silent, silent_edit = await begun(replica, editor, order("k1"))
    heard, heard_edit = await begun(replica, editor, order("k2"))
    for _ in range(6):
        clock.now += 2.0
        replica.hear(sign("k2"))
        replica.drop_unheard()
    assert isinstance(await silent, Unheard)
    assert silent_edit.cancelled
    heard_edit.finish()
    assert isinstance(await heard, EditResult)


async def test_a_sign_that_comes_late_but_in_time_keeps_an_edit(
    replica: Replica, editor: ScriptedEditor, clock: Clock
):
    task, edit = await begun(replica, editor, order())
    clock.now += 8.0
    replica.drop_unheard()
    edit.finish()
    assert isinstance(await task, EditResult)


async def test_a_later_run_of_the_bot_drops_the_edits_of_the_earlier_at_once(
    replica: Replica, editor: ScriptedEditor
):
    old, old_edit = await begun(replica, editor, order(instance=7))
    other, other_edit = await begun(replica, editor, order(bot="another", instance=1))
    replica.hear(sign(instance=8))
    assert isinstance(await old, Unheard)
    assert old_edit.cancelled
    other_edit.finish()
    assert isinstance(await other, EditResult)


async def test_an_edit_for_other_weights_is_turned_away(replica: Replica, editor: ScriptedEditor):
    assert isinstance(await ends(replica, order(weights="v")), OtherWeights)
    assert editor.edits == []


async def test_no_more_edits_run_than_there_are_slots(replica: Replica, editor: ScriptedEditor):
    for number in range(4):
        await begun(replica, editor, order(f"k{number}"))
    assert isinstance(await ends(replica, order("k4")), NoFreeSlot)


async def test_what_cannot_be_read_is_turned_away(replica: Replica):
    assert "No message" in str(await ends(replica, {"edit": "me"}))


async def test_closing_the_events_cancels_the_edit(replica: Replica, editor: ScriptedEditor):
    events = replica.edit(order())
    assert read_event(await anext(events)) == Held()
    first = asyncio.ensure_future(anext(events))
    edit = await editor.started()
    edit.report(painting(1))
    await first
    await events.aclose()
    assert edit.cancelled
    assert replica.status("bot", 7).running == 0


async def test_an_edit_that_is_sent_again_under_its_key_outlives_the_first(
    replica: Replica, editor: ScriptedEditor
):
    first, first_edit = await begun(replica, editor, order())
    second, second_edit = await begun(replica, editor, order())
    first.cancel()
    await asyncio.wait((first,))
    assert first_edit.cancelled
    assert replica.status("bot", 7).mine == ["k1"]
    second.cancel()
    await asyncio.wait((second,))
    assert second.cancelled()
    assert second_edit.cancelled
    assert replica.status("bot", 7).running == 0


async def test_cancelling_who_waits_for_an_event_cancels_the_edit(replica: Replica, editor: ScriptedEditor):
    task, edit = await begun(replica, editor, order())
    task.cancel()
    await asyncio.wait((task,))
    assert edit.cancelled


@pytest.mark.parametrize(
    ("error", "arrives"), [(RequestRefused("no"), RequestRefused), (EngineDied("gone"), EngineDied)]
)
async def test_how_the_engine_fails_is_told(
    replica: Replica, editor: ScriptedEditor, error: EngineError, arrives: type[EngineError]
):
    task, edit = await begun(replica, editor, order())
    edit.fail(error)
    assert type(await task) is arrives


async def test_the_status_says_whose_edits_run(replica: Replica, editor: ScriptedEditor):
    for number, bot in enumerate(("bot", "bot", "another")):
        await begun(replica, editor, order(f"k{number}", bot=bot))
    status = replica.status("bot", 7)
    assert (status.slots, status.running, status.mine, status.ready) == (4, 3, ["k0", "k1"], True)
