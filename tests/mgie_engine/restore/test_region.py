import numpy as np
import pytest
import torch
from PIL import Image

from conversations.messages import Message
from mgie_engine.restore import restore
from mgie_engine.restore.region import FEATHER, covered, depths, within
from tests.support.restored_pictures import as_seen, carried, dimmed, drawing


def noise(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def box(height, width, rows, columns):
    region = np.zeros((height, width), bool)
    region[rows, columns] = True
    return region


def test_outside_every_byte_stays_and_deep_inside_every_byte_is_the_edit():
    before, after = noise(1200, 1000), noise(1200, 1000, seed=1)
    region = box(1200, 1000, slice(300, 900), slice(200, 700))
    found, deep = within(before, after, region), (slice(310, 890), slice(210, 690))
    assert np.array_equal(found[~region], before[~region])
    assert np.array_equal(found[deep], after[deep])


def test_the_edit_fades_in_on_the_inner_side():
    before, after = np.zeros((2000, 2000, 3), np.uint8), np.full((2000, 2000, 3), 250, np.uint8)
    found = within(before, after, box(2000, 2000, slice(500, 1500), slice(500, 1500)))
    assert found[1000, 499:506, 0].tolist() == [0, 50, 100, 150, 200, 250, 250]


def test_it_does_not_fade_at_the_edges_of_the_picture():
    before, after = np.zeros((2000, 2000, 3), np.uint8), np.full((2000, 2000, 3), 250, np.uint8)
    assert within(before, after, np.ones((2000, 2000), bool)).min() == 250
    left = within(before, after, box(2000, 2000, slice(None), slice(0, 1000)))
    assert (left[0, 0, 0], left[1999, 999, 0]) == (250, 50)


@pytest.mark.parametrize("stroke", [1, 2, 3, 5])
def test_a_thin_stroke_shows_the_edit_in_its_middle(stroke):
    before, after = np.zeros((3000, 3000, 3), np.uint8), np.full((3000, 3000, 3), 200, np.uint8)
    found = within(before, after, box(3000, 3000, slice(1000, 1000 + stroke), slice(100, 2900)))
    assert found[1000 + stroke // 2, 1500, 0] == 200
    assert not found[999].any()


def test_a_single_pixel_and_no_pixel_are_regions_too():
    before, after = noise(40, 30), noise(40, 30, seed=1)
    one = box(40, 30, 7, 9)
    assert np.array_equal(within(before, after, one)[7, 9], after[7, 9])
    assert np.array_equal(within(before, after, np.zeros((40, 30), bool)), before)


def test_depth_is_counted_from_the_nearest_pixel_outside():
    region = box(9, 9, slice(1, 8), slice(1, 8))
    assert depths(region, 3)[4].tolist() == [0, 1, 2, 3, 3, 3, 2, 1, 0]
    assert FEATHER == 500


def test_a_cell_of_a_small_map_counts_as_covered_if_the_region_touches_it():
    assert covered(box(100, 60, 99, 59), torch.zeros(4, 4)).tolist()[3] == [0, 0, 0, 1]
    assert covered(box(3, 2, 0, 0), torch.zeros(5, 4)).sum() > 0


@pytest.mark.parametrize("keep", ["auto", "strict", "off"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_restoring_changes_nothing_outside(keep, mode):
    picture = drawing(700, 500).convert(mode)
    region = box(500, 700, slice(100, 300), slice(50, 250))
    restored = carried(picture, dimmed(picture), keep=keep, region=region)
    before, after = np.asarray(picture), np.asarray(restored.picture)
    assert np.array_equal(after[~region], before[~region])
    assert 0 < restored.changed <= region.mean()
    assert (after[110:290, 60:240, :3] != before[110:290, 60:240, :3]).any(2).mean() > 0.9
    assert not restored.change_map[:, 150:].any()


def test_an_edit_that_fell_outside_of_the_region_says_so():
    picture = drawing(400, 400)
    seen = as_seen(picture)
    painted = seen.copy()
    near, far = seen.width * 3 // 8, seen.width * 5 // 8
    painted.paste((250, 20, 20), (near, near, far, far))
    region = box(400, 400, slice(0, 40), slice(0, 40))
    restored = restore(picture, seen, painted, region=region)
    assert restored.picture.tobytes() == picture.tobytes()
    assert restored.notes == (Message("note_outside_region"),)
    nothing = restore(picture, seen, seen, region=region)
    assert nothing.notes == (Message("note_nothing_changed"),)


def test_grey_pictures_and_pictures_of_one_pixel_have_regions():
    grey = drawing(60, 40).convert("L").convert("RGB")
    region = box(40, 60, slice(0, 20), slice(0, 60))
    after = np.asarray(carried(grey, dimmed(grey), region=region).picture)
    assert np.array_equal(after[20:], np.asarray(grey)[20:])
    dot = Image.new("RGB", (1, 1), "white")
    assert carried(dot, dimmed(dot), keep="off", region=np.ones((1, 1), bool)).picture.size == (1, 1)
