"""Which reading a variation is made with, in the bot and in Python."""

from dataclasses import replace

import pytest

from conversations.turn import Turn
from conversations.variations import Variation
from mgie_engine.text.varied_reading import varied_reading

READ = "The whole picture turns sepia. All things stay where they are."
GIVEN = "The ball turns blue. The rest stays."
TURN = Turn("k3f9", "s", 1, "v0", "me", "make it old", READ, other_readings=("The sky turns blue.",))


@pytest.mark.parametrize(
    ("variation", "read", "corrected", "asked"),
    [
        (Variation.AGAIN, None, GIVEN, READ),
        (Variation.STRONGER, None, GIVEN, READ),
        (Variation.CONFIRMED, READ, GIVEN, READ),
        (Variation.OTHER_READING, *["The sky turns blue."] * 3),
        (Variation.FROM_ORIGINAL, None, None, None),
    ],
)
def test_what_was_given_or_confirmed_is_not_read_again(
    variation: Variation, read: str | None, corrected: str | None, asked: str | None
) -> None:
    assert varied_reading(TURN, variation) == read
    assert varied_reading(replace(TURN, reading=GIVEN), variation) == corrected
    assert varied_reading(TURN, variation, is_question=True) == asked


def test_without_a_second_reading_the_first_is_meant() -> None:
    assert varied_reading(replace(TURN, other_readings=()), Variation.OTHER_READING) == READ


def test_an_amendment_is_read_without_the_model_where_it_can_be() -> None:
    only = "The left half turns sepia. The rest stays."
    assert varied_reading(TURN, Variation.AMENDED, "just the left half") == only
    assert varied_reading(TURN, Variation.AMENDED, "except the sky") is None
