"""Readings that leave out or change what the instruction's words rule out, and those that do not."""

import pytest

from mgie_engine.config import ModelConfig
from mgie_engine.text.contradictions import contradicts

MODEL = ModelConfig(
    things=("ball", "box", "house", "car", "tree", "sun"),
    regions=("sky", "ground", "background", "highlights"),
)
HOUSE, TREE = (
    "The large white house at the back on the far left",
    "The medium green tree at the back on the far right",
)
BALL, CAR = (
    "The medium red ball in front left of the middle",
    "The medium yellow car in front on the far right",
)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("house blue, sun gone", f"{HOUSE} turns blue. The green tree at the back on the far right stays."),
        ("no ball, larger tree", f"{TREE} grows from medium to large."),
        ("the car black & the ball pink", f"{CAR} turns pink. {BALL} turns pink."),
        ("paint the house pink and shrink the tree", f"{HOUSE} turns pink. {TREE} turns pink."),
        (
            "blue ball, no tree",
            "The medium green tree at the back on the far right becomes a medium blue ball.",
        ),
        ("bigger tree and get rid of the ball", f"{TREE} is removed. {BALL} is removed."),
        ("highlights down, shadows up", "The shadows get brighter. The rest stays."),
        ("darker sky, brighter ground", "The sky gets darker. The rest stays."),
    ],
)
def test_a_clause_that_is_left_out_is_found(said, read):
    assert contradicts(said, read, MODEL)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            "all balls green except the yellow one",
            "The small yellow ball in front on the far left turns green.",
        ),
        ("every box but the white one: black", "The large white box in front on the far right turns black."),
        ("make the ball brown - oops not the ball, the house", f"{BALL} turns brown."),
        ("don’t touch the car or the tree, just make the ball grey", f"{TREE} turns grey."),
        ("Remove the car but please don't remove the ball.", f"{CAR} is removed. {BALL} is removed."),
        (
            "delete the boxes but keep the green one",
            "The medium green box in front on the far left is removed.",
        ),
        ("sky green, leave the tree as it is", f"The sky turns from blue to green. {TREE} is removed."),
        ("make it green except the sky", "The sky turns from teal to green. The orange ball stays."),
        ("no, darker, but not the sky", "The sky gets darker. The rest stays."),
        ("darker, don't touch the background", "The background gets darker. The rest stays."),
        ("black and white except the red", "The reds turn black and white. The rest stays."),
    ],
)
def test_a_change_of_what_is_left_out_is_found(said, read):
    assert contradicts(said, read, MODEL)


def test_what_takes_the_place_of_another_thing_must_be_read():
    said = "take out the house - scratch that - the tree"
    assert contradicts(said, f"{HOUSE} is removed. The green tree at the back on the far right stays.", MODEL)
    assert not contradicts(said, f"{TREE} is removed.", MODEL)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            "paint the house pink and shrink the tree",
            f"{HOUSE} turns pink. {TREE} shrinks from medium to small.",
        ),
        ("not the ball, remove the car", f"{CAR} is removed."),
        ("make it green except the sky", "Everything but the sky turns green. The rest stays."),
        ("darken the ground, not the sky", "The ground gets darker. The sky stays."),
        ("don't change anything except the sky, darken it", "The sky gets darker. The rest stays."),
        ("keep everything but the sky, darken it", "The sky gets darker. The rest stays."),
        ("everything stays but the sky, darken that", "The sky gets darker. The rest stays."),
        ("except the red ball all grey", "Everything but the reds turns grey. The rest stays."),
        ("don't remove the car, just make it red", f"{CAR} turns red."),
        ("a pink flower beside the ball, please", "A medium pink flower appears in front on the far left."),
        ("give the ball the colour of the car", f"{BALL} turns yellow."),
        ("the ball lies better in the background", f"{BALL} moves from in front to at the back."),
        ("turn the house purple, not the white one", "The medium pink house at the back turns purple."),
        ("remove the ball, wait, keep it, remove the tree", f"{TREE} is removed."),
        ("it's for the house, and the tree of my neighbour is blue", f"{TREE} turns red."),
        ("brighter", "The whole picture gets brighter. All things stay where they are."),
    ],
)
def test_other_readings_are_left_alone(said, read):
    assert not contradicts(said, read, MODEL)


BOX = "The small white box in front on the far left"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("turn the tiny ball blue and remove the box", f"{BALL} turns blue. {BOX} is removed."),
        ("paint the smaller tree red and the box blue", f"{TREE} turns red. {BOX} turns blue."),
        ("make the bigger box green, remove the ball", f"{BOX} turns green. {BALL} is removed."),
        ("make that smaller tree red, the ball blue", f"{TREE} turns red. {BALL} turns blue."),
        ("tiny ball blue, no box", f"{BALL} turns blue. {BOX} is removed."),
    ],
)
def test_a_size_that_describes_a_thing_is_no_other_size(said, read):
    assert not contradicts(said, read, MODEL)


@pytest.mark.parametrize("said", ["make the ball tiny and the box blue", "tiny ball, box blue"])
def test_a_size_that_a_thing_gets_must_be_read(said):
    assert contradicts(said, f"{BALL} turns blue. {BOX} turns blue.", MODEL)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("make all the balls green but the box red", f"{BALL} turns green. {BOX} turns red."),
        ("every ball turns blue but the tree red", f"{BALL} turns blue. {TREE} turns red."),
        ("don't change the ball's size, make the ball blue", f"{BALL} turns blue."),
        ("don't change the red ball's size, make it blue", f"{BALL} turns blue."),
        ("don't change the ball too much, just make it blue", f"{BALL} turns blue."),
        ("the ball stays small but turns blue", f"{BALL} turns blue."),
        ("the ball stays, but turns blue", f"{BALL} turns blue."),
        ("why not the ball blue", f"{BALL} turns blue."),
        ("why not the ball? blue", f"{BALL} turns blue."),
        ("remove the ball, wait, the one next to the box", f"{TREE} is removed."),
    ],
)
def test_a_change_of_what_is_not_left_out_is_not_asked_about(said, read):
    assert not contradicts(said, read, MODEL)


@pytest.mark.parametrize(
    "said", ["the ball stays, tree red", "the tree red and the ball stays as it is", "not the ball please"]
)
def test_what_stays_is_left_out(said):
    assert contradicts(said, f"{BALL} turns red. {TREE} turns red.", MODEL)


def test_a_model_that_names_no_things_is_never_doubted():
    assert not contradicts("no ball, larger tree", f"{TREE} grows from medium to large.", ModelConfig())
