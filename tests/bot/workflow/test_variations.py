"""Again, stronger, subtler: the same instruction from the same parent."""

from dataclasses import replace

import pytest

from bot.chat.events import GridAsked, VariationAsked
from bot.chat.replies import Note
from conversations.settings import EditSettings, Grid, SettingsOverride
from conversations.turn import Turn
from conversations.variations import Variation, varied_override
from mgie_engine.errors import EngineError
from tests.support.english import in_english, title_of
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.workflow_room import workflow_room

USED = EditSettings(7.5, 1.5, 50, 7, "euler_ancestral")


def used(settings: EditSettings, override: SettingsOverride = SettingsOverride()) -> Turn:  # noqa: B008
    return Turn("k3f9", "s", 1, "p", "ann", settings=settings, override=override)


def test_stronger_keeps_the_seed_and_follows_the_words_more():
    override = varied_override(used(USED), Variation.STRONGER, seed=1)
    assert (override.text_cfg, override.image_cfg, override.seed, override.steps) == (9.0, 1.3, 7, 50)


def test_subtler_is_the_reverse():
    override = varied_override(used(USED), Variation.SUBTLER, seed=1)
    assert (override.text_cfg, override.image_cfg, override.seed) == (6.0, 1.7, 7)


def test_strength_stays_in_its_range():
    strongest = used(EditSettings(19.5, 1.1, 50, 7, "euler_ancestral"))
    override = varied_override(strongest, Variation.STRONGER, seed=1)
    assert (override.text_cfg, override.image_cfg) == (20.0, 1.0)


def test_an_image_scale_below_one_is_left_there():
    odd = used(EditSettings(7.5, 0.5, 50, 7, "euler_ancestral"))
    assert varied_override(odd, Variation.STRONGER, seed=1).image_cfg == 0.5


def test_again_takes_a_fresh_seed_and_keeps_what_the_call_named():
    override = varied_override(used(USED, SettingsOverride(steps=20, seed=7)), Variation.AGAIN, seed=1)
    assert override == SettingsOverride(steps=20, seed=1)


