"""Control words are whole messages; everything else is an instruction."""

import pytest

from bot.i18n.catalog import languages, phrasebook
from bot.workflow.text_commands import Control, Word, control, version_number


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
    for language in languages():
        table = phrasebook(language).words
        phrases = [phrase for word in Word for phrase in table[word]]
        assert len(phrases) == len(set(phrases))


@pytest.mark.parametrize("language", languages())
def test_every_phrase_is_understood_in_its_language(language):
    for word in Word:
        for phrase in phrasebook(language).words[word]:
            said = phrase.replace("{n}", "2").replace("{v}", "v2")
            found = control(said.upper() + "!", (language,))
            assert found is not None
            assert found.word is word


@pytest.mark.parametrize(
    ("text", "language", "word"),
    [
        ("mach das bitte rückgängig", "de", Word.UNDO),
        ("zurück zu Version 2", "de", Word.GO_TO),
        ("¡deshacer, por favor!", "es", Word.UNDO),
        ("vuelve a la versión 2", "es", None),
        ("vuelve a versión 2", "es", Word.GO_TO),
    ],
)
def test_other_languages_have_control_words(text, language, word):
    found = control(text, ("en", language))
    assert (found.word if found else None) is word
    assert control(text) is None


def test_compare_may_name_a_version():
    assert control("compare with v1") == Control(Word.COMPARE, "v1")
    assert control("from the original") == Control(Word.FROM_ORIGINAL)


@pytest.mark.parametrize(("text", "number"), [("v2", 2), ("2", 2), ("version 3", 3), ("V10", 10)])
def test_versions_are_read_as_typed(text, number):
    assert version_number(text) == number


@pytest.mark.parametrize("text", ["", "latest", "v", "-1", "v2x"])
def test_what_is_no_version_is_none(text):
    assert version_number(text) is None
