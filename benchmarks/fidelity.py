"""How exactly a small painted edit is carried over to a 12-megapixel original, in dB of PSNR.

    python benchmarks/fidelity.py [FOLDER OF PICTURES] [--sides 256 512] [--model mgie-mini]

Four tonal edits are made exactly at full size, and once more on the small square a model would see. From
the original and the small pair alone the full-size edit is to be had: by enlarging the small result, by
adding the enlarged difference, and by `restore`, which is also given a small result with 30 dB of noise and,
with --model, one that went through that model's autoencoder. Without a folder a drawn scene is measured;
pictures of the folder are enlarged to 12 megapixels first. Ends in one line of JSON.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from mgie_engine.restore import restore
from mgie_engine.serving.choice import ModelChoice

PIXELS = 12_000_000
NOISE_DB = 30.0
Pixels = np.ndarray  # (H, W, 3) uint8
Trip = Callable[[Image.Image], Image.Image]  # a small picture through an autoencoder


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="pictures to measure in place of the scene")
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512], help="of the square a model sees")
    parser.add_argument("--model", help="measure through the autoencoder of this model, too")
    arguments = parser.parse_args()
    trip = autoencoder(arguments.model) if arguments.model else None
    rows = []
    for name, picture in pictures(arguments.folder):
        for side in arguments.sides:
            for edit in EDITS:
                rows.append(
                    {"picture": name, "side": side, "edit": edit} | measure(picture, side, edit, trip)
                )
                show(rows[-1], first=len(rows) == 1)
    report = {
        "benchmark": "fidelity",
        "threads": torch.get_num_threads(),
        "least_db": min(row["restored"] for row in rows),
        "least_noisy_db": min(row["restored_noisy"] for row in rows),
        "most_s": max(row["seconds"] for row in rows),
        "rows": rows,
    }
    sys.stdout.write(json.dumps(report) + "\n")


def measure(original: Pixels, side: int, edit: str, trip: Trip | None) -> dict[str, float]:
    """PSNR against the exact edit, way by way, and the seconds `restore` took."""
    wanted = EDITS[edit](original)
    seen, painted = shrink(original, side), shrink(wanted, side)
    noise = np.random.default_rng(0).normal(0, 255 / 10 ** (NOISE_DB / 20), (side, side, 3))
    began = time.perf_counter()
    restored = restore(original, seen, painted)
    seconds = time.perf_counter() - began
    noisy = restore(original, seen, to_bytes((np.asarray(painted) + noise) / 255), reconstruction=seen)
    found = {
        "enlarged": psnr(enlarge(np.asarray(painted), original), wanted),
        "difference": psnr(with_difference(original, seen, painted), wanted),
        "restored": psnr(np.asarray(restored.picture), wanted),
        "restored_noisy": psnr(np.asarray(noisy.picture), wanted),
    }
    if trip:
        through = restore(original, seen, trip(painted), reconstruction=trip(seen))
        found["restored_autoencoder"] = psnr(np.asarray(through.picture), wanted)
    return {way: round(db, 1) for way, db in found.items()} | {"seconds": round(seconds, 2)}


def show(row: dict[str, Any], *, first: bool) -> None:
    """One line of the table, after its head if it is the first."""
    if first:
        sys.stdout.write(" | ".join(row) + "\n" + " | ".join("---" for _ in row) + "\n")
    sys.stdout.write(" | ".join(str(cell) for cell in row.values()) + "\n")
    sys.stdout.flush()


def autoencoder(name: str) -> Trip:
    """The round trip through the autoencoder of a model."""
    home = Path(os.environ.get("MGIE_HOME") or "~/.cache/mgie").expanduser()
    model = ModelChoice(name, home, "auto").load()

    def trip(picture: Image.Image) -> Image.Image:
        return model.decode(model.encode([picture]) * model.config.latent_scale)[0]

    return trip


# Edits, exact at any size: sRGB in [0, 1] to the same.


def brighten(colours: np.ndarray) -> np.ndarray:
    """Brighter, with more contrast."""
    return (colours - 0.5) * 1.25 + 0.6


def warm(colours: np.ndarray) -> np.ndarray:
    """A gamma of 0.8 and a warm light."""
    return colours**0.8 * np.array([1.08, 1.0, 0.9], np.float32)


def night(colours: np.ndarray) -> np.ndarray:
    """Moonlight with a vignette."""
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) ** 2 for side in colours.shape[:2])
    light = 1 - 0.55 * (x + y[:, None]) / 2
    return colours * light[..., None] * np.array([0.35, 0.4, 0.55], np.float32)


def grey(colours: np.ndarray) -> np.ndarray:
    """Rec. 601 luma."""
    luma = colours @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.repeat(luma[..., None], 3, axis=2)


def exactly(edit: Callable[[np.ndarray], np.ndarray]) -> Callable[[Pixels], Pixels]:
    """The edit on bytes."""
    return lambda pixels: to_bytes(edit(pixels.astype(np.float32) / 255))


EDITS = {
    "brighten + contrast": exactly(brighten),
    "gamma + warm": exactly(warm),
    "night + vignette": exactly(night),
    "grey": exactly(grey),
}


# Pictures.


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
    return total / total.std()


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


if __name__ == "__main__":
    main()
