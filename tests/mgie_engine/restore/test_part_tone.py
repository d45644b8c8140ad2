"""A tone of a part that the expressive instruction names: exact inside, nothing outside."""

import numpy as np
import pytest

from mgie_engine.lab.scenes.phrasing import table
from mgie_engine.restore import restore
from mgie_engine.restore.region_masks import EXACT, region_weights, said_region

SIDE, LARGE = 256, 1024


def view(side: int) -> np.ndarray:
    """Stripes and ramps of many colours, (side, side, 3) uint8."""
    at = (np.arange(side) + 0.5) / side
    across, down = np.meshgrid(at, at)
    waves = [127 + 90 * np.sin(9 * across + k) * np.cos(7 * down + 2 * k) for k in range(3)]
    return np.stack(waves, 2).round().astype(np.uint8)


def darker(levels: np.ndarray) -> np.ndarray:
    return levels * 0.6


def painted(name: str, noise: float = 0.0) -> np.ndarray:
    """What a model paints that makes a part darker."""
    small = view(SIDE)
    weight = region_weights(name, small)[..., None].numpy()
    levels = small + weight * (darker(small) - small)
    return (levels + np.random.default_rng(1).normal(0, noise, levels.shape)).clip(0, 255).astype(np.uint8)


def test_what_is_said_of_a_region_is_what_training_says() -> None:
    said = table("addressed")["regions"]
    for name in EXACT:
        text = str(said[name])
        start = text[0].upper() + text[1:] if " but " in text else f"The {text}"
        assert said_region(f"{start} gets darker. The rest stays.") == name
        assert said_region(f"{start} gets darker. The sky gets warmer. The rest stays.") is None
        assert said_region(f"{start} gets darker. The red car stays.") is None
    assert said_region("The whole picture gets darker. All things stay where they are.") is None


@pytest.mark.parametrize("name", ["left", "top right", "centre", "shadows", "reds", "not blues"])
def test_a_tone_is_carried_out_under_the_exact_mask(name: str) -> None:
    original = view(LARGE)
    done = restore(original, view(SIDE), painted(name, noise=3.0), part=name)
    result = np.asarray(done.picture).astype(float)
    weight = region_weights(name, original)[..., None].numpy()
    goal = original + weight * (darker(original) - original)
    assert np.abs(result - goal).mean() < 1.5
    assert np.array_equal(result[weight[..., 0] == 0], original[weight[..., 0] == 0])


def test_what_no_tone_explains_is_restored_as_ever() -> None:
    before = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    new = before.copy()
    new[60:140, 20:100] = np.random.default_rng(2).integers(0, 256, (80, 80, 3))
    one, other = (restore(before, before, new, part=part).picture for part in ("left", None))
    assert np.array_equal(np.asarray(one), np.asarray(other))


def test_a_region_that_the_picture_lacks_is_restored_as_ever() -> None:
    grey = np.full((SIDE, SIDE, 3), 128, np.uint8)
    darkened = (grey * 0.6).astype(np.uint8)
    one, other = (restore(grey, grey, darkened, part=part).picture for part in ("reds", None))
    assert np.array_equal(np.asarray(one), np.asarray(other))


def test_a_degree_scales_the_tone_of_a_part() -> None:
    original = view(LARGE)
    half = restore(original, view(SIDE), painted("left"), part="left", degree=0.5)
    once = restore(original, view(SIDE), painted("left"), part="left")
    shown = [np.asarray(one.picture).astype(float)[:, :300] for one in (half, once)]
    by_half, by_one = (one - original[:, :300] for one in shown)
    assert abs(by_half.mean() / by_one.mean() - 0.5) < 0.03
