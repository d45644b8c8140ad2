"""Mistyped words are corrected where one slip explains them; words that are right stay."""

import pytest

from mgie_engine.lab.scenes.table_words import table_words
from mgie_engine.text.spelling import corrected, correction, known_words


def test_the_words_are_those_of_the_phrasing_tables():
    """`python -m mgie_engine.lab.scenes.table_words` writes them again."""
    assert known_words().taught == table_words()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("brigther", "brighter"),  # two letters swapped
        ("backgroud", "background"),  # one left out
        ("treee", "tree"),  # one typed twice
        ("bevome", "become"),  # the key beside
        ("pleese", "please"),  # another vowel
    ],
)
def test_each_kind_of_slip_is_undone(typed, meant):
    assert correction(typed) == meant


@pytest.mark.parametrize(
    "word",
    ["wall", "cattle", "living", "quiet", "tile", "cones", "later", "xylophone", "teh", "shaded", "toned"],
)
def test_a_word_that_is_right_or_short_or_unknown_stays(word):
    assert correction(word) == word


def test_no_word_that_is_known_is_changed():
    known = known_words()
    assert not known.taught & known.others
    assert [word for words in known for word in sorted(words) if correction(word) != word] == []


@pytest.mark.parametrize("text", ["put Lena beside Ross", "like a Miro", "Greta in blue", "turn Brightr red"])
def test_names_stay(text):
    assert corrected(text) == text


def test_capitals_quotes_and_words_with_an_apostrophe_stay():
    assert corrected("Trun the HOSUE blue, dont 'yelwo' it") == "Turn the HOUSE blue, dont 'yelwo' it"
    assert corrected("Make it 2x brighter, don't blur! 🌳") == "Make it 2x brighter, don't blur! 🌳"
