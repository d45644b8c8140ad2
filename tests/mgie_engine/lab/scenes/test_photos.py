import numpy as np
import pytest
import torch

from mgie_engine.lab.scenes.photo_generator import NUMBERS, photo
from mgie_engine.lab.scenes.photo_noise import compressed, fractal
from mgie_engine.lab.scenes.photo_painter import paint_photos
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.scene_images import pictures
from mgie_engine.restore.region_masks import LAYERS, PLACES

SEEDS = [seed for seed in range(40) if photo(seed).numbers[0] > 0]


def painted(seeds, size=256):
    return paint_photos(torch.from_numpy(np.stack([photo(seed).numbers for seed in seeds])), size)


@pytest.fixture(scope="module")
def batch():
    return painted(SEEDS[:12])


def test_the_same_seed_is_the_same_photo(batch):
    photo.cache_clear()
    again, layers = painted(SEEDS[:12])
    assert torch.equal(again, batch[0])
    assert torch.equal(layers, batch[1])


def test_a_photo_alone_is_the_one_in_a_batch(batch):
    alone, layers = painted(SEEDS[3:4])
    assert (alone[0] - batch[0][3]).abs().max() < 1e-4
    assert (layers[0] - batch[1][3]).abs().max() < 1e-4


def test_photos_are_pictures_with_masks_that_share_the_place(batch):
    seen, layers = batch
    assert seen.shape == (12, 3, 256, 256)
    assert layers.shape == (12, len(LAYERS), 256, 256)
    assert seen.min() >= 0
    assert seen.max() <= 1
    assert layers.min() >= 0
    assert layers.sum(1).max() <= 1 + 1e-4


def test_layers_that_are_named_can_be_seen():
    _, layers = painted(SEEDS, 64)
    cover = layers.mean((2, 3))
    named = torch.tensor([[name in photo(seed).layers for name in LAYERS] for seed in SEEDS])
    assert (cover[named] > 0.01).float().mean() > 0.85
    assert cover[~named].max() < 0.15


def test_a_photo_is_the_same_at_another_size(batch):
    small, _ = painted(SEEDS[:12], 128)
    difference = torch.nn.functional.avg_pool2d(batch[0], 2) - small
    assert difference.square().mean().sqrt() < 0.03


def test_photos_differ():
    seen, _ = painted(SEEDS, 64)
    assert len({tuple(picture.mean((1, 2)).tolist()) for picture in seen}) == len(SEEDS)


def test_a_state_knows_its_layers():
    states = [State(None, photo=seed) for seed in range(30)]
    assert {name for state in states for name in state.layers} <= set(PLACES)
    assert all(state.view.shape == (NUMBERS,) for state in states)
    assert any("subject" in state.layers for state in states)


def test_views_and_dead_leaves_and_scenes_are_painted_together():
    states = [State(None, photo=seed) for seed in range(10)]
    together = pictures(states, 64)
    for place in (0, 4, 9):
        assert (pictures([states[place]], 64)[0] - together[place]).abs().max() < 1e-4


def test_noise_falls_with_the_frequency():
    seed, rough = torch.arange(4.0), torch.full((4, 2, 1, 1), 0.5)
    noise = fractal(seed, rough, 128)
    power = torch.fft.rfft2(noise).abs().square().mean((0, 1))
    assert power[2:8, 2:8].mean() > 10 * power[16:32, 16:32].mean() > 100 * power[50:64, 50:64].mean() / 10
    assert 0.5 < noise.std() < 2


def test_compression_loses_little(batch):
    seen = batch[0][:2]
    fine, rough = (compressed(seen, torch.full((2,), step)) for step in (0.002, 0.02))
    assert (fine - seen).square().mean().sqrt() < (rough - seen).square().mean().sqrt() < 0.05
