"""What an amended edit of the whole picture comes to, known from the words of the last one."""

import pytest

from mgie_engine.restore import said_tones
from mgie_engine.text.amended_reading import amended_reading

WHOLE = "The whole picture {}. All things stay where they are."


@pytest.mark.parametrize(
    ("effect", "amendment", "said"),
    [
        ("turns sepia", "except the red", "Everything but the reds turns sepia. The rest stays."),
        ("gets darker", "except the blue parts", "Everything but the blues gets darker. The rest stays."),
        ("gets darker", "except the left side", "The right half gets darker. The rest stays."),
        ("gets a little darker", "just the bottom", "The bottom half gets a little darker. The rest stays."),
        ("fades like film", "just the reds", "The reds fade like film. The rest stays."),
        ("turns black and white", "just the dark parts", "The shadows turn black and white. The rest stays."),
        (
            "gets warmer and gets much darker",
            "just the upper half",
            "The top half gets warmer. The top half gets much darker. The rest stays.",
        ),
    ],
)
def test_a_part_that_is_cut_out_exactly_is_read_without_the_model(effect: str, amendment: str, said: str):
    assert amended_reading(WHOLE.format(effect), amendment) == said
    assert len(said_tones(said)) == len(said_tones(WHOLE.format(effect))) > 0


@pytest.mark.parametrize(
    ("reading", "amendment"),
    [
        (WHOLE.format("gets darker"), "except the sky"),
        (WHOLE.format("gets darker"), "except the shadows"),
        (WHOLE.format("gets darker"), "except the red roof"),
        (WHOLE.format("gets darker"), "except the left third"),
        (WHOLE.format("gets darker"), "and the reds"),
        ("The sky gets darker. The rest stays.", "except the red"),
        ("The house turns blue.", "just the left half"),
        ("", "except the red"),
    ],
)
def test_anything_else_is_left_to_the_model(reading: str, amendment: str):
    assert amended_reading(reading, amendment) is None
