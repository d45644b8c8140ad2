"""Which part of a picture an instruction names, where a model can only change all of it."""

import pytest

from mgie_engine.config import ModelConfig
from mgie_engine.text.named_regions import unaddressed_region

WHOLE = "The whole picture"
MODEL = ModelConfig(whole_picture=WHOLE)
DARKER = f"{WHOLE} gets darker. Every object stays."


@pytest.mark.parametrize(
    ("instruction", "region"),
    [
        ("make the sky darker", "sky"),
        ("darker sky pls", "sky"),
        ("sky more blue", "sky"),
        ("blur the background", "background"),
        ("black and white except the red", "red"),
        ("everything black and white but the yellow one", "yellow"),
        ("only the red in colour", "red"),
        ("make the reds pop", "reds"),
        ("greener grass", "grass"),
        ("darken the left half", "left half"),
        ("the top left corner darker", "top left corner"),
        ("brighten the shadows", "shadows"),
        ("make the car brighter", "car"),
        ("darken the edges", "edges"),
        ("blur everything but the face", "face"),
    ],
)
def test_a_named_part_is_found(instruction, region):
    assert unaddressed_region(instruction, DARKER, MODEL) == region


@pytest.mark.parametrize(
    "instruction",
    [
        "make it darker",
        "turn everything black and white",
        "make the whole picture warmer, the sky too",
        "make it more red",
        "moody",
        "a darker look like the sky in winter",
        "make it warmer for my wall",
        "it hurts my eyes, darken it",
        "make the darks darker and the lights lighter",
    ],
)
def test_what_names_no_part_is_left_alone(instruction):
    assert unaddressed_region(instruction, DARKER, MODEL) is None


def test_a_reading_that_addresses_the_part_is_right():
    assert unaddressed_region("make the sky darker", "The sky gets darker. The rest stays.", MODEL) is None
    assert unaddressed_region("darken the corners", f"{WHOLE} gets darker corners.", MODEL) is None


@pytest.mark.parametrize(
    ("instruction", "effect"),
    [("sharpen the edges", "gets sharper"), ("darken the edges like a vignette", "gets darker corners")],
)
def test_edges_that_are_sharpened_or_fade_in_a_vignette_are_no_part(instruction, effect):
    assert unaddressed_region(instruction, f"{WHOLE} {effect}. All things stay.", MODEL) is None


def test_a_model_that_can_address_a_part_is_trusted_with_it():
    able = ModelConfig(whole_picture=WHOLE, regions=("sky", "left", "top third", "reds"))
    for instruction in (
        "make the sky darker",
        "darken the left half",
        "the upper third darker",
        "less of the reds",
    ):
        assert unaddressed_region(instruction, DARKER, able) is None
    assert unaddressed_region("blur the background", DARKER, able) == "background"


def test_a_model_without_such_readings_is_not_asked():
    assert unaddressed_region("make the sky darker", DARKER, ModelConfig()) is None
