"""What a text adds to the last edit: "but keep the red", "only the left half"."""

from dataclasses import replace

import pytest

from bot.chat.events import Move, MoveAsked, VariationAsked
from bot.chat.replies import AskTarget, Note
from conversations.settings import SettingsOverride
from conversations.variations import Variation
from mgie_engine.edits import EditRequest, EditResult, Report
from tests.support.asking_editor import AskingEditor
from tests.support.english import title_of
from tests.support.fakes import EchoEditor, a_picture
from tests.support.workflow_room import NO_PACE, workflow_room


class WholeEditor(EchoEditor):
    """Reads everything that is not given as a change of the whole picture."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[EditRequest] = []

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        self.asked.append(request)
        whole = "The whole picture turns sepia. All things stay where they are."
        return replace(await super().run(request, report), expressive=request.reading or whole)


@pytest.mark.parametrize("is_named", [False, True], ids=["in a chat", "on the page"])
@pytest.mark.parametrize(
    ("words", "added"),
    [
        ("but keep the red", "except the red"),
        ("except the trees please", "except the trees"),
        ("no, not the sky", "except the sky"),
        ("leave the sky alone", "except the sky"),
        ("no, only the left half", "just the left half"),
    ],
)
async def test_an_amendment_makes_the_last_edit_again_from_its_own_source(tmp_path, words, added, is_named):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it darker", picture=a_picture())
        last = (await d.accepted("black and white.")).card
        await d.idle()
        card = (await d.accepted(words, turn=last.turn_id if is_named else None)).card
        assert (card.instruction, title_of(card)) == (f"black and white {added}", "v3 · from v1")
        await d.idle()
        undone = await d.workflow.handle(d.asked("undo"))
        assert undone.card.version == "v2"


async def test_a_second_exception_is_added_to_the_first(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("black and white", picture=a_picture())
        await d.accepted("but keep the red")
        for words, added in (("and not the green ones", "the green ones"), ("and the sky too", "the sky")):
            card = (await d.accepted(words)).card
            assert card.instruction.endswith(f" and {added}")
            assert card.parent_version == "v0"
        assert card.instruction == "black and white except the red and the green ones and the sky"


async def test_too_without_an_exception_before_is_an_instruction(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("black and white", picture=a_picture())
        card = (await d.accepted("and the sky too")).card
        assert (card.instruction, card.parent_version) == ("and the sky too", "v1")


async def test_a_part_that_is_cut_out_exactly_is_not_read_again(tmp_path):
    editor = WholeEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it sepia", picture=a_picture())
        await d.idle()
        for words in ("but keep the red", "leave the sky alone"):
            await d.accepted(words)
            await d.idle()
    assert [asked.reading for asked in editor.asked] == [
        None,
        "Everything but the reds turns sepia. The rest stays.",
        None,
    ]


async def test_after_a_corrected_reading_an_exception_goes_on_from_that(tmp_path):
    editor = WholeEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("make it old", picture=a_picture())
        await d.idle()
        warmer = "The whole picture gets warmer. All things stay where they are."
        await d.workflow.handle(VariationAsked(**d.origin(), variation=Variation.CORRECTED, reading=warmer))
        await d.idle()
        said = []
        for words in ("but keep the red", "and not the sky"):
            said.append((await d.accepted(words)).card.instruction)
            await d.idle()
    exception = "the whole picture gets warmer except the red"
    assert said == [exception, f"{exception} and the sky"]
    readings = [asked.reading for asked in editor.asked]
    assert readings == [None, warmer, "Everything but the reds gets warmer. The rest stays.", None]


@pytest.mark.parametrize(
    ("answer", "read"),
    [(Variation.CONFIRMED, "the ball turns blue"), (Variation.OTHER_READING, "the car turns blue")],
)
async def test_after_an_answered_question_an_exception_goes_on_from_the_answer(tmp_path, answer, read):
    async with workflow_room(tmp_path, AskingEditor()) as d:
        await d.upload()
        asked = (await d.accepted("maybe blue")).card
        await d.idle()
        await d.workflow.handle(VariationAsked(**d.origin(), turn=asked.turn_id, variation=answer))
        await d.idle()
        card = (await d.accepted("leave the stripes alone")).card
        assert (card.instruction, card.parent_version) == (f"{read} except the stripes", "v0")


async def test_what_only_stays_by_a_reading_is_no_instruction(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it sepia", picture=a_picture(), reading="All things stay where they are.")
        await d.idle()
        assert (await d.accepted("but keep the sky")).card.instruction == "make it sepia except the sky"


async def test_an_exception_in_reply_means_the_version_replied_to(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        first = (await d.accepted("make it sepia", picture=a_picture())).card
        await d.accepted("make it darker")
        await d.idle()
        card = (await d.accepted("but keep the red", reply_to=f"m-{first.turn_id}")).card
        assert (card.instruction, card.parent_version) == ("make it sepia except the red", "v0")


async def test_without_an_edit_before_an_exception_is_an_instruction(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.workflow.handle(d.asked(picture=a_picture()))
        assert (await d.accepted("but keep the red")).card.instruction == "but keep the red"


async def test_a_second_limit_takes_the_place_of_the_first(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it sepia", picture=a_picture())
        await d.accepted("only the left half")
        card = (await d.accepted("no, only the right half")).card
        assert (card.instruction, card.parent_version) == ("make it sepia just the right half", "v0")


@pytest.mark.parametrize(
    "own", [{"override": SettingsOverride(steps=4)}, {"results": 4}, {"is_hidden": True}, {"version": "v1"}]
)
async def test_an_exception_with_settings_or_a_version_of_its_own_is_an_instruction(tmp_path, own):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it sepia", picture=a_picture())
        await d.accepted("make it darker")
        await d.idle()
        reply = await d.accepted("keep the red", **own)
        assert reply.card.instruction == "keep the red"


async def test_after_new_an_exception_needs_a_picture(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it sepia", picture=a_picture())
        await d.idle()
        await d.workflow.handle(MoveAsked(**d.origin(), move=Move.NEW))
        assert isinstance(await d.workflow.handle(d.asked("but keep the red")), AskTarget)


async def test_an_exception_obeys_the_rules_about_words(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), limits=replace(NO_PACE, instruction_chars=30)) as d:
        await d.accepted("make it very very much darker", picture=a_picture())
        reply = await d.workflow.handle(d.asked("but keep the red"))
        assert isinstance(reply, Note)
        assert reply.text.code == "too_long"
