"""Settings: where they are kept, which one wins, and what the panel says."""

from typing import Any

import pytest

from bot.chat.events import Preset, Scope, SettingsAsked
from bot.chat.replies import Note, SettingsPanel
from bot.i18n.catalog import translator
from conversations.settings import SettingsOverride
from tests.support.english import in_english
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.workflow_room import WorkflowRoom, workflow_room


async def tune(d: WorkflowRoom, user: str = "ann", **asked: Any) -> SettingsPanel:
    reply = await d.workflow.handle(SettingsAsked(**d.origin(user), **asked))
    assert isinstance(reply, SettingsPanel), reply
    return reply


def rows(panel: SettingsPanel) -> dict[str, tuple[str, str]]:
    return {in_english(r.label): (in_english(r.value), in_english(r.origin)) for r in panel.rows}


async def test_the_panel_names_each_value_and_where_it_comes_from(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        await tune(d, override=SettingsOverride(steps=20), scope=Scope.CHANNEL, is_moderator=True)
        await tune(d, override=SettingsOverride(image_cfg=1.2), scope=Scope.ME)
        panel = await tune(d, override=SettingsOverride(text_cfg=9.0))
    assert in_english(panel.text) == "Saved for this session."
    assert rows(panel) == {
        "text CFG": ("9", "this session"),
        "image CFG": ("1.2", "you"),
        "steps": ("20", "this channel"),
        "seed": ("random", "model default"),
        "sampler": ("euler_ancestral", "model default"),
        "keep": ("auto", "model default"),
        "ask": ("on", "model default"),
    }


async def test_asking_without_an_override_changes_nothing(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        panel = await tune(d)
    assert (in_english(panel.text), rows(panel)["text CFG"]) == ("", ("7.5", "model default"))


async def test_settings_reach_the_edit(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await tune(d, override=SettingsOverride(steps=9), scope=Scope.ME)
        await d.accepted("make the ball red", picture=a_picture())
        assert (await editor.started()).request.settings.steps == 9


async def test_without_a_session_an_override_is_kept_for_the_user(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        assert in_english((await tune(d, override=SettingsOverride(steps=9))).text) == "Saved for you."


async def test_a_channel_is_set_only_by_those_who_may(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        asked = SettingsAsked(**d.origin(), override=SettingsOverride(steps=9), scope=Scope.CHANNEL)
        reply = await d.workflow.handle(asked)
        assert isinstance(reply, Note)
        assert rows(await tune(d))["steps"][1] == "model default"


async def test_an_override_adds_to_what_was_set_before_and_reset_forgets(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await tune(d, override=SettingsOverride(steps=9), scope=Scope.ME)
        both = rows(await tune(d, override=SettingsOverride(text_cfg=9.0), scope=Scope.ME))
        assert (both["steps"][0], both["text CFG"][0]) == ("9", "9")
        none = rows(await tune(d, reset=True, scope=Scope.ME))
        assert none["steps"][1] == "model default"


@pytest.mark.parametrize(
    ("preset", "text", "image"),
    [(Preset.FAITHFUL, "6", "2"), (Preset.BALANCED, "7.5", "1.5"), (Preset.BOLD, "9", "1.2")],
)
async def test_presets_set_both_guidance_scales(tmp_path, preset, text, image):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        panel = rows(await tune(d, preset=preset, scope=Scope.ME))
    assert (panel["text CFG"][0], panel["image CFG"][0]) == (text, image)


async def test_a_seed_can_be_locked_to_the_last_one_and_let_go(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make the ball red", picture=a_picture(), override=SettingsOverride(seed=1371))
        await d.idle()
        assert rows(await tune(d, lock_seed=True))["seed"] == ("1371", "this session")
        assert rows(await tune(d, forget=("seed",)))["seed"] == ("random", "model default")


async def test_out_of_range_is_refused_and_nothing_is_kept(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        reply = await d.workflow.handle(SettingsAsked(**d.origin(), override=SettingsOverride(image_cfg=9.0)))
        assert isinstance(reply, Note)
        assert "image CFG must be between 0 and 5" in in_english(reply.text)
        assert rows(await tune(d))["image CFG"][0] == "1.5"


async def test_a_switch_is_named_in_the_language_of_the_user(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        panel = await tune(d, override=SettingsOverride(ask="off"))
    (value,) = [row.value for row in panel.rows if row.name == "ask"]
    assert [translator(language)(value) for language in ("en", "de", "es")] == ["off", "aus", "desactivado"]
