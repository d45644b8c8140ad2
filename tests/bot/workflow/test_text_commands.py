"""Control words are whole messages; everything else is an instruction."""

import pytest

from bot.i18n.catalog import languages
from bot.i18n.word_lists import word_lists
from bot.workflow.text_commands import CommandWord, TextCommand, parse, version_number


@pytest.mark.parametrize(
    ("text", "word", "version"),
    [
        ("undo", CommandWord.UNDO, None),
        ("Undo that, please.", CommandWord.UNDO, None),
        ("REDO!", CommandWord.REDO, None),
        ("start over", CommandWord.START_OVER, None),
        ("again", CommandWord.AGAIN, None),
        ("stop", CommandWord.STOP, None),
        ("stronger", CommandWord.STRONGER, None),
        ("too much", CommandWord.SUBTLER, None),
        ("back to v2", CommandWord.GO_TO, "v2"),
        ("go back to version 12", CommandWord.GO_TO, "v12"),
        ("back to 2", CommandWord.GO_TO, "v2"),
        ("v3", CommandWord.GO_TO, "v3"),
        ("history", CommandWord.HISTORY, None),
        ("help", CommandWord.HELP, None),
    ],
)
def test_control_words(text, word, version):
    assert parse(text) == TextCommand(word, version)


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
    assert parse(text) is None


def test_no_phrase_means_two_things():
    for language in languages():
        table = word_lists(language).commands
        phrases = [phrase for word in CommandWord for phrase in table[word]]
        assert len(phrases) == len(set(phrases))


@pytest.mark.parametrize("language", languages())
def test_every_phrase_is_understood_in_its_language(language):
    for word in CommandWord:
        for phrase in word_lists(language).commands[word]:
            said = phrase.replace("{n}", "2").replace("{v}", "v2")
            found = parse(said.upper() + "!", (language,))
            assert found is not None
            assert found.word is word


@pytest.mark.parametrize(
    ("text", "language", "word"),
    [
        ("mach das bitte rückgängig", "de", CommandWord.UNDO),
        ("zurück zu Version 2", "de", CommandWord.GO_TO),
        ("¡deshacer, por favor!", "es", CommandWord.UNDO),
        ("vuelve a la versión 2", "es", None),
        ("vuelve a versión 2", "es", CommandWord.GO_TO),
    ],
)
def test_other_languages_have_control_words(text, language, word):
    found = parse(text, ("en", language))
    assert (found.word if found else None) is word
    assert parse(text) is None


def test_compare_may_name_a_version():
    assert parse("compare with v1") == TextCommand(CommandWord.COMPARE, "v1")
    assert parse("from the original") == TextCommand(CommandWord.FROM_ORIGINAL)


@pytest.mark.parametrize(("text", "number"), [("v2", 2), ("2", 2), ("version 3", 3), ("V10", 10)])
def test_versions_are_read_as_typed(text, number):
    assert version_number(text) == number


@pytest.mark.parametrize("text", ["", "latest", "v", "-1", "v2x"])
def test_what_is_no_version_is_none(text):
    assert version_number(text) is None
