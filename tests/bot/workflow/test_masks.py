"""Regions marked by hand: how they come in, what keeps them, and when they go."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bot.chat.events import Answer, ConsentAnswered, DeleteAsked, ForgetAsked, Move, MoveAsked, VariationAsked
from bot.chat.offered_masks import MaskOffer, mask_file
from bot.chat.replies import Note
from bot.policy.limits import Limits
from bot.workflow import edit_masks
from conversations.images.marks import Marks
from conversations.variations import Variation
from mgie_engine.serving.masks import open_mask
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.page_server import a_drawing, to_png
from tests.support.workflow_room import WorkflowRoom, workflow_room

SIZE = 12, 9  # of a_picture
LEFT_HALF = Marks.parse("box 0 0 4999 9999")


class RecordingEditor(EchoEditor):
    """Keeps the masks that it was asked with."""

    def __init__(self) -> None:
        super().__init__(slots=1)
        self.masks: list[bytes | None] = []

    async def run(self, request: Any, report: Any) -> Any:
        """Note the mask."""
        self.masks.append(request.mask)
        return await super().run(request, report)


def region(mask: bytes | None, size: tuple[int, int] = SIZE) -> np.ndarray:
    assert mask is not None
    return open_mask(mask, size)


def a_mask(size: tuple[int, int] = SIZE, hole: tuple[int, int, int, int] = (0, 0, 5, 8)) -> MaskOffer:
    """As OpenAI's clients send it: transparent where the picture may change."""
    picture = Image.new("RGBA", size, "black")
    picture.paste((0, 0, 0, 0), hole)
    return mask_file(to_png(picture))


async def said(room: WorkflowRoom, *what: Any, **more: Any) -> str:
    reply = await room.workflow.handle(room.asked(*what, **more))
    assert isinstance(reply, Note), reply
    return reply.text.code


async def test_a_mask_reaches_the_engine_and_is_shown_on_the_card(tmp_path):
    editor = RecordingEditor()
    async with workflow_room(tmp_path, editor) as room:
        reply = await room.accepted("make it darker", picture=a_picture(), mask=LEFT_HALF)
        [turn] = await room.done(reply.card.turn_id)
        card = await room.workflow.card(turn)
    assert region(editor.masks[0]).tolist() == [[column < 6 for column in range(12)]] * 9
    assert "fact_region" in [fact.code for fact in card.facts]
    assert card.mask == turn.mask


async def test_every_repetition_keeps_the_mask_and_a_follow_up_does_not(tmp_path):
    editor = RecordingEditor()
    async with workflow_room(tmp_path, editor) as room:
        await room.accepted("make it darker", picture=a_picture(), mask=LEFT_HALF)
        await room.idle()
        first = editor.masks[0]
        for words in ("again", "stronger", "subtler"):
            await room.accepted(words)
            await room.idle()
        assert editor.masks == [first] * 4
        await room.accepted("make it warmer")
        await room.idle()
        assert editor.masks[-1] is None
        await room.accepted("make it blue, same area")
        [newest, *_] = await room.store.turns_by("paper:ann", 1)
        await room.idle()
    assert (editor.masks[-1], newest.instruction) == (first, "make it blue")


@pytest.mark.parametrize(
    ("texts", "outcome"),
    [
        (("box 0 0 4999 9999", "box 0 0 4999 9999"), 6),
        (("box 0 0 1999 9999", "box 5000 0 9999 9999"), 9),
        (("box 0 0 4999 9999", None), None),
    ],
)
async def test_from_the_original_all_regions_may_change(tmp_path, texts, outcome):
    editor = RecordingEditor()
    async with workflow_room(tmp_path, editor) as room:
        for words, text in zip(("make it darker", "make it warmer"), texts, strict=True):
            first: dict[str, Any] = {"picture": a_picture()} if words == "make it darker" else {}
            await room.accepted(words, mask=text and Marks.parse(text), **first)
            await room.idle()
        reply = await room.workflow.handle(VariationAsked(**room.origin(), variation=Variation.FROM_ORIGINAL))
        await room.idle()
    assert not isinstance(reply, Note)
    columns = None if editor.masks[-1] is None else int(region(editor.masks[-1]).any(0).sum())
    assert columns == outcome


