"""Conversations from Python: what is said, where it leads, and what is refused. No model runs."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from conversations.errors import NoSuchVersion, NothingToRedo, NothingToUndo, SettingsRefused
from mgie_engine.config import ModelConfig
from mgie_engine.edits import EditRequest, EditResult, Exchange
from mgie_engine.errors import EditDeclined, RequestRefused
from mgie_engine.python_api.edit_conversation import AsyncEditConversation, EditConversation
from mgie_engine.python_api.picture_source import open_source
from mgie_engine.python_api.version_tree import VersionTree
from tests.support.fakes import a_picture, echo

PICTURE = Image.new("RGB", (12, 9), "teal")
CONFIG = ModelConfig()


class Recorder:
    """An editor that paints every picture and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[EditRequest] = []
        self.declines = False

    def run(self, request: EditRequest, progress: Any = None) -> EditResult:
        """A picture of another colour for every request."""
        self.requests.append(request)
        colour = f"#{len(self.requests):06x}"
        return replace(echo(request), image=a_picture(colour=colour), is_declined=self.declines)


@pytest.fixture
def editor() -> Recorder:
    return Recorder()


@pytest.fixture
def talk(editor: Recorder) -> EditConversation:
    return EditConversation(VersionTree(open_source(PICTURE), CONFIG, {"steps": 3}), editor)  # type: ignore[arg-type]


def test_an_edit_starts_from_the_current_version_and_knows_what_was_said(
    talk: EditConversation, editor: Recorder
):
    first = talk.say("make it winter")
    second = talk.say("now the roof too")
    assert (first.label, second.label, second.parent) == ("v1", "v2", 1)
    assert editor.requests[1].image == first.png
    assert editor.requests[1].history == (Exchange("make it winter", "(echo)"),)
    assert second.edit is not None
    assert second.edit.instruction == "now the roof too"


@pytest.mark.parametrize("text", ["undo that", "please undo that!", "mach das rückgängig", "deshazlo"])
def test_undo_in_words_moves_back_without_an_edit(talk: EditConversation, editor: Recorder, text: str):
    talk.say("make it winter")
    assert talk.say(text).number == 0
    assert len(editor.requests) == 1


def test_redo_back_to_a_version_and_start_over(talk: EditConversation):
    for words in ("make it winter", "make it darker", "make it warmer"):
        talk.say(words)
    texts = ("undo twice", "redo", "back to v3", "start over", "redo")
    assert [talk.say(text).number for text in texts] == [1, 2, 3, 0, 1]
    assert [version.number for version in talk.versions] == [0, 1, 2, 3]


def test_a_new_edit_after_undo_is_a_branch(talk: EditConversation):
    talk.say("make it winter")
    talk.undo()
    assert talk.say("make it summer").parent == 0


def test_an_instruction_after_a_command_starts_where_the_command_leads(talk: EditConversation):
    talk.say("make it winter")
    talk.say("make it darker")
    assert talk.say("undo that and make it blue").parent == 1
    assert talk.say("go back to the original and add a hat").parent == 0
    assert [version.edit.instruction for version in talk.versions[3:] if version.edit] == [
        "make it blue",
        "add a hat",
    ]


def test_again_and_stronger_repeat_the_last_edit_from_its_parent(talk: EditConversation, editor: Recorder):
    talk.say("make it winter", seed=7)
    again, stronger = talk.say("again"), talk.vary("stronger")
    assert again.parent == stronger.parent == 0
    one, two, three = (request.settings for request in editor.requests)
    assert two.seed != one.seed
    assert (three.seed, three.text_cfg) == (two.seed, two.text_cfg + 1.5)


def test_undo_of_a_variation_leads_to_the_version_before_it(talk: EditConversation):
    talk.say("make it winter")
    talk.say("a bit more")
    assert [talk.say(text).number for text in ("undo", "undo", "redo", "redo")] == [1, 0, 1, 2]
    talk.say("now warmer")
    assert talk.say("from the original").number == 4
    assert talk.say("undo").number == 3


def test_from_the_original_says_everything_at_once(talk: EditConversation, editor: Recorder):
    talk.say("make it winter")
    talk.say("make it darker.")
    assert talk.say("from the original").parent == 0
    assert editor.requests[-1].instruction == "make it winter, make it darker"


