"""Things that an edit shows elsewhere or in another size."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from mgie_engine.restore import Restored, restore

SQUARE = 128
Spot = tuple[float, float, float]  # left, top and side of a thing, in shares of the picture's width


def board(width: int, height: int, spot: Spot | None, colour: str = "#b03030") -> Image.Image:
    """A ground that gets lighter, and a dotted disc with a bar on it."""
    ground = np.linspace(90, 150, height)[:, None, None] + np.zeros((height, width, 3))
    scene = Image.fromarray(ground.astype(np.uint8))
    if spot:
        left, top, side = (share * width for share in spot)
        draw = ImageDraw.Draw(scene)
        draw.ellipse((left, top, left + side, top + side), colour)
        for dot in range(25):
            x, y = left + side * (0.25 + 0.12 * (dot % 5)), top + side * (0.2 + 0.1 * (dot // 5))
            draw.ellipse((x, y, x + 0.05 * side, y + 0.05 * side), "#f0f0f0")
        draw.rectangle(
            (left + 0.2 * side, top + 0.75 * side, left + 0.8 * side, top + 0.82 * side), "#202020"
        )
    return scene


def painted(picture: Image.Image) -> Image.Image:
    """As a small model would paint it: without its finest detail."""
    return picture.resize((SQUARE, SQUARE), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.8))


def carried(before: Image.Image, after: Image.Image) -> Restored:
    return restore(before, painted(before), painted(after))


def off(picture: Image.Image, wanted: Image.Image, spot: Spot) -> float:
    """Mean difference in levels, in the thing's square."""
    left, top, side = (round(share * wanted.width) for share in spot)
    crops = [np.asarray(one.crop((left, top, left + side, top + side)), float) for one in (picture, wanted)]
    return float(abs(crops[0] - crops[1]).mean())


@pytest.mark.parametrize(
    ("size", "was", "becomes"),
    [
        ((640, 640), (0.1, 0.1, 0.25), (0.6, 0.55, 0.25)),
        ((640, 640), (0.3, 0.3, 0.25), (0.25, 0.25, 0.35)),
        ((640, 640), (0.3, 0.3, 0.4), (0.35, 0.38, 0.28)),
        ((640, 640), (0.1, 0.1, 0.25), (0.75, 0.75, 0.25)),
        ((960, 480), (0.1, 0.1, 0.2), (0.6, 0.2, 0.2)),
    ],
    ids=["moved", "enlarged", "made smaller", "moved into the corner", "moved in a wide picture"],
)
def test_a_thing_that_moved_is_as_sharp_as_it_was(size: tuple[int, int], was: Spot, becomes: Spot):
    before, after = board(*size, was), board(*size, becomes)
    enlarge_relevance = painted(after).resize(size, Image.Resampling.LANCZOS)
    restored = carried(before, after).picture
    assert off(restored, after, becomes) < 0.5 * off(enlarge_relevance, after, becomes)
    assert off(restored, after, (0, 0, size[1] / size[0])) < 1.5


def test_a_thing_that_moved_in_another_colour_has_the_painted_one():
    before, after = board(640, 640, (0.1, 0.1, 0.25)), board(640, 640, (0.6, 0.6, 0.25), "#3050c0")
    middle = carried(before, after).picture.crop((420, 525, 460, 530))
    red, _, blue = np.asarray(middle).mean((0, 1))
    assert blue > red


def test_what_is_new_is_not_taken_for_something_old():
    before, after = board(640, 640, None), board(640, 640, (0.5, 0.5, 0.25))
    restored = carried(before, after).picture
    assert off(restored, after, (0.5, 0.5, 0.25)) < 20


def test_ground_is_painted_where_a_thing_was_removed_not_taken_from_elsewhere():
    """What comes from elsewhere lets the original shine through where the two are much alike."""
    before, after = spotlight(tree=True), spotlight(tree=False)
    assert off(carried(before, after).picture, after, (0.25, 0.55, 0.3)) < 0.4


def spotlight(tree: bool) -> Image.Image:
    """A wall that a lamp lights in the middle, and a tree before it."""
    across = np.arange(512) / 256 - 1
    light = (1 - 0.6 * (across[:, None] ** 2 + across**2)).clip(0.1)[..., None]
    scene = Image.fromarray((light * (90, 150, 200)).astype(np.uint8))
    if tree:
        draw = ImageDraw.Draw(scene)
        draw.ellipse((150, 310, 250, 410), "#e0c020")
        draw.rectangle((190, 405, 210, 450), "#603010")
    return scene


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_painted_a_picture_comes_back(seed: int):
    before, after = scattered(seed), scattered(seed + 100)
    whole = before.resize((300, 170), Image.Resampling.LANCZOS)
    assert restore(whole, before, after).picture.size == whole.size


def test_a_picture_that_was_shifted_as_a_whole_comes_back():
    before = scattered(120)  # all of it is one patch, larger than the picture at half its size
    shift = (1, 0, -60, 0, 1, -10)
    after = before.transform(before.size, Image.Transform.AFFINE, shift, fillcolor="#808080")
    restored = restore(before, before, after).picture
    assert off(restored, after, (0, 0, 1)) < off(before, after, (0, 0, 1)) / 4


def scattered(seed: int) -> Image.Image:
    """Rectangles of all sizes, some of them partly outside."""
    dice = np.random.default_rng(seed)
    scene = Image.new("RGB", (SQUARE, SQUARE), "#808080")
    for _ in range(int(dice.integers(1, 9))):
        left, top = dice.integers(-40, SQUARE, 2)
        width, height = dice.integers(2, 90, 2)
        colour = tuple(int(level) for level in dice.integers(0, 256, 3))
        ImageDraw.Draw(scene).rectangle((left, top, left + width, top + height), colour)
    return scene
