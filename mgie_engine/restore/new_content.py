"""Where painted pixels are shown: what no change of the original's colours explains.

Models paint outlines a pixel or two beside the original's. So a pixel counts as new only if its level occurs
nowhere nearby in the other picture; by the size of the difference alone, a recoloured object was painted
whole and lost the photo's sharpness.
"""

from torch import Tensor

from mgie_engine.restore.calibration import NewContentThresholds
from mgie_engine.restore.image_ops import connected_to, dilate, energy, outside_range, px, smooth, variance


def new_content_mask(
    start: Tensor,
    guess: Tensor,
    output: Tensor,
    mask: Tensor,
    missed: Tensor,
    lost: Tensor,
    thresholds: NewContentThresholds,
) -> Tensor:
    """Where in the edit `mask` (S, S) painted pixels are to be shown, (S, S) bool.

    start: the original under its change of tone; guess: under fitted changes of colour, too; output: as
    painted; all (3, S, S). missed (S, S): energy of what guess misses of output. lost (S, S), or one for all:
    how much of that the autoencoder or a blur took.
    """
    reach, noise = px(start, 128), missed.median()
    sure, near = thresholds.times_noise
    off = energy(outside_range(output, guess, reach), px(start, 256))
    new = mask & (
        (off > (sure * noise).clamp(min=thresholds.new**2) + lost) | _erased(start, guess, thresholds)
    )
    beside = dilate(new, reach + 1) & (missed > (near * noise).clamp(min=thresholds.missed**2) + lost)
    around = px(start, 16)
    # Where much is new, objects came or went, and what the colours cannot explain belongs to them. Where
    # little is new, the same misfit is a recoloured texture, which keeps the photo's detail.
    dense = smooth(new.float()[None], around)[0] > thresholds.dense * smooth(mask.float()[None], around)[0]
    expected = noise + thresholds.edge_error * variance(start, reach)
    unexplained = _unexplained(missed - lost, expected, thresholds)
    gone = dilate(mask & _outline_gone(guess, output, lost, thresholds), px(start, 256))
    return mask & (new | beside | (dense & unexplained) | gone)


def _unexplained(missed: Tensor, expected: Tensor, thresholds: NewContentThresholds) -> Tensor:
    """Where the fit misses much more than expected, and what is connected to that."""
    sure, near = thresholds.times_noise
    certain = missed > (sure * expected).clamp(min=thresholds.unexplained**2)
    return connected_to(certain, missed > (near * expected).clamp(min=thresholds.missed**2))


def _erased(start: Tensor, guess: Tensor, thresholds: NewContentThresholds) -> Tensor:
    """Where the fit leaves next to nothing of what was there: its traces would shine through."""
    before, after = (variance(maps, px(start, 40)) for maps in (start, guess))
    return (before > thresholds.contrast**2) & (after < thresholds.erased * before)


def _outline_gone(guess: Tensor, output: Tensor, lost: Tensor, thresholds: NewContentThresholds) -> Tensor:
    """Where the fit would keep an outline that was painted over."""
    before, after = (variance(maps, px(guess, 128)) for maps in (guess, output))
    return (before > thresholds.contrast**2 + lost) & (after < thresholds.erased_outline * before)
