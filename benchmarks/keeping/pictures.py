"""Pictures of 12 megapixels, and what is done to pixels: (H, W, 3) uint8 throughout."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

PIXELS = 12_000_000
Pixels = np.ndarray


def pictures(folder: Path | None) -> Iterator[tuple[str, Pixels]]:
    """Names and 12-megapixel pictures."""
    if folder is None:
        yield "scene", scene(4000, 3000)
        return
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"):
            small = Image.open(path).convert("RGB")
            scale = (PIXELS / (small.width * small.height)) ** 0.5
            size = round(small.width * scale), round(small.height * scale)
            yield path.name, np.asarray(small.resize(size, Image.Resampling.LANCZOS))


def scene(width: int, height: int, seed: int = 3) -> Pixels:
    """Balls and boxes, some striped, before a sky; 1/f texture and grain over everything."""
    random = np.random.default_rng(seed)
    texture = grain(random, width, height)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    canvas = (1 - down) * np.array([0.45, 0.65, 0.9], np.float32) + down * np.array(
        [0.85, 0.75, 0.6], np.float32
    )
    canvas = canvas + 0.06 * texture
    for number in range(70):
        thing(canvas, random, texture, number)
    return to_bytes(canvas + random.normal(0, 0.008, canvas.shape).astype(np.float32))


def grain(random: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Noise whose amplitude falls with its frequency, of variance 1."""
    total = np.zeros((height, width, 3), np.float32)
    for octave in range(2, 10):
        cells = random.random((max(2, 2**octave * height // width), 2**octave, 3))
        layer = Image.fromarray(to_bytes(cells)).resize((width, height), Image.Resampling.BICUBIC)
        total += (np.asarray(layer, np.float32) / 255 - 0.5) * 0.5 ** (0.8 * octave)
    total /= total.std()
    return total


def thing(canvas: np.ndarray, random: np.random.Generator, texture: np.ndarray, number: int) -> None:
    """Draw one shape onto the canvas: a box, a ball, or one with stripes; lit from above."""
    height, width = canvas.shape[:2]
    centre_x, centre_y = random.uniform(0, width), random.uniform(0.1 * height, height)
    radius = height * 0.25 * random.uniform(0.1, 1) ** 2 + 20
    turn, stripes, colour = random.uniform(0, np.pi), random.uniform(0.02, 0.5), random.uniform(0.05, 0.95, 3)
    rows = slice(int(max(0, centre_y - radius)), int(min(height, centre_y + radius)) + 1)
    columns = slice(int(max(0, centre_x - radius)), int(min(width, centre_x + radius)) + 1)
    y, x = np.mgrid[rows, columns].astype(np.float32)[
        :, : canvas[rows].shape[0], : canvas[:, columns].shape[1]
    ]
    x, y = x - centre_x, y - centre_y
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    box = np.maximum(np.abs(along), np.abs(across)) - 0.7 * radius
    inside = np.clip(0.5 - (np.hypot(x, y) - radius if number % 3 else box), 0, 1)[..., None]
    tone = 0.08 * (number % 2) * np.sin(along * stripes) - 0.15 * y / radius
    surface = colour.astype(np.float32) + tone[..., None] + 0.05 * texture[rows, columns]
    canvas[rows, columns] += inside * (surface - canvas[rows, columns])


def shrink(pixels: Pixels, side: int) -> Image.Image:
    """The whole picture squeezed into a square, as the engine does."""
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)


def enlarge(pixels: Pixels, like: Pixels) -> Pixels:
    """To the size of another picture."""
    return np.asarray(Image.fromarray(pixels).resize(like.shape[1::-1], Image.Resampling.BICUBIC))


def with_difference(original: Pixels, seen: Image.Image, painted: Image.Image) -> Pixels:
    """The original with the enlarged difference of the small pair added."""
    half = (
        np.asarray(painted, np.float32) - np.asarray(seen, np.float32)
    ) / 510 + 0.5  # halved: bytes are enough
    return to_bytes(original / np.float32(255) + (enlarge(to_bytes(half), original) / np.float32(127.5) - 1))


def to_bytes(colours: np.ndarray) -> Pixels:
    """Levels of colours in [0, 1], clipped."""
    return (colours.clip(0, 1) * 255).round().astype(np.uint8)


def psnr(found: Pixels, wanted: Pixels) -> float:
    """Peak signal-to-noise ratio in dB, at most 99."""
    error = float(np.mean((found.astype(np.float32) - wanted) ** 2))
    return 10 * float(np.log10(255**2 / max(error, 1e-5)))