COLOURS = ("darker", "warmer", "red", "green", "brighter", "blue")


async def test_many_regions_are_united_two_at_a_time_and_not_at_all_where_the_words_are_too_long(
    tmp_path, monkeypatch
):
    united: list[int] = []

    def noted(*masks: bytes) -> bytes:
        united.append(len(masks))
        return whole(*masks)

    whole = edit_masks._united
    monkeypatch.setattr(edit_masks, "_united", noted)
    editor = RecordingEditor()
    async with workflow_room(tmp_path, editor, limits=Limits(requests=1000, instruction_chars=80)) as room:
        outcomes = []
        for number in range(6):
            first: dict[str, Any] = {} if number else {"picture": a_picture()}
            mask = Marks.parse(f"box {number * 1000} 0 {number * 1000 + 900} 9999")
            await room.accepted(f"make it {COLOURS[number]}", mask=mask, **first)
            await room.idle()
            if number in (3, 5):
                vary = VariationAsked(**room.origin(), variation=Variation.FROM_ORIGINAL)
                outcomes.append(isinstance(await room.workflow.handle(vary), Note))
                await room.idle()
                back = MoveAsked(**room.origin(), move=Move.GO_TO, version=f"v{number + 1}")
                await room.workflow.handle(back)
    assert outcomes == [False, True]
    assert united == [1, 2, 2, 2]


REFUSED = {
    "another size": (a_mask((13, 9)), "mask_size"),
    "turned": (a_mask((9, 12)), "mask_size"),
    "nothing marked": (a_mask(hole=(0, 0, 0, 0)), "mask_empty"),
    "no picture": (mask_file(b"nothing"), "mask_unreadable"),
    "empty": (mask_file(b""), "mask_unreadable"),
}


