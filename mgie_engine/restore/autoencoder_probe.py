"""The supposed edit, made on purpose and put through the autoencoder, to compare the painting with.

An autoencoder blurs its input. So a painting shows too little of fine detail that was strengthened, and of
levels that were pulled apart: where light and dark meet, the autoencoder had mixed them. A picture that was
changed on purpose loses the same on its way through.
"""

from typing import NamedTuple

import torch
from PIL import Image

from mgie_engine.restore.calibration import MGIE_MINI, Calibration, ProbeThresholds
from mgie_engine.restore.image_ops import Picture, luma, planes
from mgie_engine.restore.sharpening import seems_sharper, tile_means, unsharp_mask
from mgie_engine.restore.tone_fit import ProbeKind, fit_tone


class Probe(NamedTuple):
    """The supposed edit, and the model's input S x S under it.

    `choose_probe` gives the picture as it is; `restore` takes it as the autoencoder returns it.
    """

    kind: ProbeKind
    picture: Picture


def choose_probe(
    model_input: Picture, reconstruction: Picture, output: Picture, calibration: Calibration = MGIE_MINI
) -> Probe | None:
    """What is worth putting through the autoencoder; None for nearly every edit.

    All S x S, as `restore` takes them. Takes some milliseconds; a tone is fitted only where contrast seems to
    have been raised.
    """
    if seems_sharper(reconstruction, output, calibration.probe):
        return Probe("sharper", unsharp_mask(model_input))
    if not seems_more_contrasted(reconstruction, output, calibration.probe):
        return None
    sharp = planes(model_input)
    tone = fit_tone(planes(reconstruction), planes(output), sharp, calibration.tone).tone
    levels = tone(sharp).round().to(torch.uint8)
    return Probe("more contrast", Image.fromarray(levels.permute(1, 2, 0).numpy()))


def seems_more_contrasted(reconstruction: Picture, output: Picture, thresholds: ProbeThresholds) -> bool:
    """Whether light and dark were pulled apart all over the picture, as more contrast does."""
    before, after = (tile_means(luma(picture)) for picture in (reconstruction, output))
    spread, moved = before - before.mean(), after - after.mean()
    slope = (spread * moved).sum() / spread.square().sum().clamp(min=1)
    alike = (spread * moved).sum() / (spread.norm() * moved.norm()).clamp(min=1)
    lifted = (after - before)[before <= before.quantile(0.25)].mean()
    return bool(slope > thresholds.steeper and alike > thresholds.alike and lifted < thresholds.lifted)
