"""Auto strengths: stored like any setting, settled when an edit's turn has come, explained on its card."""

from typing import Any

import pytest

from bot.chat.events import EditAsked, GridAsked, Preset, Scope, SettingsAsked, VariationAsked
from bot.chat.replies import Accepted, Card, CardState, SettingsPanel
from conversations.messages import Message
from conversations.settings import SettingsOverride
from conversations.variations import Variation
from mgie_engine.edits import EditRequest
from mgie_engine.strengths import (
    NOT_STUDIED,
    Kind,
    Pictures,
    StrengthRule,
    StrengthTable,
)
from tests.support.english import facts_of, in_english, notes_of
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.workflow_room import WorkflowRoom, workflow_room

ADDING = StrengthTable(
    "test-model", 0.5, (7.5, 1.5), (StrengthRule(Kind.ADD, Pictures.ANY, 11.0, 1.25, (0.1, 0.0, 0.2), 9),)
)


async def set_auto(d: WorkflowRoom, scope: Scope = Scope.ME) -> SettingsPanel:
    asked = SettingsAsked(**d.origin(), preset=Preset.AUTO, scope=scope, is_moderator=True)
    reply = await d.workflow.handle(asked)
    assert isinstance(reply, SettingsPanel)
    return reply


async def final_card(d: WorkflowRoom, text: str) -> Card:
    """The card of an edit of a fresh picture."""
    reply = await d.accepted(text, picture=a_picture())
    await d.idle()
    (card,) = d.chat.finals(reply.card.turn_id)
    assert card.state is CardState.DONE
    return card


async def asked_of_the_engine(d: WorkflowRoom, editor: ScriptedEditor, text: str, **more: Any) -> EditRequest:
    """What the engine is asked for these words; the edit is finished."""
    await d.accepted(text, **more)
    edit = await editor.started()
    edit.finish()
    await d.idle()
    return edit.request


@pytest.mark.parametrize(
    ("scope", "origin"), [(Scope.ME, "you"), (Scope.SESSION, "this session"), (Scope.CHANNEL, "this channel")]
)
async def test_auto_is_kept_and_shown_like_any_setting(tmp_path, scope, origin):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        panel = await set_auto(d, scope)
    rows = {row.name: row for row in panel.rows}
    for setting in ("text_cfg", "image_cfg"):
        assert (in_english(rows[setting].value), rows[setting].setting) == ("auto", "auto")
        assert in_english(rows[setting].origin) == origin


async def test_each_edit_gets_the_numbers_for_its_own_words(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor, strengths=ADDING) as d:
        await set_auto(d)
        adding = await asked_of_the_engine(d, editor, "add a tree", picture=a_picture())
        removing = await asked_of_the_engine(d, editor, "remove the tree")
    assert (adding.settings.text_cfg, adding.settings.image_cfg) == (11.0, 1.25)
    assert (removing.settings.text_cfg, removing.settings.image_cfg) == (7.5, 1.5)


async def test_the_card_says_the_numbers_and_why(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), strengths=ADDING) as d:
        await set_auto(d)
        card = await final_card(d, "add a tree")
    assert "text 11 · image 1.25" in facts_of(card)
    assert Message("auto_add") in card.notes


async def test_a_model_nobody_studied_keeps_its_own_and_says_so(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await set_auto(d)
        card = await final_card(d, "add a tree")
    assert "text 7.5 · image 1.5" in facts_of(card)
    assert NOT_STUDIED in card.notes


async def test_without_auto_nothing_is_explained(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), strengths=ADDING) as d:
        assert notes_of(await final_card(d, "add a tree")) == ()


async def test_a_number_said_for_one_setting_beats_auto_for_that_setting(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor, strengths=ADDING) as d:
        await set_auto(d)
        override = SettingsOverride(text_cfg=3.0)
        request = await asked_of_the_engine(d, editor, "add a tree", picture=a_picture(), override=override)
    assert (request.settings.text_cfg, request.settings.image_cfg) == (3.0, 1.25)


async def test_auto_can_be_asked_for_one_edit_alone(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor, strengths=ADDING) as d:
        auto = await asked_of_the_engine(d, editor, "add a tree", picture=a_picture(), preset=Preset.AUTO)
        own = await asked_of_the_engine(d, editor, "add a house")
    assert (auto.settings.text_cfg, own.settings.text_cfg) == (11.0, 7.5)


async def test_another_preset_ends_auto(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await set_auto(d)
        panel = await d.workflow.handle(SettingsAsked(**d.origin(), preset=Preset.MAGIX, scope=Scope.ME))
    assert isinstance(panel, SettingsPanel)
    values = {row.name: in_english(row.value) for row in panel.rows}
    assert (values["text_cfg"], values["image_cfg"], values["seed"]) == ("7", "2", "13331")


async def test_an_edit_that_waits_for_another_is_advised_when_its_turn_has_come(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor, strengths=ADDING) as d:
        await set_auto(d)
        await d.accepted("remove the tree", picture=a_picture())
        await d.accepted("add a house")
        (await editor.started()).finish()
        second = await editor.started()
        second.finish()
        await d.idle()
    assert second.request.settings.text_cfg == 11.0


async def test_stronger_goes_on_from_the_numbers_auto_chose(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor, strengths=ADDING) as d:
        await set_auto(d)
        await asked_of_the_engine(d, editor, "add a tree", picture=a_picture())
        await d.workflow.handle(VariationAsked(**d.origin(), variation=Variation.STRONGER))
        edit = await editor.started()
        edit.finish()
        await d.idle()
    assert (edit.request.settings.text_cfg, edit.request.settings.image_cfg) == (12.5, 1.05)


async def test_a_grid_shows_strengths_of_its_own(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), strengths=ADDING) as d:
        await set_auto(d)
        await d.upload()
        reply = await d.workflow.handle(GridAsked(**d.origin(), text="add a tree"))
        assert isinstance(reply, Accepted)
        await d.idle()
        (card,) = d.chat.finals(reply.card.turn_id)
    assert "text 5.5, 7.5, 9.5" in facts_of(card)


async def test_auto_survives_a_restart_while_the_edit_waits(tmp_path):
    async with workflow_room(tmp_path, ScriptedEditor(ready=False), strengths=ADDING) as d:
        await set_auto(d)
        reply = await d.accepted("add a tree", picture=a_picture())
    async with workflow_room(tmp_path, EchoEditor(), strengths=ADDING) as d:
        await d.workflow.resume("paper")
        (turn,) = await d.done(reply.card.turn_id)
    assert turn.settings is not None
    assert turn.settings.text_cfg == 11.0


def test_a_preset_is_a_plain_value():
    assert EditAsked(user="p", channel="c", event_id="e", preset=Preset.AUTO).preset == "auto"
