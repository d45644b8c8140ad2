"""A sheet paints one reading under several scales and is looked at, not stood on."""

import io

import pytest
from PIL import Image

from bot.chat.events import ButtonAction, CancelAsked, GridAsked, Move, MoveAsked
from bot.chat.replies import Accepted, CardState, Note, buttons
from bot.workflow.grid import draw_grid, grid_cell, grid_progress
from conversations.settings import Grid
from conversations.turn import TurnState
from mgie_engine.edits import Progress, Stage
from mgie_engine.errors import EngineError
from tests.support.english import facts_of, in_english, title_of
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture, painting
from tests.support.workflow_room import PaperChat, workflow_room

FOUR = Grid((6.0, 9.0), (1.2, 1.8))


async def sheet(d, text: str = "make it red", **more) -> Accepted:
    reply = await d.workflow.handle(GridAsked(**d.origin(), text=text, **more))
    assert isinstance(reply, Accepted), reply
    return reply


async def test_every_cell_is_painted_with_its_scales_and_one_reading(tmp_path):
    editor = EchoEditor()
    asked = []

    class Watching(EchoEditor):
        async def run(self, request, report):
            asked.append(request)
            return await super().run(request, report)

    editor = Watching()
    async with workflow_room(tmp_path, editor) as d:
        await d.upload()
        reply = await sheet(d, grid=FOUR)
        [turn] = await d.done(reply.card.turn_id)
    assert [(r.settings.text_cfg, r.settings.image_cfg) for r in asked] == [
        (6.0, 1.2),
        (9.0, 1.2),
        (6.0, 1.8),
        (9.0, 1.8),
    ]
    assert [r.reading for r in asked] == [None, "(echo)", "(echo)", "(echo)"]
    assert len({r.settings.seed for r in asked}) == 1
    assert (turn.state, turn.number, turn.expressive) == (TurnState.DONE, 1, "(echo)")


async def test_the_card_of_a_grid_says_what_was_tried(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        reply = await sheet(d, grid=FOUR)
        await d.idle()
    [card] = d.chat.finals(reply.card.turn_id)
    assert title_of(card) == "v1 · grid from v0"
    assert facts_of(card).startswith("text 6, 9 · image 1.2, 1.8 · 4 steps · seed ")
    assert [button.says or button.act for button in card.buttons] == ["1", "2", "3", "4", "delete"]


async def test_a_grid_moves_nobody(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        reply = await sheet(d)
        await d.idle()
        assert title_of((await d.accepted("now blue")).card) == "v2 · from v0"
        said = await d.workflow.handle(MoveAsked(**d.origin(), move=Move.GO_TO, turn=reply.card.turn_id))
    assert isinstance(said, Note)
    assert "v1 is a grid" in in_english(said.text)


async def test_without_words_a_grid_is_of_the_last_edit_as_it_was_read(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it red", picture=a_picture())
        first = await editor.started()
        first.finish()
        await d.idle()
        await sheet(d, "")
        cell = await editor.started()
    assert (cell.request.instruction, cell.request.reading) == ("make it red", "(echo)")
    assert cell.request.settings.seed == first.request.settings.seed


async def test_a_grid_of_an_upload_needs_words(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        reply = await d.workflow.handle(GridAsked(**d.origin()))
    assert isinstance(reply, Note)
    assert in_english(reply.text).startswith("Tell me what to change")


@pytest.mark.parametrize("grid", [Grid((1, 2, 3, 4), (1,)), Grid((), (1,)), Grid((50,), (1,))])
async def test_a_grid_out_of_bounds_is_refused(tmp_path, grid):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        assert isinstance(await d.workflow.handle(GridAsked(**d.origin(), text="red", grid=grid)), Note)


async def test_other_people_are_served_between_the_cells(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.upload()
        await sheet(d, grid=FOUR)
        cell = await editor.started()
        await d.accepted("make it blue", "bob", picture=a_picture())
        cell.finish()
        assert (await editor.started()).request.instruction == "make it blue"


async def test_a_grid_can_be_cancelled_between_its_cells(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.upload()
        reply = await sheet(d, grid=FOUR)
        (await editor.started()).finish()
        second = await editor.started()
        await d.workflow.handle(CancelAsked(**d.origin(), turn=reply.card.turn_id))
        [turn] = await d.done(reply.card.turn_id)
    assert second.cancelled
    assert (turn.state, len(editor.edits)) == (TurnState.CANCELLED, 2)


async def test_a_cell_that_fails_fails_the_sheet(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.upload()
        reply = await sheet(d, grid=FOUR)
        (await editor.started()).fail(EngineError("no"))
        [turn] = await d.done(reply.card.turn_id)
    assert turn.state is TurnState.FAILED
    assert d.chat.finals(turn.id)[0].buttons == buttons(ButtonAction.DELETE)


async def test_a_grid_interrupted_by_a_restart_is_made_again(tmp_path):
    chat = PaperChat()
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor, chat) as d:
        await d.upload()
        reply = await sheet(d, grid=FOUR)
        (await editor.started()).finish()
        await editor.started()
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        assert await d.workflow.resume("paper") == 1
        await d.idle()
    assert [card.state for card in chat.finals(reply.card.turn_id)] == [CardState.DONE]


async def test_progress_is_that_of_the_whole_sheet(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.upload()
        await sheet(d, grid=Grid((6.0, 9.0), (1.5,)))
        (await editor.started()).finish()
        (await editor.started()).report(painting(2, 4))
        await d.chat.saw(lambda card: in_english(card.status) == "step 6/8")


def test_progress_only_grows():
    steps = [
        painting(1),
        painting(4),
        Progress(Stage.FINISHING, 4, 4),
    ]
    whole = [grid_progress(progress, number, 2) for number in (0, 1) for progress in steps]
    assert [p.step for p in whole] == [1, 4, 4, 5, 8, 8]
    assert {p.steps for p in whole} == {8}


def test_cells_that_are_exact_show_no_steps():
    finishing = Progress(Stage.FINISHING, 0, 0, is_exact=True)
    assert [grid_progress(finishing, number, 2) for number in (0, 1)] == [finishing] * 2


def test_the_drawn_sheet_holds_every_picture_in_its_place():
    colours = ["red", "green", "blue", "yellow"]
    drawn = draw_grid([grid_cell(a_picture(400, 200, colour)) for colour in colours], FOUR, "en")
    with Image.open(io.BytesIO(drawn.png)) as opened:
        assert opened.size == drawn.size == (40 + 2 * (384 + 6), 40 + 2 * (192 + 6))
        places = [(100, 100), (600, 100), (100, 300), (600, 300)]
        found = [opened.getpixel(place) for place in places]
    assert found == [(255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 0)]
