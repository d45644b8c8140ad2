"""The service keeps slots busy, follows each edit to its end, and never lets one edit harm another."""

import asyncio
from dataclasses import replace

import pytest

from mgie_engine.edits import EditRequest, EditResult, Report
from mgie_engine.errors import (
    EditCancelled,
    EngineDied,
    EngineError,
    QueueFull,
    RequestRefused,
    ServiceClosed,
)
from mgie_engine.serving.queue import QueueLimits
from mgie_engine.serving.service import EditHandle, EditService
from tests.support.fakes import EchoEditor, ScriptedEditor, a_request, echo, painting


class FakeClock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def ask(service: EditService, key: str, owner: str = "ann") -> EditHandle:
    return service.submit_nowait(key, owner, a_request())


async def test_an_edit_gives_its_picture():
    async with EditService(EchoEditor()) as service:
        result = await ask(service, "t1").result()
    assert result.expressive == "(echo)"


async def test_no_more_edits_run_at_once_than_there_are_slots():
    editor = ScriptedEditor(slots=2)
    async with EditService(editor) as service:
        handles = [ask(service, key) for key in "abc"]
        first = await editor.started()
        await editor.started()
        assert [handle.place().position for handle in handles] == [0, 0, 1]
        first.finish()
        await editor.started()
        assert handles[2].place().position == 0


async def test_a_request_may_be_made_when_its_turn_has_come():
    editor, made = ScriptedEditor(), []

    async def make() -> EditRequest:
        made.append("b")
        return a_request()

    async with EditService(editor) as service:
        ask(service, "a")
        later = service.submit_nowait("b", "bob", make)
        first = await editor.started()
        assert made == []
        first.finish()
        (await editor.started()).finish()
        await later.result()
    assert made == ["b"]


async def test_people_take_turns():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        for number in range(3):
            ask(service, f"ann{number}", "ann")
        bob = ask(service, "bob", "bob")
        assert bob.place().position == 1
        (await editor.started()).finish()
        await editor.started()
        assert bob.place().position == 0


async def test_progress_arrives_latest_first_and_ends_with_the_edit():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        handle = ask(service, "t1")
        edit = await editor.started()
        edit.report(painting(1))
        edit.report(painting(2))
        events = handle.events()
        assert (await anext(events)).step == 2
        edit.report(painting(3))
        edit.finish()
        assert [progress.step async for progress in events] == [3]


async def test_every_follower_sees_the_progress():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        handle = ask(service, "t1")
        edit = await editor.started()
        one, two = handle.events(), handle.events()
        waiting = [asyncio.ensure_future(anext(events)) for events in (one, two)]
        edit.report(painting(1))
        assert [progress.step for progress in await asyncio.gather(*waiting)] == [1, 1]


async def test_a_waiting_edit_can_be_cancelled():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        ask(service, "t1")
        second = ask(service, "t2")
        second.cancel()
        with pytest.raises(EditCancelled):
            await second.result()
        assert service.stats().waiting == 0


async def test_a_running_edit_can_be_cancelled_and_frees_its_slot():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        first, second = ask(service, "t1"), ask(service, "t2")
        edit = await editor.started()
        first.cancel()
        with pytest.raises(EditCancelled):
            await first.result()
        (await editor.started()).finish()
        await second.result()
        assert edit.cancelled


async def test_an_edit_cancelled_before_its_first_step_frees_its_slot():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        ask(service, "t1").cancel()
        second = ask(service, "t2")
        (await editor.started()).finish()
        await second.result()
        assert len(editor.edits) == 1


async def test_cancelling_what_is_over_changes_nothing():
    async with EditService(EchoEditor()) as service:
        handle = ask(service, "t1")
        await handle.result()
        handle.cancel()
        assert (await handle.result()).expressive == "(echo)"
        assert service.stats().cancelled == 0


async def test_an_edit_whose_engine_died_is_tried_once_more():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        handle = ask(service, "t1")
        (await editor.started()).die()
        (await editor.started()).finish()
        await handle.result()
        assert service.stats().retried == 1


async def test_an_edit_whose_engine_died_twice_fails():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        handle = ask(service, "t1")
        (await editor.started()).die()
        (await editor.started()).die()
        with pytest.raises(EngineDied):
            await handle.result()
        assert service.stats().failed == 1


async def test_a_second_try_comes_before_what_else_its_owner_asked_for():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        first, second = ask(service, "t1"), ask(service, "t2")
        (await editor.started()).die()
        again = await editor.started()
        assert (first.place().position, second.place().position) == (0, 1)
        again.finish()
        await first.result()


async def test_a_second_try_that_waits_can_be_cancelled():
    editor = ScriptedEditor(slots=2)
    async with EditService(editor) as service:
        asked = ask(service, "t1", "ann"), ask(service, "t2", "bob")
        for _ in asked:
            (await editor.started()).die()
        again = await editor.started()
        asked[1].cancel()
        again.finish()
        await asked[0].result()
        with pytest.raises(EditCancelled):
            await asked[1].result()
        assert len(editor.edits) == 3


