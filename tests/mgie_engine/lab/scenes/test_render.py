import pytest
import torch

from mgie_engine.lab.scenes.drawing import SHAPES, Backdrop, Shape, draw, shape_table
from mgie_engine.lab.scenes.render import paint, picture, stack
from mgie_engine.lab.scenes.scene import BACK, FRONT, SKY, Cell, Scene, SceneObject
from mgie_engine.lab.scenes.scene_edits import State
from tests.support.scene_descriptions import drawn, stories

THINGS = (
    SceneObject("house", "white", "large", Cell(FRONT, 0), parts=(("roof", "red"), ("door", "brown"))),
    SceneObject("ball", "blue", "small", Cell(BACK, 3), "striped"),
    SceneObject("sun", "yellow", "medium", Cell(SKY, 1)),
)
# red, green and blue, each by quarter of the picture
QUARTERS = [
    0.5837,
    0.5619,
    0.88,
    0.8636,
    0.6088,
    0.6037,
    0.611,
    0.6154,
    0.5872,
    0.6106,
    0.3542,
    0.3453,
]
SCENE = Scene(THINGS, ground="sand", time="sunset")


def test_a_picture_is_the_same_for_ever():
    quarters = torch.nn.functional.avg_pool2d(drawn(State(SCENE), size=32), 16).flatten().tolist()
    assert quarters == pytest.approx(QUARTERS, abs=2e-3)


def test_a_picture_is_the_same_alone_and_in_a_batch():
    some = [one_story.states[0] for one_story in stories()[:12]]
    together = drawn(*some)
    for state, painted in zip(some, together, strict=True):
        assert torch.allclose(drawn(state)[0], painted, atol=1e-6)


def test_a_picture_shows_the_same_at_every_size():
    small, large = drawn(State(SCENE), size=32), drawn(State(SCENE), size=128)
    assert (torch.nn.functional.avg_pool2d(large, 4) - small).abs().mean() < 0.02


def test_a_sheet_holds_so_many_shapes():
    dot = Shape(0, 0.5, 0.5, 0.1, 0.1)
    backdrop = sheet_backdrop()
    assert shape_table(backdrop, [dot] * SHAPES)
    with pytest.raises(ValueError, match=str(SHAPES)):
        shape_table(backdrop, [dot] * (SHAPES + 1))


def sheet_backdrop():
    grey = (0.5, 0.5, 0.5)
    return Backdrop(grey, grey, grey, grey, (1.0, 1.0, 1.0))


def test_no_shapes_leave_the_backdrop():
    pixels = paint(*stack([shape_table(sheet_backdrop(), [])]), 8)
    assert torch.allclose(pixels, torch.full_like(pixels, 0.5))


def test_one_picture_is_an_image():
    assert picture(draw(SCENE), 24).size == (24, 24)