@pytest.mark.parametrize(("mask", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_mask_that_does_not_fit_is_refused_in_a_sentence(tmp_path, mask, code):
    async with workflow_room(tmp_path, EchoEditor()) as room:
        session = await room.upload()
        assert await said(room, "make it darker", mask=mask) == code
        assert len((await room.store.session(session.id)).turns) == 1


async def test_a_mask_waits_for_consent_with_its_edit(tmp_path):
    editor = RecordingEditor()
    async with workflow_room(tmp_path, editor) as room:
        picture: dict[str, Any] = {"picture": a_picture(), "picture_owner": "paper:ben", "message": "m1"}
        await room.workflow.handle(room.asked("make it darker", mask=LEFT_HALF, **picture))
        [question] = await room.store.consent_questions.open_in("paper:ben", "paper:c1")
        assert question.mask
        assert question.mask in await room.store.images_in_use()
        who = room.origin("ben")
        await room.workflow.handle(ConsentAnswered(**who, request=question.id, answer=Answer.ONCE))
        await room.idle()
        assert question.mask in await room.store.images_in_use()
    assert int(region(editor.masks[0]).sum()) == 54


async def test_a_mask_goes_with_its_version_and_with_its_user(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as room:
        first = await room.accepted("make it darker", picture=a_picture(), mask=LEFT_HALF)
        [turn] = await room.done(first.card.turn_id)
        other = await room.accepted("make it warmer", mask=Marks.parse("box 0 0 100 100"))
        [second] = await room.done(other.card.turn_id)
        assert turn.mask
        assert second.mask
        assert {turn.mask, second.mask} <= await room.store.pictures.of_user("paper:ann")
        assert {turn.mask, second.mask} <= set(room.images.keys())
        await room.workflow.handle(DeleteAsked(**room.origin(), turn=second.id))
        assert second.mask not in set(room.images.keys())
        await room.workflow.handle(ForgetAsked(**room.origin(), is_confirmed=True))
        assert list(room.images.keys()) == []


async def test_an_edit_whose_mask_was_deleted_says_so(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as room:
        first = await room.accepted("make it darker", picture=a_picture(), mask=LEFT_HALF)
        [turn] = await room.done(first.card.turn_id)
        room.images.delete(turn.mask or "")
        again = await room.accepted("again")
        [failed] = await room.done(again.card.turn_id)
        assert failed.error is not None
        assert failed.error.code == "mask_gone"
        assert await said(room, "make it blue in the same area", turn=turn.id) == "mask_gone"


async def test_a_restart_keeps_the_mask_of_a_waiting_edit(tmp_path):
    async with workflow_room(tmp_path, ScriptedEditor()) as room:
        await room.accepted("make it darker", picture=a_picture(), mask=LEFT_HALF)
    editor = RecordingEditor()
    async with workflow_room(tmp_path, editor) as room:
        assert await room.workflow.resume("paper") == 1
        await room.idle()
    assert int(region(editor.masks[0]).sum()) == 54


# -- a picture that is sent back, drawn upon ----------------------------------------------------------------


def drawn_upon(png: bytes, *, share: float = 1.0, jpeg: bool = False) -> bytes:
    """A red ring around the middle, as people draw it on a phone."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    width, height = picture.size
    ring = (width * 0.3, height * 0.3, width * 0.6, height * 0.7)
    ImageDraw.Draw(picture).ellipse(ring, outline="red", width=max(3, width // 50))
    picture = picture.resize((round(width * share), round(height * share)), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=60) if jpeg else picture.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("way", [{}, {"jpeg": True}, {"share": 0.6, "jpeg": True}])
async def test_a_picture_sent_back_drawn_upon_marks_the_version_replied_to(tmp_path, way):
    editor = RecordingEditor()
    original = a_drawing((640, 480))
    async with workflow_room(tmp_path, editor) as room:
        first = await room.accepted("make it darker", picture=original)
        await room.idle()
        reply = await room.accepted(
            "make it blue", picture=drawn_upon(original, **way), turn=first.card.turn_id
        )
        [turn] = await room.done(reply.card.turn_id)
        parent = await room.store.turn(first.card.turn_id)
    assert (turn.parent_id, turn.session_id) == (parent.id, parent.session_id)
    found = region(editor.masks[-1], (640, 480))
    assert found[240, 288]  # inside of the ring
    assert not found[:120].any()
    assert not found[:, :160].any()


async def test_the_same_for_a_picture_that_no_version_shows_yet(tmp_path):
    editor, original = RecordingEditor(), a_drawing((640, 480))
    async with workflow_room(tmp_path, editor) as room:
        asked = room.asked("make it blue", picture=drawn_upon(original))
        replied = room.asked("", picture=original, picture_owner="paper:ann").replied
        await room.workflow.handle(replace(asked, replied=replied))
        await room.idle()
        [newest] = await room.store.turns_by("paper:ann", 1)
        session = await room.store.session(newest.session_id)
        assert room.images.get(session.root.image or "") != drawn_upon(original)
    assert region(editor.masks[0], (640, 480))[240, 288]


async def test_a_drawing_without_words_is_asked_about(tmp_path):
    original = a_drawing((640, 480))
    async with workflow_room(tmp_path, EchoEditor()) as room:
        first = await room.accepted("make it darker", picture=original)
        await room.idle()
        drawn = drawn_upon(original)
        assert await said(room, "", picture=drawn, turn=first.card.turn_id) == "mask_without_words"


OTHERS = {
    "another picture of the same size": to_png(Image.effect_noise((640, 480), 80).convert("RGB")),
    "the same, not drawn upon": a_drawing((640, 480)),
    "another shape": a_drawing((480, 640)),
}


@pytest.mark.parametrize("sent", OTHERS.values(), ids=OTHERS)
async def test_any_other_picture_in_a_reply_is_a_new_one(tmp_path, sent):
    editor = RecordingEditor()
    async with workflow_room(tmp_path, editor) as room:
        first = await room.accepted("make it darker", picture=a_drawing((640, 480)))
        await room.idle()
        reply = await room.accepted("make it blue", picture=sent, turn=first.card.turn_id)
        [turn] = await room.done(reply.card.turn_id)
        parent = await room.store.turn(first.card.turn_id)
    assert turn.session_id != parent.session_id
    assert editor.masks == [None, None]
