"""What the model declines is an answer: no version, not counted, not what undo undoes."""

from dataclasses import replace

import pytest

from bot.chat.events import ButtonAction
from bot.chat.replies import CardState, ShownVersion
from bot.workflow.decline_reasons import reason_declined
from conversations.turn import TurnState
from mgie_engine.edits import EditRequest, EditResult, Report
from tests.support.fakes import EchoEditor, a_picture
from tests.support.workflow_room import workflow_room

CANNOT = "Nothing changes. I can change drawn things, and the light and colour of any picture."


class Declining(EchoEditor):
    """Declines every instruction that names a dog."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        result = await super().run(request, report)
        if "dog" not in request.instruction:
            return result
        return replace(result, image=request.image, expressive=CANNOT, is_declined=True)


async def test_a_declined_edit_is_an_answer(tmp_path):
    async with workflow_room(tmp_path, Declining()) as d:
        first = await d.accepted("make it red", picture=a_picture())
        await d.idle()
        declined = await d.accepted("add a dog")
        (turn,) = await d.done(declined.card.turn_id)
        assert (turn.state, turn.image) == (TurnState.FAILED, None)
        (card,) = d.chat.finals(turn.id)
        assert card.is_answer
        assert card.state is CardState.FAILED
        assert card.status is not None
        assert (card.status.code, card.status.params["things"]) == ("declined_thing", "dog")
        assert [button.act for button in card.buttons] == [ButtonAction.SAY] * 3
        then = await d.accepted("make it darker")
        assert then.card.version == "v2"
        session = await d.store.session(turn.session_id)
        assert [turn.label for turn in session.turns.values()] == ["v0", "v1", turn.id, "v2"]
        assert then.card.parent == first.card.turn_id
        await d.idle()
        shown = await d.workflow.handle(d.asked("undo"))
        assert isinstance(shown, ShownVersion)
        assert shown.card.turn_id == first.card.turn_id


@pytest.mark.parametrize(
    ("instruction", "expressive", "code"),
    [
        ("add a dog", CANNOT, "declined_thing"),
        ("is it warm there?", CANNOT, "declined_question"),
        ("crop it to the left half", CANNOT, "declined_shape"),
        ("fix the white balance", CANNOT, "declined_shape"),
        ("make it nicer", CANNOT, "declined"),
        ("leave everything as it is", "Nothing changes, as you asked.", "declined_as_asked"),
    ],
)
def test_every_refusal_says_why(instruction, expressive, code):
    assert reason_declined(instruction, expressive).code == code
