"""Several results of one request: each with its own seed, one reading, and one is picked to go on from."""

from dataclasses import replace
from pathlib import Path

from bot.chat.events import ButtonAction, DeleteAsked, GridAsked, Scope, SettingsAsked
from bot.chat.grid_events import CellPicked
from bot.chat.replies import Accepted, Card, Note, ShownVersion
from conversations.messages import Message
from conversations.settings import SettingsOverride
from conversations.shares import ShareRules
from conversations.turn import TurnState
from mgie_engine.edits import EditRequest, EditResult, Report
from mgie_engine.errors import EngineError
from tests.support.english import facts_of, title_of
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture, echo, painting
from tests.support.workflow_room import NO_PACE, PaperChat, WorkflowRoom, workflow_room

COLOURS = ("red", "green", "blue", "gold")


class ColourEditor(EchoEditor):
    """Gives every edit a colour of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[EditRequest] = []

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        self.asked.append(request)
        colour = COLOURS[request.settings.seed % 4]
        return replace(echo(request), image=a_picture(colour=colour), changed=0.5)


class ExactEditor(ColourEditor):
    """Makes an exact adjustment of everything."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        return replace(await super().run(request, report), is_exact=True)


async def four(d: WorkflowRoom) -> Card:
    """The finished card of an edit with four results."""
    accepted = await d.accepted("make it dusk", picture=a_picture(), results=4)
    await d.idle()
    [card] = d.chat.finals(accepted.card.turn_id)
    return card


async def pick(d: WorkflowRoom, turn: str, cell: int, user: str = "ann") -> object:
    return await d.workflow.handle(CellPicked(**d.origin(user), turn=turn, cell=cell))


async def test_four_seeds_are_painted_after_one_reading(tmp_path: Path) -> None:
    editor = ColourEditor()
    async with workflow_room(tmp_path, editor) as d:
        card = await four(d)
    first = editor.asked[0].settings.seed
    assert sorted(asked.settings.seed for asked in editor.asked) == list(range(first, first + 4))
    assert [asked.reading for asked in editor.asked] == [None, "(echo)", "(echo)", "(echo)"]
    assert [button.says for button in card.buttons] == ["1", "2", "3", "4", ""]
    assert [button.act for button in card.buttons][3:] == [ButtonAction.PICK, ButtonAction.DELETE]
    assert f"seed {first}–{first + 3}" in facts_of(card)


async def test_the_others_are_queued_together_once_the_words_are_read(tmp_path: Path) -> None:
    editor = ScriptedEditor(slots=4)
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it dusk", picture=a_picture(), results=4)
        first = await editor.started()
        first.report(painting(1))
        others = [await editor.started() for _ in range(3)]
        assert {other.request.reading for other in others} == {"(echo)"}
        for edit in (*others, first):
            edit.finish()
        await d.idle()
        [turn] = await d.store.turns_by("paper:ann")
    assert (turn.state, len(turn.cells)) == (TurnState.DONE, 4)


async def test_a_picked_cell_is_a_version_to_go_on_from_and_costs_nothing(tmp_path: Path) -> None:
    editor = ColourEditor()
    limits = replace(NO_PACE, shares=ShareRules(user_day=5))
    async with workflow_room(tmp_path, editor, limits=limits) as d:
        card = await four(d)
        reply = await pick(d, card.turn_id, 2)
        assert isinstance(reply, Accepted)
        [turn] = await d.done(reply.card.turn_id)
        assert (turn.state, turn.instruction, turn.expressive) == (TurnState.DONE, "make it dusk", "(echo)")
        seed = editor.asked[0].settings.seed + 2
        assert (turn.settings, turn.changed) == (replace(editor.asked[0].settings, seed=seed), 0.5)
        assert await d.images_of(turn) == a_picture(colour=COLOURS[seed % 4])
        assert len(editor.asked) == 4
        assert [shown.turn_id for shown in d.chat.finals(turn.id)] == [turn.id]
        assert title_of((await d.accepted("now warmer")).card) == "v3 · from v2"


