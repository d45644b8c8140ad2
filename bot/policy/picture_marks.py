"""Picture marks: small descriptions by which a barred picture is found again after crops and mirroring.

A mark holds, of the whole picture and of 80 windows that leave out up to a tenth at each side, where a grid
of 16 x 16 points gets brighter or darker to the right and downwards, and the mean colours of 8 x 8 fields.
A picture matches if most edges of the best window agree, and its colours nearly. Flat pictures have no edges,
so they never match. A barred result names the marks of the pictures it was made from; what is as near to one
of those is not barred. All functions block, for some 10 to 40 ms a picture.
"""

import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

HASH_CHARS = 16  # hexadecimal digits that name a mark
GRID, FIELDS = 16, 8
WORDS = 4 * GRID * GRID // 64  # 64-bit words of the edges of a window
LEFT_OUT = (0.0, 0.05, 0.1)  # of the width or height, at each side
WINDOWS = tuple(product(LEFT_OUT, repeat=4))  # left, top, right, bottom; the whole picture first
WHOLE = WINDOWS[:1]
WORKING_PX = 128
FEWEST_EDGES = 40  # of 1,024; pictures with fewer are flat, and neither found nor barred
# A view is like a mark if the share of common edges, of those that either has, less COLOUR_COST for each
# level (of 255) of the mean difference of fields, is LIKE or more. Set with benchmarks/picture_marks.py.
LIKE, COLOUR_COST = 0.7, 0.025
SOURCE_COLOUR_COST = 0.1  # where a result is told from its source, which may have the same edges
SIMILAR_HASH = 4  # of 64 bits
BORDER_LEVELS, BORDER_MOST = 24, 4  # a border differs by less; it takes less than a quarter of the width

Edges = NDArray[np.uint64]  # (windows, WORDS)
Colours = NDArray[np.uint8]  # (windows, 3 * FIELDS * FIELDS)


@dataclass(frozen=True, slots=True, eq=False)
class PictureMark:
    """The edges and colours of windows of one picture."""

    edges: Edges
    colours: Colours

    @property
    def is_flat(self) -> bool:
        """Whether there is too little in the picture to know it again."""
        return int(np.bitwise_count(self.edges[0]).sum()) < FEWEST_EDGES


@dataclass(frozen=True, slots=True, eq=False)
class BarredPicture:
    """The mark of a picture, and of those it was made from, which are not barred with it."""

    own: PictureMark
    sources: tuple[PictureMark, ...] = ()

    @property
    def hash(self) -> str:
        """Its name: 16 hexadecimal digits."""
        return hashlib.sha256(self.own.edges.tobytes() + self.own.colours.tobytes()).hexdigest()[:HASH_CHARS]

    def matches(self, views: Sequence[PictureMark]) -> bool:
        """Whether one of the views of a picture is like this, and none as like its sources."""
        if not views:
            return False
        if _likeness(views, self.own, COLOUR_COST) < LIKE:
            return False
        own = _likeness(views, self.own, SOURCE_COLOUR_COST)
        return all(own > _likeness(views, source, SOURCE_COLOUR_COST) for source in self.sources)

    def to_bytes(self) -> bytes:
        """What `from_bytes` reads, some 20 KB for each picture."""
        marks = (self.own, *self.sources)
        return zlib.compress(b"".join(mark.edges.tobytes() + mark.colours.tobytes() for mark in marks))

    @classmethod
    def from_bytes(cls, data: bytes) -> "BarredPicture":
        """The marks that were stored."""
        own, *sources = _unpacked(zlib.decompress(data))
        return cls(own, tuple(sources))


def barred_picture(png: bytes, *sources: bytes) -> BarredPicture | None:
    """The mark of a picture that is to be barred, made from `sources`; None for a flat one."""
    picture, opened = _opened(png), map(_opened, sources)
    others = [source for source in opened if source.tobytes() != picture.tobytes()]
    own, *marks = (_mark(_small(each), WINDOWS) for each in (picture, *others))
    return None if own.is_flat else BarredPicture(own, tuple(marks))


def views_of(png: bytes) -> tuple[PictureMark, ...]:
    """A picture as it is, without its border, and both mirrored."""
    return _views(_opened(png))


def _views(picture: Image.Image) -> tuple[PictureMark, ...]:
    bare = _without_border(picture)
    upright = [_small(picture), *([_small(bare)] if bare is not None else [])]
    views = (_mark(view, WHOLE) for small in upright for view in (small, ImageOps.mirror(small)))
    return tuple(view for view in views if not view.is_flat)


def find_barred(png: bytes, barred: Mapping[str, BarredPicture | None]) -> str | None:
    """The first of these hashes whose picture this one is, if any. None: barred before there were marks."""
    picture = _opened(png)
    if not (views := _views(picture)):
        return None
    own = None if all(barred.values()) else _difference_hash(picture)
    for name, mark in barred.items():
        is_like = mark.matches(views) if mark else own is not None and _is_similar(own, name)
        if is_like:
            return name
    return None


def _is_similar(own: int, name: str) -> bool:
    return (own ^ int(name, 16)).bit_count() <= SIMILAR_HASH


def _difference_hash(picture: Image.Image) -> int:
    """The hash that stands for a picture barred before there were marks."""
    grey = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS))
    bits = (grey[:, 1:] > grey[:, :-1]).ravel()
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def _likeness(views: Sequence[PictureMark], mark: PictureMark, colour_cost: float) -> float:
    """How like the view and the window are that are most alike; 1 for equal ones."""
    return max(_likeness_of_view(view, mark, colour_cost) for view in views)


def _likeness_of_view(view: PictureMark, mark: PictureMark, colour_cost: float) -> float:
    common = np.bitwise_count(view.edges & mark.edges).sum(1, dtype=np.int64)
    either = np.bitwise_count(view.edges | mark.edges).sum(1, dtype=np.int64)
    apart = np.abs(view.colours.astype(np.int16) - mark.colours).mean(1)
    return float((common / np.maximum(either, FEWEST_EDGES) - colour_cost * apart).max())


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
