"""Control words are whole messages; everything else is an instruction."""

import pytest

from bot.words import PHRASES, Control, Word, control, version_number


@pytest.mark.parametrize(
    ("text", "word", "version"),
    [
        ("undo", Word.UNDO, None),
        ("Undo that, please.", Word.UNDO, None),
        ("REDO!", Word.REDO, None),
        ("start over", Word.START_OVER, None),
        ("again", Word.AGAIN, None),
        ("stop", Word.STOP, None),
        ("stronger", Word.STRONGER, None),
        ("too much", Word.SUBTLER, None),
        ("back to v2", Word.GO_TO, "v2"),
        ("go back to version 12", Word.GO_TO, "v12"),
        ("back to 2", Word.GO_TO, "v2"),
        ("v3", Word.GO_TO, "v3"),
        ("history", Word.HISTORY, None),
        ("help", Word.HELP, None),
    ],
)
def test_control_words(text, word, version):
    assert control(text) == Control(word, version)


@pytest.mark.parametrize(
    "text",
    [
        "undo the red and make it blue",
        "stop the car from moving",
        "make it stronger",
        "make the sky less blue",
        "3",
        "back to the future poster",
        "",
        "again and again",
    ],
)
def test_everything_else_is_an_instruction(text):
    assert control(text) is None


def test_no_phrase_means_two_things():
    for table in PHRASES.values():
        phrases = [phrase for phrases in table.values() for phrase in phrases]
        assert len(phrases) == len(set(phrases))


def test_every_language_has_every_word():
    for table in PHRASES.values():
        assert set(table) == set(Word)


@pytest.mark.parametrize(("text", "number"), [("v2", 2), ("2", 2), ("version 3", 3), ("V10", 10)])
def test_versions_are_read_as_typed(text, number):
    assert version_number(text) == number


@pytest.mark.parametrize("text", ["", "latest", "v", "-1", "v2x"])
def test_what_is_no_version_is_none(text):
    assert version_number(text) is None