async def test_undo_of_a_picked_cell_leads_to_the_edit_of_which_there_are_four(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, ColourEditor()) as d:
        await d.accepted("make it dusk", picture=a_picture())
        grid = await d.accepted("four versions")
        await d.idle()
        await pick(d, grid.card.turn_id, 1)
        await d.idle()
        shown = await d.workflow.handle(d.asked("undo"))
    assert isinstance(shown, ShownVersion)
    assert shown.card.version == "v1"


async def test_a_cell_that_is_picked_again_is_the_same_version(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, ColourEditor()) as d:
        card = await four(d)
        first = await pick(d, card.turn_id, 0)
        assert isinstance(first, Accepted)
        await d.idle()
        await pick(d, card.turn_id, 1)
        await d.idle()
        again = await pick(d, card.turn_id, 0)
        assert isinstance(again, ShownVersion)
        assert again.card.turn_id == first.card.turn_id
        assert title_of((await d.accepted("now warmer")).card) == "v4 · from v2"


async def test_four_versions_and_the_second_one_are_asked_for_in_words(tmp_path: Path) -> None:
    editor = ColourEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it dusk", picture=a_picture())
        await d.idle()
        sheet = (await d.accepted("four versions please")).card
        assert (title_of(sheet), sheet.instruction) == ("v2 · grid from v0", "make it dusk")
        await d.idle()
        first = editor.asked[1].settings.seed
        for words, place in (
            ("the second one", 1),
            ("no, the fourth one", 3),
            ("1", 0),
            ("I'll take the third", 2),
            ("the first", 0),
            ("2 please", 1),
            ("die dritte gefällt mir am besten", 2),
        ):
            await d.workflow.handle(d.asked(words))
            await d.idle()
            session = await d.store.session((await d.store.turn(sheet.turn_id)).session_id)
            settings = session.head_of("paper:ann").settings
            assert settings is not None
            assert settings.seed == first + place
        assert title_of((await d.accepted("now warmer")).card) == "v7 · from v6"
        await d.idle()
        moved = await d.workflow.handle(d.asked("the third one"))  # no grid was made just before
        assert isinstance(moved, ShownVersion)
        assert title_of(moved.card) == "v3 · from v0"


async def test_who_names_a_result_of_another_users_grid_in_reply_to_it_goes_nowhere(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, ColourEditor()) as d:
        sheet = await four(d)
        for words in ("the second one", "2"):
            said = await d.workflow.handle(d.asked(words, "ben", turn=sheet.turn_id))
            assert isinstance(said, Note)
            assert said.text.code == "not_yours"


async def test_one_more_result_is_not_the_first(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, ColourEditor()) as d:
        sheet = await four(d)
        await pick(d, sheet.turn_id, 1)
        assert title_of((await d.accepted("noch eins")).card) == "v3 · from v0"


async def test_an_instruction_says_how_many_results_it_is_to_have(tmp_path: Path) -> None:
    editor = ColourEditor()
    async with workflow_room(tmp_path, editor) as d:
        for words in ("make it dusk, three versions please", "three versions: make it dusk"):
            accepted = await d.accepted(words, picture=a_picture())
            await d.idle()
            card = d.chat.finals(accepted.card.turn_id)[-1]
            assert (card.instruction, card.cells) == ("make it dusk", 3)


async def test_a_pick_that_was_not_shown_before_a_restart_is_shown_after_it(tmp_path: Path) -> None:
    chat = PaperChat()
    async with workflow_room(tmp_path, ColourEditor(), chat) as d:
        card = await four(d)
        chat.breaks = 99
        picked = await pick(d, card.turn_id, 1)
        assert isinstance(picked, Accepted)
        await d.idle()
        assert (await d.store.turn(picked.card.turn_id)).state is TurnState.DELIVERING
    chat.breaks = 0
    async with workflow_room(tmp_path, ColourEditor(), chat) as d:
        await d.workflow.resume(chat.name)
        [turn] = await d.done(picked.card.turn_id)
        assert turn.state is TurnState.DONE
        assert len(chat.finals(turn.id)) == 1


async def test_only_who_asked_picks_and_only_cells_that_are_there(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, ColourEditor()) as d:
        card = await four(d)
        said = [await pick(d, card.turn_id, 1, "ben"), await pick(d, card.turn_id, 4)]
    assert [reply.text.code for reply in said if isinstance(reply, Note)] == ["not_yours", "no_such_cell"]


