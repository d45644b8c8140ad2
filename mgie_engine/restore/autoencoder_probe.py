"""What an edit seems to have done, done on purpose and put through the autoencoder to compare with.

An autoencoder blurs what it is given. So a painting shows too little of fine detail that was strengthened,
and of levels that were pulled apart: where light and dark meet, they were mixed before. A picture changed on
purpose loses the same on its way through.
"""

from typing import NamedTuple

import torch
from PIL import Image

from mgie_engine.restore.image_ops import Picture, luma, planes
from mgie_engine.restore.sharpening import seems_sharper, tile_means, unsharp_mask
from mgie_engine.restore.tone_fit import ProbeKind, fit_tone

STEEPER = 1.08  # slope of the tiles' levels that comes of more contrast; 1.12 to 1.51 for photos (mgie-mini)
LIFTED = 2.0  # levels by which the darkest quarter may rise: other steep tones lift it by 4 and more
ALIKE = 0.9  # correlation of the tiles' levels: the whole picture follows one tone


class Probe(NamedTuple):
    """What an edit is supposed to have done, and that done to the model's input, S x S.

    `choose_probe` gives the picture as it is; `restore` takes it as it comes back from the autoencoder.
    """

    kind: ProbeKind
    picture: Picture


def choose_probe(model_input: Picture, reconstruction: Picture, output: Picture) -> Probe | None:
    """What is worth putting through the autoencoder; None for nearly every edit.

    All S x S, as `restore` takes them. A look of some milliseconds; a tone is fitted only where contrast
    seems to have been raised.
    """
    if seems_sharper(reconstruction, output):
        return Probe("sharper", unsharp_mask(model_input))
    if not seems_more_contrasted(reconstruction, output):
        return None
    sharp = planes(model_input)
    tone = fit_tone(planes(reconstruction), planes(output), sharp).tone
    levels = tone(sharp).round().to(torch.uint8)
    return Probe("more contrast", Image.fromarray(levels.permute(1, 2, 0).numpy()))


def seems_more_contrasted(reconstruction: Picture, output: Picture) -> bool:
    """Whether light and dark were pulled apart all over the picture, as more contrast does."""
    before, after = (tile_means(luma(picture)) for picture in (reconstruction, output))
    spread, moved = before - before.mean(), after - after.mean()
    slope = (spread * moved).sum() / spread.square().sum().clamp(min=1)
    alike = (spread * moved).sum() / (spread.norm() * moved.norm()).clamp(min=1)
    lifted = (after - before)[before <= before.quantile(0.25)].mean()
    return bool(slope > STEEPER and alike > ALIKE and lifted < LIFTED)
