"""Tonal edits, exact at any size, carried over from the small square to the full-size picture."""

import time
from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image

from benchmarks.keeping.pictures import Pixels, enlarge, psnr, shrink, to_bytes, with_difference
from mgie_engine.restore import restore
from mgie_engine.serving.pictures import for_the_model, open_picture, to_png

NOISE_DB = 30.0
Trip = Callable[[Image.Image], Image.Image]  # a small picture through an autoencoder


def measure(original: Pixels, side: int, edit: str, trip: Trip | None) -> dict[str, float]:
    """PSNR against the exact edit, way by way, and the seconds `restore` took."""
    wanted = EDITS[edit](original)
    seen, painted = shrink(original, side), shrink(wanted, side)
    noise = np.random.default_rng(0).normal(0, 255 / 10 ** (NOISE_DB / 20), (side, side, 3))
    wall, cpu = time.perf_counter(), time.process_time()
    restored = restore(original, seen, painted)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
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
    return {way: round(db, 1) for way, db in found.items()} | {"s": round(wall, 2), "cpu_s": round(cpu, 2)}


def delivery(original: Pixels, side: int, rounds: int = 3) -> dict[str, float]:
    """Seconds from a PNG of the picture to a PNG of its edit, the model left out: the quickest of a few."""
    png = to_png(Image.fromarray(original))
    runs = [_delivered(png, side) for _ in range(rounds)]
    return {stage: round(min(run[stage] for run in runs), 2) for stage in runs[0]}


def _delivered(png: bytes, side: int) -> dict[str, float]:
    clock = [time.perf_counter()]

    def lap() -> float:
        clock.append(time.perf_counter())
        return clock[-1] - clock[-2]

    picture = open_picture(png)
    seconds = {"open_s": lap()}
    seen = for_the_model(picture, side)
    painted = EDITS["night + vignette"](np.asarray(seen))
    seconds["shrink_s"] = lap()
    restored = restore(picture, seen, painted)
    seconds["restore_s"] = lap()
    file = BytesIO(to_png(restored.picture))
    return seconds | {"encode_s": lap(), "mb": len(file.getvalue()) / 1e6}


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