async def test_every_seed_of_an_exact_adjustment_is_one_version_and_counts_once(tmp_path: Path) -> None:
    editor = ExactEditor()
    limits = replace(NO_PACE, shares=ShareRules(user_day=5))
    async with workflow_room(tmp_path, editor, limits=limits) as d:
        card = await four(d)
        assert (len(editor.asked), card.grid) == (1, None)
        assert [note.code for note in card.notes][-1:] == ["seeds_alike"]
        assert title_of((await d.accepted("now warmer", results=4)).card) == "v2 · grid from v1"


async def test_an_exact_adjustment_has_no_other_seeds(tmp_path: Path) -> None:
    editor = ExactEditor()
    async with workflow_room(tmp_path, editor) as d:
        accepted = await d.accepted("make it darker", picture=a_picture())
        await d.idle()
        [card] = d.chat.finals(accepted.card.turn_id)
        assert (card.is_exact, card.seed) == (True, None)
        assert not {fact.code for fact in card.facts} & {"fact_steps", "fact_seed"}
        for words in ("four versions", "again"):
            reply = await d.workflow.handle(d.asked(words))
            assert isinstance(reply, Note)
            assert reply.text == Message("same_again", version="v1")
        assert len(editor.asked) == 1


async def test_an_exact_adjustment_is_made_again_under_other_settings(tmp_path: Path) -> None:
    editor = ExactEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it darker", picture=a_picture())
        await d.idle()
        stronger = SettingsOverride(text_cfg=9.0)
        await d.workflow.handle(SettingsAsked(**d.origin(), scope=Scope.ME, override=stronger))
        await d.accepted("again")
        await d.idle()
    assert [asked.settings.text_cfg for asked in editor.asked] == [7.5, 9.0]


async def test_four_other_seeds_of_a_version(tmp_path: Path) -> None:
    editor = ColourEditor()
    async with workflow_room(tmp_path, editor) as d:
        accepted = await d.accepted("make it dusk", picture=a_picture())
        await d.idle()
        reply = await d.workflow.handle(GridAsked(**d.origin(), turn=accepted.card.turn_id, seeds=4))
        assert isinstance(reply, Accepted)
        await d.idle()
    first, *others = editor.asked
    assert {asked.reading for asked in others} == {"(echo)"}
    assert first.settings.seed not in {asked.settings.seed for asked in others}
    assert {replace(asked.settings, seed=0) for asked in others} == {
        replace(first.settings, seed=0, ask="off")
    }


async def test_deleting_the_choice_keeps_what_was_picked(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, ColourEditor()) as d:
        card = await four(d)
        picked = await pick(d, card.turn_id, 1)
        assert isinstance(picked, Accepted)
        await d.idle()
        before = set(d.images.keys())
        await d.workflow.handle(DeleteAsked(**d.origin(), turn=card.turn_id))
        turn = await d.store.turn(picked.card.turn_id)
        assert turn.settings is not None
        assert len(before - set(d.images.keys())) == 4  # the sheet and three cells
        assert await d.images_of(turn) == a_picture(colour=COLOURS[turn.settings.seed % 4])


async def test_the_cells_of_a_choice_that_fails_are_not_kept(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        accepted = await d.accepted("make it dusk", picture=a_picture(), results=4)
        first = await editor.started()
        first.finish(replace(echo(first.request), image=a_picture(colour="red")))
        (await editor.started()).fail(EngineError("no"))
        [turn] = await d.done(accepted.card.turn_id)
        assert (turn.state, turn.cells) == (TurnState.FAILED, ())
        assert len(set(d.images.keys())) == 1  # the upload


async def test_everything_of_a_choice_is_erased_with_its_user(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, ColourEditor()) as d:
        await four(d)
        erased = await d.store.delete_user("paper:ann")
        await d.runner.erased.delete(erased.images)
        assert set(d.images.keys()) == set()


async def test_a_choice_is_found_by_the_picture_of_a_cell(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, ColourEditor()) as d:
        card = await four(d)
        grid = await d.store.turn(card.turn_id)
        assert [turn.id for turn in await d.store.turns_with(grid.cells[2].image)] == [grid.id]
