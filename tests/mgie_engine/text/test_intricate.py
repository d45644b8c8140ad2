"""Which instructions have the higher bound."""

import pytest

from mgie_engine.config import ModelConfig
from mgie_engine.text.intricate import bound_of, is_intricate


@pytest.mark.parametrize(
    "said",
    [
        "make the house blue and delete the sun",
        "darker sky, brighter ground",
        "all balls green except the yellow one",
        "don't touch the tree",
        "car blue. hmm, actually green",
    ],
)
def test_two_clauses_exceptions_and_corrections_are_intricate(said):
    assert is_intricate(said)


@pytest.mark.parametrize(
    "said",
    [
        "make it brighter",
        "paint the house pink",
        "The sky gets too bright, please",
        "remove the red ball",
        "paint the two balls orange",
    ],
)
def test_plain_instructions_are_not(said):
    assert not is_intricate(said)


def test_a_model_that_never_asks_does_not_ask_about_them_either():
    assert bound_of("all but the red ball blue", ModelConfig(ask_below_intricate=0.9)) == 0.0
    assert bound_of("all but the red ball blue", ModelConfig(ask_below=0.95, ask_below_intricate=0.9)) == 0.95
    assert bound_of("blue ball", ModelConfig(ask_below=0.6, ask_below_intricate=0.9)) == 0.6
