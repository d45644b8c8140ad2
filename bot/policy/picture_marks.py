"""Picture marks: small descriptions by which a barred picture is found again after crops and mirroring.

A mark holds, of the whole picture and of 80 windows that leave out up to a tenth at each side, where a grid
of 16 x 16 points gets brighter or darker to the right and downwards, and the mean colours of 8 x 8 fields;
and of the whole picture the mean colours of 16 x 16 cells. A picture that is looked for is compared whole and
with a little less at each side, so that what a crop left meets a window to a hundredth of the width. It
matches if most edges agree there and no cell differs by much: pictures with the same sky and ground have
other objects in them. Marks stored by earlier releases have no cells; there the fields are compared. Flat
pictures have no edges, so they never match. A barred result names the marks of the pictures it was made from;
what is as near to one of those is not barred. Only the few marks with colours near the picture's are compared
in full, so a long list costs little. All functions block, for some 10 to 100 ms a picture.
"""

import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product, zip_longest

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bot.policy.fine_colours import CELLS, CellColours, cell_colours, levels_apart, refined

HASH_CHARS = 16  # hexadecimal digits that name a mark
GRID, FIELDS = 16, 8
WORDS = 4 * GRID * GRID // 64  # 64-bit words of the edges of a window
LEFT_OUT = (0.0, 0.05, 0.1)  # of the width or height, at each side
WINDOWS = tuple(product(LEFT_OUT, repeat=4))  # left, top, right, bottom; the whole picture first
WHOLE = WINDOWS[:1]
CUTS = tuple(product((0.0, 0.025), repeat=4))  # from the sides of a picture that is looked for
FINER_CUTS = tuple(product((-0.0125, 0.0, 0.0125), repeat=4))  # around the best of those
WORKING_PX = 128
FEWEST_EDGES = 40  # of 1,024; pictures with fewer are flat, and neither found nor barred
# A view is like a mark if the share of common edges, of those that either has, less COLOUR_COST for each
# level (of 255) of the mean difference of fields, is LIKE or more, if no field differs by more than
# MOST_LEVELS, and if fewer than three of the 64 differ by more than FIELD_LEVELS. Set with
# benchmarks/picture_marks.py --choosing.
LIKE, COLOUR_COST = 0.65, 0.025
FIELD_LEVELS, MOST_LEVELS = 20.0, 30.0
# Where a mark has cells, LIKE_WITH_CELLS is enough if no cell differs by more than CELL_LEVELS and NOISE
# times the median of all, as every cell of a small picture differs once it was compressed.
LIKE_WITH_CELLS, CELL_LEVELS, NOISE = 0.5, 8.0, 3.0
UNLIKE = 0.35  # what is less alike before the cuts are refined is not compared further
# A result is told from its source where they differ: by the colours of fields, in levels, and by the edges
# that only one of them has.
EDGE_LEVELS = 0.3  # what one of those edges counts
# Compared in full are the NEAREST marks whose colours in 4 x 4 fields are within NEAR_LEVELS (root mean
# square) of the picture's, in one of these windows.
NEAR_LEVELS, NEAREST = 20.0, 16
NEAR_WINDOWS = [place for place, window in enumerate(WINDOWS) if set(window) <= {0.0, 0.1}]
SIMILAR_HASH = 4  # of 64 bits
BORDER_LEVELS, BORDER_MOST = 24, 4  # a border differs by less; it takes less than a quarter of the width

Edges = NDArray[np.uint64]  # (windows, WORDS)
Colours = NDArray[np.uint8]  # (windows, 3 * FIELDS * FIELDS)


@dataclass(frozen=True, slots=True, eq=False)
class PictureMark:
    """The edges and colours of windows of one picture, and of a barred one or its source, those of cells."""

    edges: Edges
    colours: Colours
    cells: CellColours | None = None  # None also for marks stored before there were any

    @property
    def is_flat(self) -> bool:
        """Whether there is too little in the picture to know it again."""
        return int(np.bitwise_count(self.edges[0]).sum()) < FEWEST_EDGES