async def test_stronger_starts_from_the_parent_so_it_never_chains(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make the ball red", picture=a_picture())
        (await editor.started()).finish()
        await d.idle()
        reply = await d.accepted("stronger")
        edit = await editor.started()
        edit.finish()
        await d.idle()
        assert title_of((await d.accepted("stronger")).card) == "v3 · from v0"
    assert (title_of(reply.card), edit.request.instruction) == ("v2 · from v0", "make the ball red")
    assert edit.request.settings.text_cfg == 9.0


async def test_an_upload_cannot_be_done_again(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        reply = await d.workflow.handle(VariationAsked(**d.origin(), variation=Variation.AGAIN))
    assert isinstance(reply, Note)
    assert in_english(reply.text).startswith("v0 is an uploaded picture")


def variation(d, kind: Variation, **more) -> VariationAsked:
    return VariationAsked(**d.origin(), variation=kind, **more)


async def test_a_corrected_reading_is_what_the_engine_is_given(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        first = await d.accepted("make it red", picture=a_picture())
        before = await editor.started()
        before.finish()
        await d.idle()
        asked = variation(d, Variation.CORRECTED, turn=first.card.turn_id, reading=" The ball is red. ")
        reply = await d.workflow.handle(asked)
        edit = await editor.started()
        edit.finish()
        [turn] = await d.done(reply.card.turn_id)
    assert edit.request.reading == "The ball is red."
    assert (edit.request.instruction, edit.request.settings) == ("make it red", before.request.settings)
    assert title_of(reply.card) == "v2 · from v0"
    assert (turn.reading, turn.expressive) == ("The ball is red.", "The ball is red.")


async def test_a_corrected_reading_goes_into_what_is_remembered(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it red", picture=a_picture())
        (await editor.started()).finish()
        await d.idle()
        await d.workflow.handle(variation(d, Variation.CORRECTED, reading="The ball is red."))
        (await editor.started()).finish()
        await d.idle()
        await d.accepted("now blue")
        [earlier] = (await editor.started()).request.history
    assert (earlier.instruction, earlier.expressive) == ("make it red", "The ball is red.")


async def deep(d, *more: str) -> str:
    """Four edits in a row; the id of the last."""
    await d.upload()
    for words in ("make it red.", "add a hat", "add a hat", "darker", *more):
        last = await d.accepted(words)
        await d.idle()
    return last.card.turn_id


async def test_from_the_original_combines_every_instruction(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        last = await deep(d)
        assert "from_original" in [button.act for button in d.chat.finals(last)[0].buttons]
        reply = await d.workflow.handle(d.asked("start again from the original"))
    assert (reply.card.instruction, title_of(reply.card)) == (
        "make it red, add a hat, darker",
        "v5 · from v0",
    )


async def test_from_the_original_is_not_offered_on_shallow_ground(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        reply = await d.accepted("make it red", picture=a_picture())
        await d.idle()
    assert "from_original" not in [button.act for button in d.chat.finals(reply.card.turn_id)[0].buttons]


async def test_too_many_instructions_to_combine_are_refused(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        last = await deep(d, "long " * 78)
        reply = await d.workflow.handle(variation(d, Variation.FROM_ORIGINAL, turn=last))
    assert isinstance(reply, Note)
    assert "the limit is 400" in in_english(reply.text)


async def test_what_waited_for_a_failure_can_be_tried_on_the_version_before(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        first = await d.accepted("make it red", picture=a_picture())
        second = await d.accepted("now blue")
        (await editor.started()).fail(EngineError("no"))
        await d.idle()
        [card] = d.chat.finals(second.card.turn_id)
        assert (
            in_english(card.status)
            == "v1 did not finish, so this edit was not started. Press Retry to apply it to v0."
        )
        again = variation(d, Variation.AGAIN, turn=second.card.turn_id)
        reply = await d.workflow.handle(again)
    assert (title_of(reply.card), reply.card.instruction) == ("v3 · from v0", "now blue")
    assert first.card.version == "v1"


def test_each_press_makes_a_change_of_tone_so_much_stronger():
    degrees, settings = [], USED
    for variation in (Variation.STRONGER, Variation.STRONGER, Variation.SUBTLER):
        degree = varied_override(used(settings), variation, 1).degree
        assert degree is not None
        settings = replace(settings, degree=degree)
        degrees.append(settings.degree)
    assert degrees == [1.4, 1.96, 1.4]
    assert varied_override(used(USED), Variation.STRONGER, 1, is_slight=True).degree == 1.183
    assert varied_override(used(USED), Variation.STRONGER, 1, is_slight=True).text_cfg == 8.25


@pytest.mark.parametrize(
    ("said", "degree"),
    [
        ("more", 1.4),
        ("even more please", 1.4),
        ("a bit more", 1.183),
        ("a little less", 0.845),
        ("less", 0.714),
        ("etwas mehr", 1.183),
        ("noch mehr", 1.4),
        ("un poco menos", 0.845),
        ("más", 1.4),
    ],
)
async def test_more_and_less_are_the_same_instruction_to_a_degree(tmp_path, said, degree):
    editor = EchoEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it darker", picture=a_picture())
        await d.idle()
        card = (await d.accepted(said)).card
        await d.idle()
        turn = await d.store.turn(card.turn_id)
    assert (title_of(card), turn.instruction) == ("v2 · from v0", "make it darker")
    assert turn.settings.degree == degree


async def test_corrected_edits_and_grids_keep_the_degree(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it darker", picture=a_picture())
        (await editor.started()).finish()
        await d.idle()
        await d.accepted("more")
        (await editor.started()).finish()
        await d.idle()
        again = VariationAsked(**d.origin(), variation=Variation.CORRECTED, reading="A darker picture.")
        await d.workflow.handle(again)
        edit = await editor.started()
        edit.finish()
        await d.idle()
        assert edit.request.settings.degree == 1.4
        await d.workflow.handle(GridAsked(**d.origin(), grid=Grid((9.0, 18.0), (1.3,))))
        for degree in (1.4, 2.5):
            edit = await editor.started()
            edit.finish()
            assert edit.request.settings.degree == degree


@pytest.mark.parametrize("words", ["a bit more", "a bit less", "again", "from the original"])
async def test_undo_of_a_variation_shows_the_version_shown_before(tmp_path, words):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.accepted("darker")
        await d.accepted(words)
        await d.idle()
        moves = ("undo", "undo", "redo", "redo")
        shown = [(await d.workflow.handle(d.asked(text))).card.version for text in moves]
        assert shown == ["v2", "v1", "v2", "v3"]
        then = await d.accepted("undo that and make it blue")
    assert title_of(then.card) == "v4 · from v2"


async def test_a_cancelled_variation_leaves_the_version_shown_before(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it red", picture=a_picture())
        (await editor.started()).finish()
        await d.idle()
        await d.accepted("stronger")
        await editor.started()
        await d.workflow.handle(d.asked("stop"))
        await d.idle()
        assert title_of((await d.accepted("darker")).card) == "v3 · from v1"
