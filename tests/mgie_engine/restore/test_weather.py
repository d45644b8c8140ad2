"""Rain and snow that go: neither a tone nor a blur, though the autoencoder loses most of the streaks."""

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from mgie_engine.restore import restore

SIDE = 256
EVERYWHERE = np.full((32, 32), 0.1, np.float32)  # relevance of an instruction about the weather
EVERYWHERE[:3] = 0.3


def scene() -> Image.Image:
    """A sky, a meadow and a house: light and dark levels, which no curve takes to the sky's."""
    picture = Image.linear_gradient("L").resize((SIDE, SIDE)).convert("RGB")
    picture = ImageChops.blend(picture, Image.new("RGB", picture.size, "#4a5f80"), 0.8)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 150, SIDE, SIDE), "#5b8f45")
    draw.ellipse((180, 20, 240, 60), "#e4eaf0")
    draw.rectangle((90, 110, 160, 190), "#dde4ea", "#202020", 6)
    draw.rectangle((20, 190, 70, 230), "#c8d0d8", "#202020", 6)
    draw.polygon([(80, 110), (125, 70), (170, 110)], "#a03020")
    return picture


def with_rain(picture: Image.Image) -> Image.Image:
    rainy, random = picture.copy(), np.random.default_rng(1)
    draw = ImageDraw.Draw(rainy)
    for x, y in random.integers(0, SIDE, (140, 2)).tolist():
        draw.line((x, y, x - 3, y + 13), "#d8e0e8")
    return rainy


def with_snow(picture: Image.Image) -> Image.Image:
    snowy, random = picture.copy(), np.random.default_rng(2)
    draw = ImageDraw.Draw(snowy)
    for x, y in random.integers(0, SIDE, (90, 2)).tolist():
        draw.ellipse((x, y, x + 5, y + 5), "#ffffff")
    return snowy


def softened(picture: Image.Image) -> Image.Image:
    """As an autoencoder brings it back: fine detail is faint."""
    return picture.filter(ImageFilter.GaussianBlur(1.2))


def noisy(picture: Image.Image) -> Image.Image:
    cells = np.random.default_rng(0).normal(0, 2, (SIDE // 4, SIDE // 4, 3)).repeat(4, 0).repeat(4, 1)
    return Image.fromarray((np.asarray(picture) + cells).round().clip(0, 255).astype(np.uint8))


def share_left(before: Image.Image, goal: Image.Image, result: Image.Image) -> float:
    """Squared error of the result, as a share of doing nothing."""
    start, wanted, found = (np.asarray(one, np.float64) for one in (before, goal, result))
    return float(((found - wanted) ** 2).mean() / ((start - wanted) ** 2).mean())


def edges(picture: Image.Image) -> float:
    return float(np.asarray(picture.convert("L").filter(ImageFilter.FIND_EDGES), np.float64).std())


@pytest.mark.parametrize("with_weather", [with_rain, with_snow])
def test_weather_that_clears_up_is_gone_and_the_scene_stays_sharp(with_weather):
    clear = scene()
    before = with_weather(clear)
    result = restore(
        before, before, noisy(softened(clear)), reconstruction=softened(before), relevance=EVERYWHERE
    ).picture
    assert share_left(before, clear, result) < 0.1
    assert edges(result) > 0.8 * edges(clear)


def test_rain_that_begins_is_shown_as_it_was_painted():
    clear, painted = scene(), noisy(softened(with_rain(scene())))
    result = restore(clear, clear, painted, reconstruction=softened(clear), relevance=EVERYWHERE).picture
    assert share_left(clear, painted, result) < 0.6


def test_a_blurred_scene_with_rain_is_still_a_blur():
    before = with_rain(scene())
    blurred = before.filter(ImageFilter.GaussianBlur(4))
    result = restore(
        before, before, noisy(blurred), reconstruction=softened(before), relevance=EVERYWHERE
    ).picture
    assert share_left(before, blurred, result) < 0.05