def test_options_of_the_conversation_hold_unless_an_edit_names_others(
    talk: EditConversation, editor: Recorder
):
    talk.say("make it winter")
    talk.say("make it darker", steps=5)
    assert [request.settings.steps for request in editor.requests] == [3, 5]


def test_a_declined_edit_leaves_the_versions_as_they_were(talk: EditConversation, editor: Recorder):
    editor.declines = True
    with pytest.raises(EditDeclined):
        talk.say("add a dragon")
    assert len(talk.versions) == 1


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("thanks!", RequestRefused, "asks for no edit"),
        ("what can you do?", RequestRefused, "asks for no edit"),
        ("   ", RequestRefused, "asks for no edit"),
        ("undo", NothingToUndo, "nothing to undo"),
        ("redo", NothingToRedo, "nothing to redo"),
        ("back to v7", NoSuchVersion, "no version v7"),
        ("stronger", RequestRefused, "nothing to repeat"),
        ("compare", RequestRefused, r"use compare\(\)"),
        ("oops, wrong picture", RequestRefused, "about one picture"),
        ("сделай фон синим, пожалуйста", RequestRefused, "reads English only"),
        ("four versions", RequestRefused, "one version at a time"),
    ],
)
def test_what_asks_for_no_version_is_refused(
    talk: EditConversation, text: str, error: type[Exception], told: str
):
    with pytest.raises(error, match=told):
        talk.say(text)
    assert talk.current.number == 0


def test_edit_takes_any_words(talk: EditConversation, editor: Recorder):
    talk.edit("undo", reading="The roof is undone.")
    assert (editor.requests[0].instruction, editor.requests[0].reading) == ("undo", "The roof is undone.")
    with pytest.raises(RequestRefused, match="empty"):
        talk.edit(" ")


def test_versions_are_compared(talk: EditConversation):
    with pytest.raises(RequestRefused, match="nothing to compare"):
        talk.compare()
    talk.say("make it winter")
    assert talk.compare().changed == talk.compare(0, 1).changed == 1
    assert talk.compare(1).changed == 0


def test_settings_of_a_conversation_are_checked():
    with pytest.raises(SettingsRefused):
        VersionTree(open_source(PICTURE), CONFIG, {"steps": 0})


def test_a_version_is_saved_in_the_format_of_the_suffix(talk: EditConversation, tmp_path):
    with Image.open(talk.current.save(tmp_path / "first.webp")) as written:
        assert (written.format, written.size) == ("WEBP", talk.current.image.size)


async def test_the_async_conversation_awaits_its_edits():
    recorder = Recorder()

    async def run(request: EditRequest, progress: Any = None) -> EditResult:
        return recorder.run(request)

    tree = VersionTree(open_source(PICTURE), CONFIG, {})
    talk = AsyncEditConversation(tree, SimpleNamespace(run=run))  # type: ignore[arg-type]
    assert (await talk.say("make it winter")).number == 1
    assert (await talk.edit("darker", seed=7)).number == 2
    assert (await talk.vary("again")).parent == 1
    assert (await talk.say("undo")).number == 2


def test_a_rejection_goes_back_and_an_instruction_after_it_starts_there(talk: EditConversation):
    talk.say("make it winter")
    talk.say("make it red")
    assert talk.say("no, not like that").label == "v1"
    assert talk.say("that's wrong, make it blue").parent == 0


def test_an_exception_makes_the_last_edit_again(talk: EditConversation, editor: Recorder):
    talk.say("make it winter")
    talk.say("black and white")
    again = talk.say("but keep the red")
    assert (again.parent, editor.requests[-1].instruction) == (1, "black and white except the red")
    assert talk.undo().label == "v2"


def test_an_exception_goes_on_from_a_reading_that_was_given(talk: EditConversation, editor: Recorder):
    talk.edit("make it old", reading="The whole picture gets warmer. All things stay where they are.")
    talk.say("but keep the sky")
    assert editor.requests[-1].instruction == "the whole picture gets warmer except the sky"


def test_the_latest_version_is_gone_to_by_word(talk: EditConversation):
    talk.say("make it winter")
    talk.say("make it red")
    talk.undo(2)
    assert talk.say("go to the latest").label == "v2"
