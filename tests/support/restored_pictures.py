"""Drawings before and after an edit, and how near a restored picture is to the wanted one."""

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from mgie_engine.restore import Restored, restore

SQUARE = 128


def drawing(
    width: int = 512, height: int = 512, *, ball: str | None = "red", star: bool = False
) -> Image.Image:
    """A sky, a striped ground, and a ball at a third of the width."""
    scene = ImageOps.colorize(Image.linear_gradient("L"), "#4a90d9", "#f3e3c3").resize((width, height))
    draw = ImageDraw.Draw(scene)
    for x in range(0, width, max(8, width // 40)):
        draw.rectangle((x, int(0.6 * height), x + max(3, width // 100), height), "#7a9a4a")
    if ball:
        draw.ellipse(box(width, height, 0.2, 0.35, 0.3), ball)
    if star:
        draw.rectangle(box(width, height, 0.65, 0.3, 0.2), "#ffffff", "#101010", max(1, width // 100))
    return scene


def box(width: int, height: int, left: float, top: float, side: float) -> tuple[float, float, float, float]:
    return left * width, top * height, (left + side) * width, (top + side) * height


def as_seen(picture: Image.Image) -> Image.Image:
    return picture.convert("RGB").resize((SQUARE, SQUARE), Image.Resampling.BICUBIC)


def noisy(picture: Image.Image, seed: int = 0, levels: float = 4.0) -> Image.Image:
    """As a model paints it: with noise in cells of 4 pixels."""
    cells = np.random.default_rng(seed).normal(0, levels, (SQUARE // 4, SQUARE // 4, 3))
    wanted = np.asarray(picture, np.float64) + cells.repeat(4, 0).repeat(4, 1)
    return Image.fromarray(wanted.round().clip(0, 255).astype(np.uint8))


def dimmed(picture: Image.Image) -> Image.Image:
    return picture.point([round(level * 0.6) for level in range(256)] * len(picture.getbands()))


def with_contrast(picture: Image.Image) -> Image.Image:
    return picture.point([min(255, max(0, round((level - 128) * 1.5 + 128))) for level in range(256)] * 3)


def carried(before: Image.Image, after: Image.Image, **how: object) -> Restored:
    """The edit `before` → `after`, both at full size, seen and painted small and carried over."""
    return restore(before, as_seen(before), noisy(as_seen(after)), **how)  # type: ignore[arg-type]


def psnr(picture: Image.Image, wanted: Image.Image, where: np.ndarray | None = None) -> float:
    error = (np.asarray(picture, np.float64) - np.asarray(wanted, np.float64)) ** 2
    mean = error.mean() if where is None else error[where].mean()
    return float(10 * np.log10(255**2 / max(mean, 1e-9)))


def differ(one: Image.Image, other: Image.Image) -> np.ndarray:
    return (np.asarray(one) != np.asarray(other)).any(axis=2)


def far_from(mask: np.ndarray, reach: int) -> np.ndarray:
    """True at all pixels further than `reach` from the mask, along either axis."""
    grown = Image.fromarray(mask).convert("L")
    wide = grown.resize((mask.shape[1] // reach, mask.shape[0] // reach), Image.Resampling.BOX)
    near = np.asarray(wide) > 0
    near = near | np.roll(near, 1, 0) | np.roll(near, -1, 0)
    near = near | np.roll(near, 1, 1) | np.roll(near, -1, 1)
    return ~near.repeat(reach, 0).repeat(reach, 1)
