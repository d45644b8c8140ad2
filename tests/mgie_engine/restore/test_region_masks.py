import pytest
import torch
import torch.nn.functional as F

from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.scene_images import pictures
from mgie_engine.restore.region_masks import (
    BRIGHTNESS,
    COLOURS,
    HUES,
    LAYERS,
    PLACES,
    POSITIONS,
    REGIONS,
    WHOLE,
    no_layers,
)
from mgie_engine.restore.tones import ToneSpec, apply


def mask(name, picture, layers=None):
    return REGIONS[name](picture, no_layers(picture) if layers is None else layers)


@pytest.fixture(scope="module")
def photo():
    return pictures([State(None, photo=8)], 128)


@pytest.mark.parametrize("name", sorted(REGIONS))
def test_a_region_is_a_soft_mask_of_the_pictures_size(name, photo):
    layers = torch.rand(1, len(LAYERS), 128, 128)
    found = mask(name, photo, layers)
    assert found.shape == (1, 1, 128, 128)
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize("name", sorted(POSITIONS))
def test_a_position_is_the_same_at_another_resolution(name):
    small, large = (mask(name, torch.rand(1, 3, size, size)) for size in (64, 128))
    assert (F.avg_pool2d(large, 2) - small).abs().max() < 0.05
    assert 0.03 < small.mean() < 0.6


@pytest.mark.parametrize(
    ("one", "other"), [("left", "right"), ("top", "bottom"), *((f"not {name}", name) for name in HUES)]
)
def test_a_region_and_what_it_leaves_out_are_the_whole(one, other, photo):
    assert torch.allclose(mask(one, photo) + mask(other, photo), torch.ones(1), atol=1e-5)


def test_thirds_are_the_whole(photo):
    thirds = sum(mask(name, photo) for name in ("left third", "middle third", "right third"))
    assert (thirds - 1).abs().max() < 0.05


PURE = {
    "reds": (0.8, 0.1, 0.1), "oranges": (0.9, 0.5, 0.1), "yellows": (0.9, 0.85, 0.1),
    "greens": (0.2, 0.7, 0.2), "blues": (0.2, 0.3, 0.9), "purples": (0.6, 0.2, 0.8),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HUES))
def test_a_colour_is_in_its_range_and_in_no_other(name):
    patch = torch.tensor(PURE[name]).view(1, 3, 1, 1).expand(-1, -1, 4, 4)
    found = {other: float(mask(other, patch).mean()) for other in HUES}
    assert found.pop(name) > 0.95
    assert max(found.values()) < 0.05


def test_grey_has_no_colour():
    grey = torch.linspace(0, 1, 16).view(1, 1, 1, 16).expand(1, 3, 4, 16)
    assert max(float(mask(name, grey).max()) for name in HUES) < 1e-3


def test_brightness_is_told_apart():
    levels = torch.tensor([0.05, 0.5, 0.95]).view(1, 1, 1, 3).expand(1, 3, 1, 3)
    found = torch.cat([mask(name, levels) for name in ("shadows", "midtones", "highlights")], 2)[0, 0]
    assert torch.allclose(found, torch.eye(3), atol=0.05)


def test_every_kind_of_region_is_in_the_table():
    assert set(REGIONS) == {WHOLE, *POSITIONS, *BRIGHTNESS, *COLOURS, *PLACES}


def test_an_addressed_tone_changes_its_region_only(photo):
    toned = apply(photo, [[ToneSpec("darker", 1.8, "left")]])
    moved = (toned - photo).abs()
    assert moved[..., :48].mean() > 0.02
    assert moved[..., 80:].max() == 0


def test_a_blurred_background_takes_nothing_of_the_subject():
    picture = torch.zeros(1, 3, 64, 64)
    picture[..., 24:40, 24:40] = 1
    layers = torch.zeros(1, len(LAYERS), 64, 64)
    layers[:, LAYERS.index("subject"), 24:40, 24:40] = 1
    toned = apply(picture, [[ToneSpec("blur", 1.8, "background")]], layers)
    assert (toned - picture).abs().max() < 0.02
