from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgie_engine.lab.scenes.references import (
    beside,
    first_free,
    home_rows,
    place_words,
    refer,
    region,
    towards,
)
from mgie_engine.lab.scenes.scene import BACK, FRONT, SKY, Cell, Scene, SceneObject, random_scene
from tests.support.reference_resolver import meant

SEEDS = st.integers(0, 10**6)
BALL = SceneObject("ball", "red", "large", Cell(FRONT, 1))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(SEEDS)
def test_a_reference_singles_out_exactly_one_thing(seed):
    rng = Random(seed)
    scene = random_scene(rng)
    for obj in scene.objects:
        at = refer(rng, scene, obj)
        assert meant(scene, at.it) == [obj], at.it


@settings(max_examples=100, deadline=None, derandomize=True)
@given(SEEDS)
def test_a_bare_name_is_only_for_what_is_alone_of_its_kind(seed):
    rng = Random(seed)
    scene = random_scene(rng)
    for obj in scene.objects:
        at = refer(rng, scene, obj)
        assert at.name is None or (scene.of(obj.kind) == [obj] and at.it == f"the {at.name}")


def test_the_first_free_cell_is_in_front_on_the_left():
    assert first_free(Scene(()), region("", (FRONT, BACK))) == Cell(FRONT, 0)
    standing = Scene((SceneObject("ball", "red", "large", Cell(FRONT, 0)),))
    assert first_free(standing, region("", (FRONT, BACK))) == Cell(FRONT, 1)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("left", [(FRONT, 0), (BACK, 0), (FRONT, 1), (BACK, 1)]),
        ("right", [(FRONT, 3), (BACK, 3), (FRONT, 2), (BACK, 2)]),
        ("middle", [(FRONT, 1), (FRONT, 2), (BACK, 1), (BACK, 2)]),
        ("front", [(FRONT, column) for column in range(4)]),
        ("back", [(BACK, column) for column in range(4)]),
    ],
)
def test_each_region_is_filled_in_one_order(name, cells):
    assert region(name, home_rows("ball")) == [Cell(row, column) for row, column in cells]


def test_sky_things_stay_in_the_sky():
    assert {cell.row for cell in region("left", home_rows("kite"))} == {SKY}


def test_beside_is_on_the_right_first():
    assert beside(Scene((BALL,)), BALL) == [Cell(FRONT, 2), Cell(FRONT, 0)]


def test_beside_ends_at_the_edge():
    edge = SceneObject("ball", "red", "large", Cell(BACK, 3))
    assert beside(Scene((edge,)), edge) == [Cell(BACK, 2)]
    assert towards(edge, 1) == []
    assert towards(edge, -1) == [Cell(BACK, 2), Cell(BACK, 1), Cell(BACK, 0)]


def test_words_for_one_cell_do_not_fit_another():
    rng, scene = Random(0), Scene((BALL,))
    said = {cell: {place_words(rng, scene, cell) for _ in range(60)} for cell in region("", (FRONT, BACK))}
    every = [words for ways in said.values() for words in ways]
    assert len(every) == len(set(every))