@dataclass(frozen=True, eq=False)
class LookedUpView:
    """A picture that is looked for: at most WORKING_PX wide and high, and its mark."""

    small: Image.Image
    whole: PictureMark

    @cached_property
    def cut(self) -> PictureMark:
        """The marks of what each of CUTS leaves."""
        return _mark(self.small, CUTS)


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Where a view and a mark are most alike."""

    score: float  # 1 for equal ones
    window: int  # of the mark
    view: LookedUpView
    cut: tuple[float, ...]  # of the view
    part: PictureMark  # what the cut leaves, before it is refined

    def refined(self, mark: PictureMark) -> "Alignment":
        """With a cut that leaves what is most like the cells of the mark."""
        if mark.cells is None:
            return self
        return replace(self, cut=refined(mark.cells, WINDOWS[self.window], self.view.small, self.cut))

    def is_other_somewhere(self, mark: PictureMark) -> bool:
        """Whether colours differ somewhere by more than a crop explains: of a cell, or of larger fields."""
        if mark.cells is not None:
            cells = self._cells_apart(mark.cells)
            return bool(cells.max() > CELL_LEVELS + NOISE * np.median(cells))
        apart = np.abs(self.part.colours[0].astype(np.int16) - mark.colours[self.window])
        levels = np.sort(apart.reshape(-1, 3).mean(1))
        return bool(levels[-1] > MOST_LEVELS or levels[-3] > FIELD_LEVELS)

    def evidence(self, mark: PictureMark, other: PictureMark) -> float:
        """How much nearer the part is to one mark than to another; negative if it is nearer to the other."""
        if mark.cells is not None and other.cells is not None:
            return float((self._cells_apart(other.cells) - self._cells_apart(mark.cells)).sum())
        edges, mine, others = self.part.edges[0], mark.edges[self.window], other.edges[self.window]
        common = np.bitwise_count((edges ^ others) & (mine ^ others)).sum(dtype=np.int64)
        different = np.bitwise_count(mine ^ others).sum(dtype=np.int64)
        apart = [
            float(np.abs(self.part.colours[0].astype(np.int16) - each.colours[self.window]).sum()) / 3
            for each in (mark, other)
        ]
        return EDGE_LEVELS * int(2 * common - different) + apart[1] - apart[0]

    def _cells_apart(self, cells: CellColours) -> NDArray[np.float64]:
        return levels_apart(cells, WINDOWS[self.window], self.view.small, self.cut)


@dataclass(frozen=True, eq=False)
class BarredPicture:
    """The mark of a picture, and of those it was made from, which are not barred with it."""

    own: PictureMark
    sources: tuple[PictureMark, ...] = ()

    @property
    def hash(self) -> str:
        """Its name: 16 hexadecimal digits."""
        return hashlib.sha256(self.own.edges.tobytes() + self.own.colours.tobytes()).hexdigest()[:HASH_CHARS]

    @cached_property
    def few_colours(self) -> NDArray[np.float32]:
        """(windows, 48) mean colours of NEAR_WINDOWS in 4 x 4 fields."""
        return _few_colours(self.own.colours[NEAR_WINDOWS])

    def matches(self, views: Sequence[LookedUpView]) -> bool:
        """Whether one of the views of a picture is like this, and nearer to it than to its sources."""
        found = _aligned(views, self.own)
        least = LIKE if self.own.cells is None else LIKE_WITH_CELLS
        if found is None or found.score < least:
            return False
        found = found.refined(self.own)
        return not found.is_other_somewhere(self.own) and all(
            self._is_nearer(found, views, source) for source in self.sources
        )

    def _is_nearer(self, found: Alignment, views: Sequence[LookedUpView], source: PictureMark) -> bool:
        other = _aligned(views, source)
        best = other.refined(source) if other is not None and other.score > found.score else found
        return best.evidence(self.own, source) > 0

    def to_bytes(self) -> bytes:
        """What `from_bytes` reads, some 20 KB for each picture; earlier releases read it, too."""
        marks = (self.own, *self.sources)
        packed = zlib.compress(b"".join(mark.edges.tobytes() + mark.colours.tobytes() for mark in marks))
        return packed + b"".join(mark.cells.tobytes() for mark in marks if mark.cells is not None)

    @classmethod
    def from_bytes(cls, data: bytes) -> "BarredPicture":
        """The marks that were stored."""
        packed = zlib.decompressobj()
        marks = _unpacked(packed.decompress(data))
        # Cells lie behind what is compressed, where earlier releases neither wrote nor read.
        cells = np.frombuffer(packed.unused_data, np.uint8).reshape(-1, CELLS, CELLS, 3)
        own, *sources = (replace(mark, cells=each) for mark, each in zip_longest(marks, cells))
        return cls(own, tuple(sources))


def barred_picture(png: bytes, *sources: bytes) -> BarredPicture | None:
    """The mark of a picture that is to be barred, made from `sources`; None for a flat one."""
    picture, opened = _opened(png), map(_opened, sources)
    others = [source for source in opened if source.tobytes() != picture.tobytes()]
    smalls = [_small(each) for each in (picture, *others)]
    own, *marks = (replace(_mark(small, WINDOWS), cells=cell_colours(small)) for small in smalls)
    return None if own.is_flat else BarredPicture(own, tuple(marks))


def views_of(png: bytes) -> tuple[LookedUpView, ...]:
    """A picture as it is, without its border, and both mirrored; none of them if they are flat."""
    return _views(_opened(png))


def _views(picture: Image.Image) -> tuple[LookedUpView, ...]:
    bare = _without_border(picture)
    upright = [_small(picture), *([_small(bare)] if bare is not None else [])]
    smalls = (view for small in upright for view in (small, ImageOps.mirror(small)))
    views = (LookedUpView(small, _mark(small, WHOLE)) for small in smalls)
    return tuple(view for view in views if not view.whole.is_flat)


def find_barred(png: bytes, barred: Mapping[str, BarredPicture | None]) -> str | None:
    """One of these hashes whose picture this one is, if any. None: barred before there were marks."""
    picture = _opened(png)
    if not (views := _views(picture)):
        return None
    own = None if all(barred.values()) else _difference_hash(picture)
    for name, mark in barred.items():
        if mark is None and own is not None and _is_similar(own, name):
            return name
    marks = {name: mark for name, mark in barred.items() if mark}
    return next((name for name in _nearest(views, marks) if marks[name].matches(views)), None)


def _nearest(views: Sequence[LookedUpView], marks: Mapping[str, BarredPicture]) -> list[str]:
    """The names of the marks whose colours are nearest to a view's, those first; at most NEAREST."""
    if not marks:
        return []
    known = np.concatenate([mark.few_colours for mark in marks.values()])
    seen = _few_colours(np.concatenate([view.whole.colours for view in views]))
    squares = (known**2).sum(1)[:, None] - 2 * known @ seen.T + (seen**2).sum(1)
    apart = squares.reshape(len(marks), -1).min(1) / known.shape[1]
    names = list(marks)
    return [names[place] for place in np.argsort(apart)[:NEAREST] if apart[place] <= NEAR_LEVELS**2]


