"""Fog, rain and snow that come over a drawn scene, and fog that goes, are carried out at full size."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from mgie_engine.lab.evaluation.scene_cases import score_picture
from mgie_engine.lab.evaluation.scenes_running import pixels
from mgie_engine.lab.scenes.scene import random_scene
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.scene_images import pictures, to_image
from mgie_engine.restore import Restored, restore, said_weather
from mgie_engine.restore.weather import VEILS, WeatherChange

LARGE, SIDE = 512, 256
TENTH = 0.1
SAID = "The weather changes from {} to {}. The red house at the back on the left stays."


def scenes(change: WeatherChange, seed: int, time: str) -> tuple[Image.Image, Image.Image]:
    """A scene before and after a change of its weather."""
    scene = replace(random_scene(Random(seed)), time=time)
    both = ("clear", change.name) if change.comes else (change.name, "clear")
    before, after = pictures([State(replace(scene, weather=weather)) for weather in both], LARGE)
    return to_image(before), to_image(after)


def softened(picture: Image.Image) -> Image.Image:
    """As an autoencoder brings it back: streaks and flakes are faint."""
    return picture.resize((SIDE, SIDE)).filter(ImageFilter.GaussianBlur(2))


def delivered(before: Image.Image, painted: Image.Image, change: WeatherChange | None) -> Restored:
    small = before.resize((SIDE, SIDE))
    return restore(before, small, softened(painted), reconstruction=softened(before), weather=change)


@pytest.mark.parametrize("time", ["day", "sunset", "night"])
@pytest.mark.parametrize(
    "change",
    [
        *(WeatherChange(name, comes=True) for name in VEILS),
        *(WeatherChange(name, comes=False) for name in ("fog", "rain")),
    ],
    ids=str,
)
def test_a_veil_comes_or_goes_at_full_size(change, time):
    before, goal = scenes(change, 5, time)
    result = delivered(before, goal, change).picture
    assert score_picture(pixels(before), pixels(goal), pixels(result)).left < TENTH / 2


def test_without_words_rain_is_as_faint_as_it_was_painted():
    before, goal = scenes(WeatherChange("rain", comes=True), 5, "day")
    result = delivered(before, goal, None).picture
    assert score_picture(pixels(before), pixels(goal), pixels(result)).left > TENTH


def test_between_the_streaks_every_byte_stays():
    change = WeatherChange("rain", comes=True)
    before, goal = scenes(change, 5, "day")
    result = delivered(before, goal, change).picture
    grid = (torch.arange(LARGE) + 0.5) / LARGE
    between = (VEILS["rain"].weights(grid.view(1, 1, -1), grid.view(1, -1, 1))[0] == 0).numpy()
    assert between.mean() > 0.5
    assert (np.asarray(result) == np.asarray(before))[between].all()


@pytest.mark.parametrize("shift", [(0, 0, 0), (30, -20, 5)])
def test_a_painting_of_something_else_is_restored_by_comparison(shift):
    change = WeatherChange("rain", comes=True)
    before, _ = scenes(change, 5, "day")
    other = Image.fromarray((np.asarray(before).astype(int) + shift).clip(0, 255).astype(np.uint8))
    with_words, without = (delivered(before, other, words).picture for words in (change, None))
    assert np.array_equal(np.asarray(with_words), np.asarray(without))


@pytest.mark.parametrize("name", ["rain", "fog"])
def test_a_veil_that_the_picture_does_not_have_is_not_taken_off(name):
    before, goal = scenes(WeatherChange("snow", comes=False), 5, "day")
    words = WeatherChange(name, comes=False)
    with_words, without = (delivered(before, goal, one).picture for one in (words, None))
    assert np.array_equal(np.asarray(with_words), np.asarray(without))


@pytest.mark.parametrize(
    ("expressive", "change"),
    [
        (SAID.format("clear", "rain"), WeatherChange("rain", comes=True)),
        (SAID.format("clear", "fog"), WeatherChange("fog", comes=True)),
        (SAID.format("fog", "clear"), WeatherChange("fog", comes=False)),
        ("The weather changes from clear to snow. Everything else stays.", WeatherChange("snow", comes=True)),
        (SAID.format("rain", "clear"), WeatherChange("rain", comes=False)),
        (SAID.format("snow", "clear"), None),  # what lies behind a flake is painted
        (SAID.format("rain", "fog"), None),
        ("The ground turns from grass to snow and the weather changes from clear to snow. All stay.", None),
        ("The weather changes from clear to rain. The red ball gets larger. The tree stays.", None),
        ("The whole picture gets darker. All things stay where they are.", None),
    ],
)
def test_only_a_change_of_the_weather_alone_is_a_veil(expressive, change):
    assert said_weather(expressive) == change


def test_a_veil_covers_a_part_of_every_pixel_at_most():
    grid = (torch.arange(64) + 0.5) / 64
    for veil in VEILS.values():
        weights = veil.weights(grid.view(1, 1, -1), grid.view(1, -1, 1))
        assert weights.shape == (1, 64, 64)
        assert 0 <= float(weights.min()) <= float(weights.max()) < 1
