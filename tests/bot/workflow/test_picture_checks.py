"""Barred pictures are refused on every way in and out; what they were made from is not."""

import io
from dataclasses import replace
from typing import Any

from PIL import Image

from bot.chat.events import ButtonAction, GridAsked
from bot.chat.moderation_events import ModAction, ModActionRequested
from bot.chat.replies import Accepted, CardState, Decided, Note
from conversations.ai_mark import marked_file
from conversations.request_source import RequestSource
from mgie_engine.edits import EditRequest, EditResult, Report
from tests.support.fakes import EchoEditor, a_busy_picture, a_picture, echo
from tests.support.workflow_room import workflow_room

SERVER = RequestSource(server="paper:s")


class DarkeningEditor(EchoEditor):
    """Makes every picture darker."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        with Image.open(io.BytesIO(request.image)) as picture:
            darker = picture.convert("RGB").point(lambda level: level * 0.7)
        return replace(echo(request), image=marked_file(darker, "PNG"), changed=1.0)


def barring(d: Any, turn_id: str) -> ModActionRequested:
    origin = {**d.origin("mod"), "source": SERVER, "is_moderator": True}
    return ModActionRequested(**origin, action=ModAction.BLOCK_IMAGE, subject=turn_id)


async def made(d: Any, channel: str = "c1", **more: Any) -> Any:
    """The final card of an edit of the busy picture."""
    card = (await d.accepted("darker", "ann", channel, source=SERVER, **more)).card
    await d.idle()
    return d.chat.finals(card.turn_id)[-1]


async def test_a_barred_result_is_refused_as_upload_and_as_result_and_its_source_is_not(tmp_path):
    async with workflow_room(tmp_path, DarkeningEditor()) as d:
        card = await made(d, picture=a_busy_picture())
        result = d.images.get(card.after)
        assert isinstance(await d.workflow.handle(barring(d, card.turn_id)), Decided)
        again = await made(d, "c2", picture=a_busy_picture())
        assert (again.state, again.status.code) == (CardState.FAILED, "result_filtered")
        assert ButtonAction.APPEAL in [button.act for button in again.buttons]
        refused = await d.workflow.handle(d.asked("warmer", "ben", "c3", picture=result, source=SERVER))
        assert isinstance(refused, Note)
        assert refused.text.code == "image_blocked"
        filtered = d.workflow.metrics.filtered
        assert filtered.labels("input")._value.get() == filtered.labels("output")._value.get() == 1


async def test_a_version_that_was_barred_elsewhere_in_the_server_is_not_edited(tmp_path):
    async with workflow_room(tmp_path, DarkeningEditor()) as d:
        first = await made(d, "c1", picture=a_busy_picture())
        await made(d, "c2", picture=a_busy_picture())  # the same picture, in another session
        await d.workflow.handle(barring(d, first.turn_id))
        refused = await made(d, "c2")
        assert (refused.state, refused.status.code) == (CardState.FAILED, "result_filtered")


async def test_a_barred_picture_is_in_no_grid(tmp_path):
    async with workflow_room(tmp_path, DarkeningEditor()) as d:
        card = await made(d, "c1", picture=a_busy_picture())
        await d.workflow.handle(barring(d, card.turn_id))
        await d.workflow.handle(d.asked("", "ann", "c4", picture=a_busy_picture(), source=SERVER))
        grid = await d.workflow.handle(GridAsked(**d.origin("ann", "c4") | {"source": SERVER}, text="darker"))
        assert isinstance(grid, Accepted)
        await d.idle()
        assert d.chat.finals(grid.card.turn_id)[-1].status.code == "result_filtered"


class RetouchingEditor(EchoEditor):
    """Changes one pixel of every picture by one level."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        with Image.open(io.BytesIO(request.image)) as picture:
            levels = bytearray(picture.convert("RGB").tobytes())
        levels[0] ^= 1
        retouched = Image.frombytes("RGB", picture.size, bytes(levels))
        return replace(echo(request), image=marked_file(retouched, "PNG"), changed=0.0)


async def is_not_barred(d: Any, picture: bytes, code: str) -> None:
    """Barring is refused with `code`, and the picture stays."""
    card = await made(d, picture=picture)
    refused = await d.workflow.handle(barring(d, card.turn_id))
    assert isinstance(refused, Note)
    assert refused.text.code == code
    assert (await d.store.turn(card.turn_id)).image is not None


async def test_a_picture_that_is_not_told_from_its_source_cannot_be_barred_and_stays(tmp_path):
    async with workflow_room(tmp_path, RetouchingEditor()) as d:
        await is_not_barred(d, a_busy_picture(), "picture_is_like_source")


async def test_a_flat_picture_cannot_be_barred_and_stays(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await is_not_barred(d, a_picture(), "picture_is_flat")
