"""The bot asks whether it understood, before it paints; the answer is an edit, and nothing is asked twice."""

from dataclasses import replace

import pytest

from bot.chat.events import ButtonAction, Scope, SettingsAsked, origin
from bot.chat.replies import Accepted, Card, CardState, Note, ShownVersion
from bot.workflow.button_events import button_event
from conversations.settings import SettingsOverride
from conversations.turn import TurnState
from tests.support.asking_editor import AskingEditor
from tests.support.english import in_english
from tests.support.fakes import a_picture
from tests.support.workflow_room import WorkflowRoom, workflow_room

UNSURE, REGION = "maybe make it blue", "make the sky darker"


async def asked_about(d: WorkflowRoom, words: str = UNSURE, **more) -> Card:
    """The card of the question to these words; the first ones bring a picture."""
    accepted = await d.accepted(words, picture=None if d.chat.shown else a_picture(), **more)
    await d.idle()
    (card,) = d.chat.finals(accepted.card.turn_id)
    return card


async def answer(d: WorkflowRoom, act: ButtonAction, turn: str):
    who = origin(replace(d.asked(""), event_id=f"e:{act}"))
    reply = await d.workflow.handle(button_event(act, turn, **who))
    await d.idle()
    return reply


async def test_a_doubtful_reading_is_shown_and_asked_about(tmp_path):
    editor = AskingEditor()
    async with workflow_room(tmp_path, editor) as d:
        card = await asked_about(d)
        assert (card.state, card.is_answer, card.after) == (CardState.FAILED, True, None)
        assert (card.status.code, card.expressive) == ("asks_unsure", "The ball turns blue.")
        assert card.confidence == 0.5
        assert [button.act for button in card.buttons] == [
            ButtonAction.DO_IT,
            ButtonAction.DO_OTHER,
            ButtonAction.REFINE,
        ]
        assert editor.painted == []


@pytest.mark.parametrize(
    ("act", "reading"),
    [(ButtonAction.DO_IT, "The ball turns blue."), (ButtonAction.DO_OTHER, "The car turns blue.")],
)
async def test_an_answer_is_an_edit_with_that_reading_after_a_restart_too(tmp_path, act, reading):
    async with workflow_room(tmp_path, AskingEditor()) as d:
        card = await asked_about(d)
    editor = AskingEditor()
    async with workflow_room(tmp_path, editor) as d:
        reply = await answer(d, act, card.turn_id)
        assert isinstance(reply, Accepted)
        assert [(request.instruction, request.reading) for request in editor.painted] == [(UNSURE, reading)]
        (turn,) = await d.done(reply.card.turn_id)
        assert (turn.state, turn.parent_id) == (TurnState.DONE, card.parent)


async def test_a_named_part_that_the_model_cannot_address_is_asked_about(tmp_path):
    async with workflow_room(tmp_path, AskingEditor()) as d:
        card = await asked_about(d, REGION)
        assert (card.status.code, card.status.params["region"]) == ("asks_whole", "sky")
        assert [button.act for button in card.buttons] == [ButtonAction.DO_IT, ButtonAction.REFINE]


@pytest.mark.parametrize("words", ["yes", "ja", "do it", "👍"])
@pytest.mark.parametrize("names_version", [False, True], ids=["in a chat", "on the page"])
async def test_yes_is_an_answer(tmp_path, words, names_version):
    editor = AskingEditor()
    async with workflow_room(tmp_path, editor) as d:
        card = await asked_about(d)
        answered = d.asked(words, turn=card.parent if names_version else None)
        assert isinstance(await d.workflow.handle(answered), Accepted)
        await d.idle()
        assert [request.reading for request in editor.painted] == ["The ball turns blue."]


async def test_no_paints_nothing(tmp_path):
    editor = AskingEditor()
    async with workflow_room(tmp_path, editor) as d:
        await asked_about(d)
        said = await d.workflow.handle(d.asked("no"))
        assert isinstance(said, Note)
        assert said.text.code == "say_differently"
        assert editor.painted == []


@pytest.mark.parametrize("words", [UNSURE, "again", "stronger"])
async def test_nothing_is_asked_twice(tmp_path, words):
    editor = AskingEditor()
    async with workflow_room(tmp_path, editor) as d:
        await asked_about(d)
        await d.accepted(words)
        await d.idle()
        assert len(editor.painted) == 1


async def test_other_words_go_on_from_the_version_before_also_in_reply_to_the_question(tmp_path):
    async with workflow_room(tmp_path, AskingEditor()) as d:
        card = await asked_about(d)
        then = await d.accepted("make it red", turn=card.turn_id)
        assert then.card.parent == card.parent
        await d.idle()
        shown = await d.workflow.handle(d.asked("undo"))
        assert isinstance(shown, ShownVersion)
        assert shown.card.turn_id == card.parent


NAMED = pytest.mark.parametrize("named", ["", "parent", "question"])  # by a chat, by the page, in a reply


def naming(card: Card, named: str) -> str | None:
    return {"": None, "parent": card.parent, "question": card.turn_id}[named]


@NAMED
async def test_undo_drops_a_question_about_the_upload(tmp_path, named):
    async with workflow_room(tmp_path, AskingEditor()) as d:
        card = await asked_about(d)
        shown = await d.workflow.handle(d.asked("undo", turn=naming(card, named)))
        assert isinstance(shown, ShownVersion)
        assert (shown.note.code, shown.card.turn_id) == ("question_dropped", card.parent)
        assert not isinstance(await d.workflow.handle(d.asked("yes")), Accepted)
        assert "nothing to undo" in in_english((await d.workflow.handle(d.asked("undo"))).text)


@NAMED
async def test_undo_drops_a_question_and_undoes_the_result_before_it(tmp_path, named):
    async with workflow_room(tmp_path, AskingEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        card = await asked_about(d)
        shown = await d.workflow.handle(d.asked("undo", turn=naming(card, named)))
        assert isinstance(shown, ShownVersion)
        assert shown.card.version == "v0"
        assert not isinstance(await d.workflow.handle(d.asked("yes")), Accepted)


@pytest.mark.parametrize("named", ["", "parent"])
@pytest.mark.parametrize(("words", "painted"), [("a bit less", "make it red"), ("again", UNSURE)])
async def test_less_means_the_result_before_a_question_and_again_the_question(
    tmp_path, named, words, painted
):
    editor = AskingEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        card = await asked_about(d)
        await d.accepted(words, turn=naming(card, named))
        await d.idle()
        assert editor.painted[-1].instruction == painted


@pytest.mark.parametrize("named", ["", "parent"])
async def test_less_means_the_question_where_there_is_no_result(tmp_path, named):
    editor = AskingEditor()
    async with workflow_room(tmp_path, editor) as d:
        card = await asked_about(d)
        await d.accepted("a bit less", turn=naming(card, named))
        await d.idle()
        assert [request.reading for request in editor.painted] == ["The ball turns blue."]


async def test_a_user_can_switch_the_questions_off(tmp_path):
    editor = AskingEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        who = d.asked("")
        off = SettingsOverride(ask="off")
        await d.workflow.handle(
            SettingsAsked(user=who.user, channel=who.channel, event_id="e:off", scope=Scope.ME, override=off)
        )
        await d.accepted(REGION)
        await d.idle()
        assert [request.instruction for request in editor.painted] == ["make it red", REGION]
