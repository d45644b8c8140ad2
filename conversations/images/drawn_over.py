"""The region that a user drew on a picture and sent back: what differs is marked. Pure; blocks.

The picture may have come back smaller and through JPEG, as chats send it.
"""

import io

import numpy as np
from PIL import Image

SIDE = 640  # pixels, longer side at which the two are compared
ASPECT = 0.015  # by which the shapes may differ, as after rounding a small copy
SMALLEST = 1 / 12  # of the sides that a copy may have
DRAWN = 42  # levels of a channel by which a pixel differs for sure; JPEG leaves less
FAINT = 14  # the same beside such a pixel
AT_EDGES = 0.35  # more of the range of levels around, as JPEG blurs colours over edges
GAP = 1 / 40  # of the longer side: a line with such gaps is closed
LEAST, MOST = 0.0002, 0.7  # share of the picture that was drawn upon
COARSE = 4  # pixels that are averaged to compare the rest, without the noise of JPEG
FLOOR = 4  # levels that the rest may differ by in the median
EDGE = 6  # levels against the mean around that make an edge
KEPT_EDGES = 0.2  # share of the picture's edges that must not be drawn over
ALIKE = 0.8  # correlation of the structure of the two outside of the drawing


def drawn_region(picture: bytes, drawn: bytes) -> Image.Image | None:
    """Where `drawn` was drawn upon `picture`, inside of closed lines, too: mode L, of the picture's size.

    None if it is another picture, or if nothing was drawn. Both are picture files.
    """
    with Image.open(io.BytesIO(picture)) as before, Image.open(io.BytesIO(drawn)) as after:
        size = before.size
        if not _same_shape(size, after.size):
            return None
        side = min(SIDE, max(size), max(after.size))
        small = tuple(max(1, round(edge * side / max(size))) for edge in size)
        old, new = (_pixels(opened, (small[0], small[1])) for opened in (before, after))
    new += np.median(old - new, axis=(0, 1))  # a shift of all levels is no drawing
    difference, spread = _smoothed(np.abs(new - old).max(axis=2)), _range(old)
    sure = difference > DRAWN + AT_EDGES * spread
    sure = _grown(~_grown(~sure, 1), 1)  # without lines that are thinner than any brush
    marked = _reached(sure, difference > FAINT + AT_EDGES / 2 * spread)
    if not _is_drawing(old.mean(axis=2), new.mean(axis=2), marked):
        return None
    gap = max(1, round(GAP * side / 2))
    region = _filled(_grown(marked, gap), gap) | _grown(marked, 2)
    return Image.fromarray(np.where(region, 255, 0).astype(np.uint8)).resize(size, Image.Resampling.NEAREST)


def _same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    across, down = other[0] / one[0], other[1] / one[1]
    return abs(across / down - 1) <= ASPECT and across >= SMALLEST


def _pixels(picture: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """(height, width, 3) float32 of 0 to 255; what is transparent is white."""
    picture.draft("RGB", size)
    seen = picture.convert("RGBA") if picture.has_transparency_data else picture.convert("RGB")
    if seen.mode == "RGBA":
        seen = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    return np.asarray(seen.resize(size, Image.Resampling.BOX), np.float32).copy()


def _is_drawing(old: np.ndarray, new: np.ndarray, marked: np.ndarray) -> bool:
    """Whether the picture is still there around what differs."""
    if not LEAST <= marked.mean() <= MOST:
        return False
    old, new = (_averaged(grey) for grey in (old, new))
    rest = _averaged(_grown(marked, 2).astype(np.float32)) == 0
    if not rest.any() or np.median(np.abs(new - old)[rest]) > FLOOR:
        return False
    mine, its = (grey - _smoothed(_smoothed(grey)) for grey in (old, new))
    edges = np.abs(mine) > EDGE
    if not edges.any():  # a picture of one colour: there is nothing to recognise it by
        return True
    kept = edges & rest
    mine, its = mine[kept], its[kept]
    is_there = kept.sum() >= KEPT_EDGES * edges.sum()
    return is_there and float(np.sum(mine * its)) >= ALIKE * float(np.sqrt(np.sum(mine**2) * np.sum(its**2)))


def _averaged(grey: np.ndarray) -> np.ndarray:
    """The means of squares of COARSE pixels a side; what is left over at the end is left out."""
    height, width = (side // COARSE * COARSE for side in grey.shape)
    squares = grey[:height, :width].reshape(height // COARSE, COARSE, width // COARSE, COARSE)
    means: np.ndarray = squares.mean(axis=(1, 3))
    return means


def _smoothed(grey: np.ndarray) -> np.ndarray:
    """The mean of each pixel and its eight neighbours."""
    for axis in (0, 1):
        ahead, behind = (np.take(grey, _shifted(grey.shape[axis], by), axis) for by in (1, -1))
        grey = (ahead + grey + behind) / 3
    return grey


def _range(picture: np.ndarray) -> np.ndarray:
    """The range of levels within three pixels, of the channel that has the largest: (height, width)."""
    highest, lowest = picture, picture
    for axis in (0, 1):
        for by in (-1, 2, -2):  # windows of 2, 4 and 6 pixels, by turns
            moved = _shifted(picture.shape[axis], by)
            highest = np.maximum(highest, np.take(highest, moved, axis))
            lowest = np.minimum(lowest, np.take(lowest, moved, axis))
    spread: np.ndarray = (highest - lowest).max(axis=2)
    return spread


def _shifted(count: int, by: int) -> np.ndarray:
    return np.clip(np.arange(count) + by, 0, count - 1)


def _grown(region: np.ndarray, by: int) -> np.ndarray:
    for _ in range(by):
        wider = region.copy()
        wider[1:] |= region[:-1]
        wider[:-1] |= region[1:]
        wider[:, 1:] |= region[:, :-1]
        wider[:, :-1] |= region[:, 1:]
        region = wider
    return region


def _filled(region: np.ndarray, by: int) -> np.ndarray:
    """The region, which was grown by so many pixels, with everything that it encloses, and shrunk again."""
    ground = np.pad(~region, 1, constant_values=True)
    border = np.zeros_like(ground)
    border[0] = border[-1] = border[:, 0] = border[:, -1] = True
    outside = _reached(border, ground)[1:-1, 1:-1]
    shrunk: np.ndarray = ~_grown(outside, by)
    return shrunk


def _reached(seeds: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """The seeds, and the ground that is connected with them, in rows and columns."""
    reached, ground = seeds, ground | seeds
    while True:
        wider = reached
        for turned in range(4):
            wider = np.rot90(_swept(np.rot90(wider, turned), np.rot90(ground, turned)), -turned)
        if np.array_equal(wider, reached):
            return reached
        reached = wider


def _swept(reached: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """What is reached, spread to the right over ground."""
    columns = np.arange(reached.shape[1])
    start = np.maximum.accumulate(np.where(reached & ground, columns, -1), axis=1)
    wall = np.maximum.accumulate(np.where(ground, -1, columns), axis=1)
    spread: np.ndarray = (start > wall) & ground
    return spread
