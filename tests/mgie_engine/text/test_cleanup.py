import pytest

from mgie_engine.text.cleanup import is_gibberish, tidy


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("The ball is red.", "The ball is red."),
        ("The ball is red", "The ball is red."),
        ("It is red.It is big.It is round.", "It is red. It is big."),
        ("  It   is\nred . ", "It is red."),
        ("It is 2.5 times as big. Good.", "It is 2.5 times as big. Good."),
        ("Is it red? Yes! No.", "Is it red? Yes!"),
        ("It is red. An alternative would be blue.", "It is red."),
        ("Alternatively, it is blue.", ""),
        ("It is red, alternatively blue. Yes.", "It is red."),
        ("", ""),
        (" ... ", ""),
    ],
)
def test_the_expressive_instruction_as_people_read_it(written, shown):
    assert tidy(written) == shown


@pytest.mark.parametrize(
    "text",
    [
        "The ball would be red.",
        "Der Ball wäre rot, die Überschrift bliebe.",
        "球は赤くなります。",
        "The very very very very tall tree is very very tall.",
        "",
    ],
)
def test_a_sentence_is_no_gibberish(text):
    assert not is_gibberish(text)


@pytest.mark.parametrize(
    "text",
    [
        "ball \ufffd red",
        "raitremcreabrapchjarndclingbroopgemedt warctog",
        "## ;; -- ** // ball",
        "red red red red red red red red red",
    ],
)
def test_gibberish_is_known(text):
    assert is_gibberish(text)
