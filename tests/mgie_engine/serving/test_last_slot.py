"""The last free slot is kept from those who run an edit already, while others ask."""

from mgie_engine.serving.last_slot import LATELY_S, LastSlot
from mgie_engine.serving.service import EditHandle, EditService
from tests.support.fakes import ScriptedEditor, a_request


def ask(service: EditService, key: str, owner: str) -> EditHandle:
    return service.submit_nowait(key, owner, a_request())


def test_who_asks_alone_may_fill_every_slot():
    last = LastSlot()
    last.asked("ann", 0.0)
    assert last.may_take("ann", ["ann"], slots=2, now=1.0)


def test_where_others_ask_the_last_slot_is_not_for_whoever_runs_an_edit():
    last = LastSlot()
    last.asked("bob", 0.0)
    last.asked("ann", 0.0)
    assert last.may_take("ann", ["ann"], slots=3, now=1.0)
    assert not last.may_take("ann", ["ann"], slots=2, now=1.0)
    assert last.may_take("bob", ["ann"], slots=2, now=1.0)


def test_after_a_while_without_others_every_slot_is_free_again():
    last = LastSlot()
    last.asked("bob", 0.0)
    last.asked("ann", LATELY_S / 2)
    assert last.may_take("ann", ["ann"], slots=2, now=LATELY_S)


def test_one_slot_alone_is_for_everybody():
    last = LastSlot()
    last.asked("bob", 0.0)
    assert last.may_take("ann", [], slots=1, now=0.0)


async def test_a_newcomer_starts_at_once_beside_a_flood():
    editor = ScriptedEditor(slots=2)
    async with EditService(editor) as service:
        ask(service, "bob1", "bob").cancel()
        flood = [ask(service, f"ann{number}", "ann") for number in range(3)]
        (await editor.started()).finish()
        await flood[0].result()
        await editor.started()
        assert [handle.place().position for handle in flood] == [0, 0, 1]
        newcomer = ask(service, "bob2", "bob")
        await editor.started()
        assert newcomer.place().position == 0