def _few_colours(colours: Colours) -> NDArray[np.float32]:
    """(windows, 48) means of 2 x 2 fields each."""
    fields = colours.reshape(-1, FIELDS // 2, 2, FIELDS // 2, 2, 3).astype(np.float32)
    means: NDArray[np.float32] = fields.mean((2, 4)).reshape(len(colours), -1)
    return means


def _is_similar(own: int, name: str) -> bool:
    return (own ^ int(name, 16)).bit_count() <= SIMILAR_HASH


def _difference_hash(picture: Image.Image) -> int:
    """The hash that stands for a picture barred before there were marks."""
    grey = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS))
    bits = (grey[:, 1:] > grey[:, :-1]).ravel()
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def _aligned(views: Sequence[LookedUpView], mark: PictureMark) -> Alignment | None:
    """Where one of the views is most like a window of the mark; None if they are too unlike."""
    found = [alignment for view in views if (alignment := _aligned_view(view, mark))]
    return max(found, key=lambda alignment: alignment.score, default=None)


def _aligned_view(view: LookedUpView, mark: PictureMark) -> Alignment | None:
    scores = _scores(view.cut, mark)
    cut, window = np.unravel_index(scores.argmax(), scores.shape)
    if scores[cut, window] < UNLIKE:
        return None
    finer = sorted(
        {
            tuple(max(0.0, side + step) for side, step in zip(CUTS[cut], steps, strict=True))
            for steps in FINER_CUTS
        }
    )
    parts = _mark(view.small, finer)
    scores = _scores(parts, PictureMark(mark.edges[[window]], mark.colours[[window]]))[:, 0]
    best = int(scores.argmax())
    part = PictureMark(parts.edges[[best]], parts.colours[[best]])
    return Alignment(float(scores[best]), int(window), view, finer[best], part)


