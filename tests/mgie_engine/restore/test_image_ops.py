import pytest
import torch
import torch.nn.functional as F

from mgie_engine.restore.image_ops import box, close_mask, connected_to, local_max, outside_range, smooth

SPIRAL = """
#########
........#
#######.#
#.....#.#
#.###.#.#
#.#...#.#
#.#####.#
#.......#
#########
"""


def maze(drawing: str) -> torch.Tensor:
    return torch.tensor([[cell == "#" for cell in row] for row in drawing.split()])


def test_joined_finds_the_whole_way_and_nothing_beside_it():
    way = maze(SPIRAL)
    start = torch.zeros_like(way)
    start[0, 0] = True
    assert torch.equal(connected_to(start, way), way)


def test_joined_leaves_out_what_touches_no_seed():
    islands = maze("##..## ##..## ...... .#....")
    start = torch.zeros_like(islands)
    start[1, 1] = True
    found = connected_to(start, islands)
    assert found.sum() == 4
    assert found[:2, :2].all()


def test_joined_crosses_corners():
    diagonal = torch.eye(7, dtype=torch.bool)
    start = torch.zeros_like(diagonal)
    start[6, 6] = True
    assert torch.equal(connected_to(start, diagonal), diagonal)


@pytest.mark.parametrize("radius", [0, 1, 3, 40])
def test_a_box_is_the_mean_of_what_lies_inside_the_picture(radius: int):
    maps = torch.rand(2, 24, 24, generator=torch.Generator().manual_seed(0)) * 255
    width = 2 * radius + 1
    padded, inside = (
        F.avg_pool2d(F.pad(part, (radius,) * 4), width, 1) for part in (maps, torch.ones_like(maps))
    )
    assert torch.allclose(box(maps, radius), padded / inside, rtol=1e-4)
    assert torch.allclose(smooth(maps, radius), box(box(maps, radius), radius), rtol=1e-4)


def test_closed_fills_holes_and_narrow_bays_and_leaves_the_outline():
    shape = maze("....... .#####. .#...#. .#...#. .#####. ....... .......")
    filled = maze("....... .#####. .#####. .#####. .#####. ....... .......")
    bay = maze("....... .#####. .#####. .##.##. .##.##. ....... .......")
    assert torch.equal(close_mask(shape, 1), filled)
    assert torch.equal(close_mask(bay, 1), filled)
    assert torch.equal(close_mask(filled, 3), filled)


def test_what_another_picture_shows_near_by_is_not_beyond_it():
    line = torch.zeros(3, 9, 9)
    line[:, :, 4] = 100
    aside = line.roll(1, 2)
    assert not outside_range(line, aside, 1).any()
    assert outside_range(line, aside.roll(1, 2), 1).max() == 100
    assert outside_range(-line, torch.zeros(3, 9, 9), 2).max() == 100


@pytest.mark.parametrize("reach", [1, 2, 3, 8])
def test_the_highest_near_by_is_what_pooling_finds(reach):
    maps = torch.randn(3, 30, 41, generator=torch.Generator().manual_seed(0))
    assert torch.equal(local_max(maps, reach), F.max_pool2d(maps[None], 2 * reach + 1, 1, reach)[0])
