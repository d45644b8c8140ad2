from dataclasses import replace
from random import Random

import pytest
import torch

from mgie_engine.lab.scenes.edit_generators import add, move
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import COLUMNS, FRONT, SKY, Cell, Scene, SceneObject
from mgie_engine.lab.scenes.scene_edits import State, move_aside, recolour_to, resize_it
from mgie_engine.lab.scenes.scene_images import changed
from tests.support.scene_descriptions import drawn, steps

BALL = SceneObject("ball", "red", "large", Cell(FRONT, 0))
BOX = SceneObject("box", "blue", "small", Cell(FRONT, 1))
SCENE = Scene((BALL, BOX))
STATE = State(SCENE)
TOP = {0: (0.0, 0.32), 1: (0.44, 0.70), 2: (0.66, 0.98)}  # where the things of each row are drawn


def touched(before: Scene | None, after: Scene | None) -> set[Cell]:
    assert before is not None
    assert after is not None
    gone, new = set(before.objects) - set(after.objects), set(after.objects) - set(before.objects)
    return {obj.cell for obj in gone | new}


def room(cells: set[Cell], size: int) -> torch.Tensor:
    mask = torch.zeros(size, size, dtype=torch.bool)
    for cell in cells:
        top, bottom = (round(share * size) for share in TOP[cell.row])
        left, right = (column * size // COLUMNS for column in (cell.column, cell.column + 1))
        mask[top:bottom, max(0, left - 1) : right + 1] = True  # soft edges reach a pixel further
    return mask


@pytest.mark.parametrize("kind", ["recolour", "remove", "add", "replace", "resize", "move", "ambiguous"])
def test_only_the_cells_of_an_edit_change(kind):
    for one_story, step in steps(kind=kind)[:40]:
        before, after = one_story.states[step.before], one_story.states[step.after]
        if any(name in ("blur", "sharpen") for name, *_ in before.tones):
            continue  # these carry every pixel over to its neighbours
        moved = changed(*drawn(before, after))
        assert moved.any()
        assert not (moved & ~room(touched(before.scene, after.scene), 48)).any()


def test_every_change_can_be_seen():
    for one_story, step in steps("test")[:250]:
        before, after = one_story.states[step.before], one_story.states[step.after]
        if before != after and step.edit.kind not in ("tonal", "local", "follow-up"):
            assert changed(*drawn(before, after)).any(), step.edit.expressive


def test_another_sky_changes_nothing_below_the_horizon():
    before = drawn(STATE, replace(STATE, scene=replace(SCENE, sky="pink")))
    moved = changed(*before)
    assert moved[:24].all()
    assert not moved[27:].any()


def test_the_colour_a_thing_has_is_not_given_again():
    edit = recolour_to(STATE, BALL, "red", "make it red")
    assert edit.goal == STATE
    assert edit.expressive == "Nothing changes. The large red ball in front on the far left is already red."


def test_the_largest_cannot_grow():
    edit = resize_it(STATE, BALL, 1, "bigger")
    assert (edit.kind, edit.goal) == ("refuse", STATE)
    assert edit.expressive.endswith("is already large.")


def test_a_step_aside_leads_to_the_next_free_place():
    edit = move_aside(STATE, BALL, 1, "to the right")
    assert edit.obj
    assert edit.obj.cell == Cell(FRONT, 2)


def test_at_the_edge_there_is_no_room():
    edit = move_aside(STATE, BALL, -1, "to the left")
    assert edit.goal == STATE
    assert "There is no room on the left" in edit.expressive


def test_nothing_is_added_where_something_stands():
    for seed in range(300):
        edit = add(RngStreams.of(Random(seed), "train"), STATE)
        if edit:
            cells = [obj.cell for obj in edit.goal.scene.objects]
            assert len(cells) == len(set(cells))


def test_things_never_leave_their_home():
    sun = SceneObject("sun", "yellow", "large", Cell(SKY, 2))
    for seed in range(200):
        edit = move(RngStreams.of(Random(seed), "train"), State(Scene((sun,))))
        assert edit is None or edit.goal.scene.objects[0].cell.row == SKY
