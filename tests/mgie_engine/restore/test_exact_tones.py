"""Tones at full size: by level, by colour and by pixel, each as the definition has it."""

import numpy as np
import pytest
import torch
from PIL import Image

from mgie_engine.restore.exact_tones import toned
from mgie_engine.restore.tones import ToneSpec, apply

PIXELS = np.random.default_rng(0).integers(0, 256, (300, 410, 4)).astype(np.uint8)


def defined(pixels: np.ndarray, *tones: ToneSpec) -> np.ndarray:
    picture = torch.tensor(pixels[..., :3]).permute(2, 0, 1)[None].float() / 255
    return (apply(picture, [tones])[0] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


@pytest.mark.parametrize(
    "tones",
    [
        [ToneSpec("darker", 1.0)],
        [ToneSpec("night", 1.0), ToneSpec("brighter", 0.5)],
        [ToneSpec("warm", 1.8)],
        [ToneSpec("winter", 1.0)],
        [ToneSpec("muted", 1.0, "reds"), ToneSpec("brighter", 1.0, "shadows")],
        [ToneSpec("warm", 1.0, "left")],
        [ToneSpec("darker", 1.0, "edges")],
        [ToneSpec("brighter", 1.0, "shadows"), ToneSpec("to_blue", 1.8, "bottom right")],
    ],
)
def test_every_tone_is_what_its_definition_gives(tones: list[ToneSpec]) -> None:
    off = np.abs(toned(PIXELS, tones).astype(int) - defined(PIXELS, *tones))
    assert off.max() <= 1
    assert (off > 0).mean() < 1e-3


def photo() -> np.ndarray:
    """A soft picture of (300, 410, 3) with a cast and little contrast."""
    few = np.random.default_rng(1).integers(40, 200, (6, 8, 3)) * (0.9, 0.7, 0.5)
    return np.asarray(Image.fromarray(few.astype(np.uint8)).resize((410, 300), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    "tones",
    [
        [ToneSpec("grey", 1.0)],
        [ToneSpec("grey", 1.0, "not reds")],
        [ToneSpec("auto", 1.0)],
        [ToneSpec("white_balance", 1.0), ToneSpec("grey", 1.0, "left")],
    ],
)
def test_what_is_measured_of_the_whole_picture_is_measured_small(tones: list[ToneSpec]) -> None:
    off = np.abs(toned(photo(), tones).astype(int) - defined(photo(), *tones))
    assert off.max() <= 2
    assert np.abs(toned(photo(), tones).astype(int) - photo()).mean() > 5


@pytest.mark.parametrize("region", ["right", "top left", "centre", "highlights", "not blues"])
def test_where_no_region_is_the_bytes_stay(region: str) -> None:
    spec = ToneSpec("invert", 1.0, region)
    stays = (defined(PIXELS, spec) == PIXELS[..., :3]).all(2)
    assert stays.any()
    assert np.array_equal(toned(PIXELS, [spec])[stays], PIXELS[stays, :3])