def _scores(cuts: PictureMark, mark: PictureMark) -> NDArray[np.float64]:
    """(cuts, windows): how like each is to each."""
    edges, colours = cuts.edges[:, None], cuts.colours[:, None].astype(np.int16)
    common = np.bitwise_count(edges & mark.edges).sum(2, dtype=np.int64)
    either = np.bitwise_count(edges | mark.edges).sum(2, dtype=np.int64)
    apart = np.abs(colours - mark.colours).mean(2)
    scores: NDArray[np.float64] = common / np.maximum(either, FEWEST_EDGES) - COLOUR_COST * apart
    return scores


def _opened(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as picture:
        return picture.convert("RGB")


def _small(picture: Image.Image) -> Image.Image:
    width, height = (min(side, WORKING_PX) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BOX)


def _mark(small: Image.Image, windows: Sequence[tuple[float, ...]]) -> PictureMark:
    width, height = small.size
    boxes = [
        (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
        for left, top, right, bottom in windows
    ]
    edges = np.stack([_edges(small, box) for box in boxes])
    fields = [small.resize((FIELDS, FIELDS), Image.Resampling.BOX, box) for box in boxes]
    return PictureMark(edges, np.stack([np.asarray(field).ravel() for field in fields]))


def _edges(small: Image.Image, box: tuple[float, float, float, float]) -> NDArray[np.uint64]:
    points = small.resize((GRID + 1, GRID + 1), Image.Resampling.BOX, box)
    grey = np.asarray(points, np.float32) @ np.array((0.299, 0.587, 0.114), np.float32)
    right, down = grey[:GRID, 1:] - grey[:GRID, :-1], grey[1:, :GRID] - grey[:-1, :GRID]
    least = max(3.0, 0.1 * float(grey.std()))
    return np.packbits(np.stack((right > least, right < -least, down > least, down < -least))).view(np.uint64)


def _without_border(picture: Image.Image) -> Image.Image | None:
    """The picture without sides of the colour of its corner; None if there are none."""
    pixels = np.asarray(picture, np.int16)
    is_border = np.abs(pixels - pixels[0, 0]).max(-1) <= BORDER_LEVELS
    top, bottom = _ends(is_border.mean(1) > 0.97)
    left, right = _ends(is_border.mean(0) > 0.97)
    box = left, top, picture.width - right, picture.height - bottom
    return None if box == (0, 0, *picture.size) else picture.crop(box)


def _ends(is_border: NDArray[np.bool_]) -> tuple[int, int]:
    """How many of the rows or columns are border, at the start and at the end."""
    most = len(is_border) // BORDER_MOST
    inner = np.flatnonzero(~is_border)
    if not len(inner):
        return 0, 0
    return min(int(inner[0]), most), min(len(is_border) - 1 - int(inner[-1]), most)


def _unpacked(data: bytes) -> Iterator[PictureMark]:
    edges, colours = len(WINDOWS) * WORDS * 8, len(WINDOWS) * 3 * FIELDS * FIELDS
    for at in range(0, len(data), edges + colours):
        found = np.frombuffer(data, np.uint64, edges // 8, at).reshape(len(WINDOWS), WORDS)
        tints = np.frombuffer(data, np.uint8, colours, at + edges).reshape(len(WINDOWS), -1)
        yield PictureMark(found, tints)
