"""Any two versions side by side, and any version again by its name."""

import io
from typing import Any

from PIL import Image

from bot.chat.events import ButtonAction, CompareAsked, HelpAsked, ShowAsked
from bot.chat.replies import Comparison, Note, ShownVersion
from bot.workflow.button_events import button_event
from conversations.messages import Message
from conversations.request_source import NO_SOURCE, RequestSource
from mgie_engine.edits import EditResult
from tests.support.english import in_english
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture, echo
from tests.support.workflow_room import WorkflowRoom, workflow_room


class Painter(EchoEditor):
    """Paints the left half black."""

    async def run(self, request, report) -> EditResult:
        with Image.open(io.BytesIO(request.image)) as picture:
            painted = picture.convert("RGB")
        painted.paste("black", (0, 0, painted.width // 2, painted.height))
        file = io.BytesIO()
        painted.save(file, "PNG")
        result = echo(request)
        return EditResult(file.getvalue(), "(black)", result.settings, result.model, result.size)


async def compared(d: WorkflowRoom, **more):
    return await d.workflow.handle(CompareAsked(**d.origin(), **more))


async def edits(d: WorkflowRoom) -> None:
    await d.accepted("make it black", picture=a_picture())
    await d.accepted("make it darker")
    await d.idle()


async def test_my_version_is_compared_with_the_one_it_came_from(tmp_path):
    async with workflow_room(tmp_path, Painter()) as d:
        await d.accepted("make it black", picture=a_picture())
        await d.idle()
        found = await compared(d)
    assert isinstance(found, Comparison)
    assert in_english(found.text) == "v0 and v1: 50 % of the pixels differ."
    assert (found.before.version, found.after.version) == ("v0", "v1")
    with Image.open(io.BytesIO(found.change_map)) as drawn:
        assert drawn.size == (12, 9)


async def test_any_two_versions_can_be_compared(tmp_path):
    async with workflow_room(tmp_path, Painter()) as d:
        await edits(d)
        assert in_english((await compared(d, other="v0")).text) == "v0 and v2: 50 % of the pixels differ."
        assert (
            in_english((await compared(d, version="v1", other="v2")).text)
            == "v2 and v1: 0 % of the pixels differ."
        )


async def test_the_current_version_named_is_compared_with_the_one_it_came_from(tmp_path):
    async with workflow_room(tmp_path, Painter()) as d:
        await edits(d)
        assert (await d.workflow.handle(d.asked("compare with v2"))).before.version == "v1"


async def test_compare_is_a_word_and_a_button(tmp_path):
    async with workflow_room(tmp_path, Painter()) as d:
        await edits(d)
        assert isinstance(await d.workflow.handle(d.asked("compare")), Comparison)
        said = await d.workflow.handle(d.asked("compare with v0"))
        assert said.before.version == "v0"
        press = button_event(ButtonAction.COMPARE, said.after.turn_id, **d.origin(), source=NO_SOURCE)
        assert (await d.workflow.handle(press)).before.version == "v1"


async def test_what_cannot_be_compared_is_said(tmp_path):
    async with workflow_room(tmp_path, ScriptedEditor()) as d:
        assert in_english((await compared(d)).text).startswith("There is no picture here yet")
        await d.upload()
        assert in_english((await compared(d)).text) == "There is nothing before v0 to compare it with."
        await d.accepted("make it black")
        assert in_english((await compared(d)).text) == "v1 has no picture yet."
        assert isinstance(await compared(d, version="v9"), Note)


async def test_a_version_is_shown_again_by_number_or_by_id(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        first = (await d.accepted("make it red", picture=a_picture())).card
        await d.idle()
        for name in ("v1", "1", first.turn_id, first.turn_id.upper()):
            shown = await d.workflow.handle(ShowAsked(**d.origin("bob"), version=name))
            assert isinstance(shown, ShownVersion)
            assert shown.card.turn_id == first.turn_id
        elsewhere = await d.workflow.handle(ShowAsked(**d.origin(channel="c2"), version=first.turn_id))
        assert isinstance(elsewhere, Note)


async def test_each_chat_has_help_of_its_own(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        who: dict[str, Any] = {"channel": "x", "event_id": "e", "source": NO_SOURCE}
        on_discord = await d.workflow.handle(HelpAsked(user="discord:1", **who))
        on_page = await d.workflow.handle(HelpAsked(user="web:1", **who))
    assert "/edit" in in_english(on_discord.text)
    assert "/" not in in_english(on_page.text).replace("</", "")


async def test_text_commands_are_understood_in_the_language_of_the_user(tmp_path):
    german: dict[str, Any] = {"source": RequestSource(language="de")}
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("mach es rot", picture=a_picture(), **german)
        await d.idle()
        undone = await d.workflow.handle(d.asked("rückgängig", **german))
        refused = await d.workflow.handle(d.asked("rückgängig", **german))
    assert undone.note == Message("back_at", version="v0")
    assert refused.text == Message("nothing_to_undo")