async def test_while_a_second_try_runs_first_ones_pass_those_that_wait():
    editor = ScriptedEditor(slots=2)
    async with EditService(editor) as service:
        asked = ask(service, "t1", "ann"), ask(service, "t2", "bob")
        for _ in asked:
            (await editor.started()).die()
        await editor.started()
        ask(service, "t3", "eve")
        (await editor.started()).finish()
        assert asked[1].place().position == 1


async def test_waiting_edits_start_as_soon_as_there_are_more_slots():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        ask(service, "t1")
        ask(service, "t2")
        editor.slots = 2
        editor.changed()
        await editor.started()
        await editor.started()
        assert service.stats().waiting == 0


async def test_second_tries_run_one_at_a_time_so_that_a_deadly_edit_spares_its_neighbours():
    editor = ScriptedEditor(slots=2)
    async with EditService(editor) as service:
        deadly, harmless = ask(service, "t1", "ann"), ask(service, "t2", "bob")
        first, second = await editor.started(), await editor.started()
        first.die()
        second.die()
        (await editor.started()).die()
        (await editor.started()).finish()
        with pytest.raises(EngineDied):
            await deadly.result()
        await harmless.result()


async def test_a_refused_request_fails_alone():
    editor = ScriptedEditor(slots=2)
    async with EditService(editor) as service:
        bad, good = ask(service, "t1"), ask(service, "t2")
        (await editor.started()).fail(RequestRefused("Steps must be at least 1."))
        (await editor.started()).finish()
        with pytest.raises(RequestRefused, match="at least 1"):
            await bad.result()
        await good.result()


class BrokenEditor(EchoEditor):
    """Has a fault of its own."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        raise ZeroDivisionError


async def test_a_fault_of_ours_fails_the_edit_and_not_the_service():
    async with EditService(BrokenEditor()) as service:
        for key in ("t1", "t2"):
            with pytest.raises(EngineError, match="ZeroDivisionError"):
                await ask(service, key).result()


async def test_closing_ends_open_edits_without_calling_them_failed():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        running, waiting = ask(service, "t1"), ask(service, "t2")
        await editor.started()
    for handle in (running, waiting):
        with pytest.raises(ServiceClosed):
            await handle.result()
    assert editor.edits[0].cancelled
    assert editor.closed
    assert service.stats().failed == service.stats().cancelled == 0


async def test_a_closed_service_takes_no_edits():
    async with EditService(EchoEditor()) as service:
        pass
    with pytest.raises(ServiceClosed):
        ask(service, "t1")


async def test_a_full_line_refuses_at_once():
    editor = ScriptedEditor()
    async with EditService(editor, QueueLimits(waiting=1)) as service:
        ask(service, "t1")
        ask(service, "t2")
        with pytest.raises(QueueFull):
            ask(service, "t3")


async def test_one_key_is_one_open_edit():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        handle = ask(service, "t1")
        with pytest.raises(ValueError, match="already open"):
            ask(service, "t1")
        (await editor.started()).finish()
        await handle.result()
        ask(service, "t1")


async def test_an_open_edit_is_found_by_its_key_and_a_finished_one_is_not():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        handle = ask(service, "t1")
        found = service.find("t1")
        assert found is not None
        assert (found.key, found.owner) == ("t1", "ann")
        (await editor.started()).finish()
        await handle.result()
        assert service.find("t1") is None


async def test_a_waiter_who_gives_up_does_not_end_the_edit():
    editor = ScriptedEditor()
    async with EditService(editor) as service:
        handle = ask(service, "t1")
        edit = await editor.started()
        waiter = asyncio.ensure_future(handle.result())
        await asyncio.sleep(0)
        waiter.cancel()
        edit.finish()
        assert (await handle.result()).expressive == "(echo)"


async def test_ready_follows_the_editor():
    editor = ScriptedEditor(ready=False)
    async with EditService(editor) as service:
        assert not service.ready
        editor.ready = True
        assert service.ready
    assert not service.ready


async def test_the_waiting_time_comes_from_measured_edits():
    editor, clock = ScriptedEditor(), FakeClock()
    async with EditService(editor, clock=clock) as service:
        first = ask(service, "t1")
        edit = await editor.started()
        assert ask(service, "t2").place().wait_s is None
        clock.now += 30.0  # of which 20 went by while the model was loaded
        edit.finish(replace(echo(edit.request), seconds={"reading": 3.0, "painting": 7.0}))
        await first.result()
        await editor.started()
        third = ask(service, "t3")
        clock.now += 4.0
        assert third.place().wait_s == pytest.approx(6.0)
        assert service.stats().seconds_per_edit == pytest.approx(10.0)
