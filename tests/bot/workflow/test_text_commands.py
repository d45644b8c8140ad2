"""What the text of a message becomes: an event or an answer, the same for every chat."""

from dataclasses import replace
from typing import Any

import pytest

from bot.chat.events import (
    Addressing,
    ButtonAction,
    CancelAsked,
    CompareAsked,
    EditAsked,
    HelpAsked,
    HistoryAsked,
    Move,
    MoveAsked,
    ShowAsked,
    VariationAsked,
)
from bot.chat.offered_pictures import offered
from bot.chat.replies import Note, Reacted
from bot.workflow.text_commands import THANKED, read_text, reworded, version_number
from conversations.variations import Variation

ASKED = EditAsked(user="paper:ann", channel="paper:c1", event_id="e1", turn="k3f9")


def read(text: str, **more: Any):
    return read_text(replace(ASKED, text=text, **more), "en")


@pytest.mark.parametrize(
    ("text", "kind", "fields"),
    [
        ("undo", MoveAsked, {"move": Move.UNDO, "turn": "k3f9", "steps": 1}),
        ("undo the last two!", MoveAsked, {"move": Move.UNDO, "steps": 2}),
        ("redo", MoveAsked, {"move": Move.REDO}),
        ("back to v2 :)", MoveAsked, {"move": Move.GO_TO, "version": "v2"}),
        ("start over", MoveAsked, {"move": Move.START_OVER}),
        ("can you try again?", VariationAsked, {"variation": Variation.AGAIN, "turn": "k3f9"}),
        ("too strong", VariationAsked, {"variation": Variation.SUBTLER}),
        ("compare with v1", CompareAsked, {"other": "v1"}),
        ("show me the original", ShowAsked, {"version": "v0"}),
        ("nvm", CancelAsked, {}),
        ("history", HistoryAsked, {}),
        ("/help", HelpAsked, {}),
        ("what can you do?", HelpAsked, {}),
        ("make it darker <:nice:123456789012345678>", EditAsked, {"text": "make it darker"}),
        ("> nice one\n**make it** darker <@&12> 🙏", EditAsked, {"text": "make it darker"}),
        ("", EditAsked, {"text": ""}),
    ],
)
def test_texts_become_events(text, kind, fields):
    event = read(text)
    assert type(event) is kind
    assert {name: getattr(event, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("text", "emoji"),
    [
        ("thanks!", THANKED),
        ("nice!", THANKED),
        ("lol", None),
        ("🔥", None),
        ("https://tenor.com/view/x", None),
    ],
)
def test_thanks_and_chatter_are_no_edits(text, emoji):
    reply = read(text)
    assert isinstance(reply, Reacted)
    assert reply.emoji == emoji


def test_a_command_that_is_not_understood_is_asked_about():
    question = read("I want to undo something in the picture")
    assert isinstance(question, Note)
    command, as_typed = question.buttons
    assert (command.act, command.says) == (ButtonAction.SAY, "undo")
    assert (as_typed.act, as_typed.says) == (ButtonAction.SAY, "")
    assert (question.words, question.about, question.asks) == (
        "I want to undo something in the picture",
        "k3f9",
        "paper:ann",
    )


def test_words_that_may_be_an_instruction_are_asked_about_in_a_message_and_taken_in_a_form():
    question = read("wearing pyjamas")
    assert isinstance(question, Note)
    assert [button.says for button in question.buttons] == [""]
    taken = read("wearing pyjamas", addressing=Addressing.FORM)
    assert isinstance(taken, EditAsked)


def test_words_that_the_user_confirmed_are_taken_as_they_are():
    taken = read("undo it all, <@12> my friend", addressing=Addressing.VERBATIM)
    assert isinstance(taken, EditAsked)
    assert taken.text == "undo it all, my friend"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("make it darker", "make it darker"),
        ("undo", "undo"),
        ("golden retriever", "golden retriever"),
        ("this one", ""),
        ("thanks!", ""),
        ("what is this?", ""),
    ],
)
def test_beside_a_picture_words_are_an_instruction_or_nothing(text, kept):
    event = read(text, own=offered(b"png"))
    assert isinstance(event, EditAsked)
    assert event.text == kept


def test_an_expressive_instruction_is_no_command():
    event = read("undo", reading="it is dark")
    assert isinstance(event, EditAsked)
    assert event.text == "undo"


@pytest.mark.parametrize(
    ("text", "words"), [("make it red <:x:1>", "make it red"), ("undo", None), ("lol", None)]
)
def test_an_edited_message_rewords_an_edit_only_with_an_instruction(text, words):
    assert reworded(text, "en") == words


@pytest.mark.parametrize(("text", "number"), [("v2", 2), ("2", 2), ("version 3", 3), ("V10", 10)])
def test_versions_are_read_as_typed(text, number):
    assert version_number(text) == number


@pytest.mark.parametrize("text", ["", "latest", "v", "-1", "v2x"])
def test_what_is_no_version_is_none(text):
    assert version_number(text) is None
