"""Where painted pixels are shown: what no change of the original's colours explains.

Painted outlines are rarely where the original has them. What is off by a pixel or two is therefore no news:
news is a level that the other picture has nowhere near by.
"""

from torch import Tensor

from mgie_engine.restore.image_ops import connected_to, dilate, energy, outside_range, px, smooth, variance

NEW = 12.0  # levels outside of all that is near by, from which on something is new for certain
UNEXPLAINED = 9.0  # what the fitted colours may miss, in levels, where something new is near
MISSED = 4.5  # … next to such a place
AT_EDGES = 0.3  # share of the local variance that a true change of colour misses at edges and in texture
DENSE = 0.05  # share of the edit's surroundings that is new where things come and go
SOMETHING = 4.0  # contrast, in levels, that is more than noise
LEFT_OF_IT = 0.1  # share of the variance: next to nothing
LEFT_AT_OUTLINES = 0.2  # … of a narrow window's


def new_content_mask(
    start: Tensor, guess: Tensor, output: Tensor, mask: Tensor, missed: Tensor, lost: Tensor
) -> Tensor:
    """Where of the edit `mask` (S, S) the painted pixels are to be shown, (S, S) bool.

    start: the original under its change of tone; guess: under fitted changes of colour, too; output: as
    painted, all (3, S, S). missed (S, S): what guess misses of output, squared; lost (S, S) or one for all:
    how much of that the autoencoder took, which a strong change of tone makes plain, or a blur.
    """
    reach, noise = px(start, 128), missed.median()
    off = energy(outside_range(output, guess, reach), px(start, 256))
    new = mask & ((off > (6 * noise).clamp(min=NEW**2) + lost) | _erased(start, guess))
    beside = dilate(new, reach + 1) & (missed > (2 * noise).clamp(min=MISSED**2) + lost)
    around = px(start, 16)
    dense = smooth(new.float()[None], around)[0] > DENSE * smooth(mask.float()[None], around)[0]
    unexplained = _unexplained(missed - lost, noise + AT_EDGES * variance(start, reach))
    gone = dilate(mask & _gone(guess, output, lost), px(start, 256))
    return mask & (new | beside | (dense & unexplained) | gone)


def _unexplained(missed: Tensor, expected: Tensor) -> Tensor:
    sure = missed > (6 * expected).clamp(min=UNEXPLAINED**2)
    return connected_to(sure, missed > (2 * expected).clamp(min=MISSED**2))


def _erased(start: Tensor, guess: Tensor) -> Tensor:
    """Where there was something and next to nothing is left of it: its traces must not shine through."""
    before, after = (variance(maps, px(start, 40)) for maps in (start, guess))
    return (before > SOMETHING**2) & (after < LEFT_OF_IT * before)


def _gone(guess: Tensor, output: Tensor, lost: Tensor) -> Tensor:
    """Where an outline would stay that was painted over."""
    before, after = (variance(maps, px(guess, 128)) for maps in (guess, output))
    return (before > SOMETHING**2 + lost) & (after < LEFT_AT_OUTLINES * before)
