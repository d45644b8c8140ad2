"""PNG files of uploads that are large and of results, written on several cores. Blocks.

Pillow tries five filters on every row, on one core. Here some rows try them for their neighbours, and strips
are compressed independently: behind a filter, photos have hardly any repetitions beyond runs, so a strip
costs a few bytes more. Drawings with text get a fifth larger.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

STRIP_ROWS = 16  # their bytes fit into a core's cache
BAND_BYTES = 100_000  # of narrow strips that are filtered at once: numpy's calls take longer than their work
ALIKE = 8  # rows that take the same filter
SLOWER = 1.1  # what a filter must save that takes five times as long as the others
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {"RGB": 2, "RGBA": 6}
_LEVEL_1 = b"\x78\x01"  # the header of a zlib stream
_ADLER = 65521
_END = zlib.compressobj(1, zlib.DEFLATED, -15).flush()

Chunk = tuple[bytes, bytes]  # its type and its data
Strip = tuple[bytes, int, int]  # deflated; the Adler-32 and the length of what it was before


def quick_png(picture: Image.Image, cores: int = 1, chunks: Sequence[Chunk] = ()) -> bytes:
    """An RGB or RGBA picture as a PNG file, with chunks before its pixels.

    The same picture gives the same bytes on any number of cores. KeyError for another mode.
    """
    size = struct.pack(">IIBBBBB", *picture.size, 8, _COLOUR_TYPES[picture.mode], 0, 0, 0)
    picture.load()
    rows = STRIP_ROWS * max(1, BAND_BYTES // (STRIP_ROWS * picture.width * len(picture.mode)))
    bands = _in_order(lambda top: _band(picture, top, rows), range(0, picture.height, rows), cores)
    strips = [strip for band in bands for strip in band]
    data = b"".join([_LEVEL_1, *(deflated for deflated, *_ in strips), _END, _checksum(strips)])
    return b"".join([_SIGNATURE, *_chunks([(b"IHDR", size), *chunks, (b"IDAT", data), (b"IEND", b"")])])


def _chunks(chunks: Iterable[Chunk]) -> Iterable[bytes]:
    for kind, data in chunks:
        yield struct.pack(">I", len(data)) + kind
        yield data
        yield struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def _in_order(work: Callable[[int], list[Strip]], tops: Sequence[int], cores: int) -> list[list[Strip]]:
    """What `work` makes of each, on so many cores."""
    at_once = min(cores, len(tops))
    if at_once < 2:
        return [work(top) for top in tops]
    with ThreadPoolExecutor(at_once, "png") as pool:
        return list(pool.map(work, tops))


def _band(picture: Image.Image, top: int, count: int) -> list[Strip]:
    """The strips of `count` rows from `top` on."""
    begin, end = max(top - 1, 0), min(top + count, picture.height)
    pixels = np.asarray(picture.crop((0, begin, picture.width, end)))  # a copy of the whole would be large
    rows = pixels.reshape(end - begin, -1)
    above, rows = (rows[:-1], rows[1:]) if top else (np.concatenate([rows[:1] * 0, rows[:-1]]), rows)
    lines = _filtered(rows, above, len(picture.mode))
    return [_strip(lines[at : at + STRIP_ROWS]) for at in range(0, len(lines), STRIP_ROWS)]


def _strip(lines: np.ndarray) -> Strip:
    """Filtered rows as deflated bytes that end on a byte."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zlib.Z_RLE)
    deflated = deflate.compress(lines.data) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return deflated, zlib.adler32(lines.data), lines.size


def _filtered(rows: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    """Every row behind the number of its filter, which is chosen for `ALIKE` rows by the first of them."""
    first, above_first = rows[::ALIKE], above[::ALIKE]
    costs = [
        _cost(first - foretell(first, above_first, step)) * (SLOWER if foretell is _paeth else 1.0)
        for foretell in _FILTERS.values()
    ]
    kinds = np.array([*_FILTERS], np.uint8)[np.argmin(costs, 0)].repeat(ALIKE)[: len(rows)]
    lines = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    lines[:, 0] = kinds
    for kind, foretell in _FILTERS.items():
        some = kinds == kind
        if some.any():
            lines[some, 1:] = rows[some] - foretell(rows[some], above[some], step)
    return lines


def _cost(filtered: np.ndarray) -> np.ndarray:
    """The sum of the distances from 0 of each row, which tells how well it can be compressed."""
    total: np.ndarray = np.minimum(filtered, np.negative(filtered)).sum(1, dtype=np.uint32)
    return total


def _nothing(rows: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    return np.zeros_like(rows)


def _left(rows: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    moved = np.zeros_like(rows)
    moved[:, step:] = rows[:, :-step]
    return moved


def _above(rows: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    return above


def _average(rows: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    left = _left(rows, above, step)
    mean: np.ndarray = (left & above) + ((left ^ above) >> 1)  # without a carry
    return mean


def _paeth(rows: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    """What is nearest to left + above - corner, of these three."""
    left, corner = _left(rows, above, step), _left(above, above, step)
    low, high = np.minimum(left, above), np.maximum(left, above)
    # Of the two, what is farther from a corner outside of them; between them, what is nearest to the sum.
    wide, wide_low, wide_high = (one.astype(np.int16) for one in (corner, low, high))
    bound = wide + wide + wide - wide_low - wide_high
    found = _chosen(wide_high <= bound, low, corner)
    return _chosen(bound <= wide_low, high, found)


def _chosen(condition: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """`np.where` for bytes; that takes 30 times as long where the condition is like noise."""
    taken: np.ndarray = other ^ ((one ^ other) & np.negative(condition.view(np.uint8)))
    return taken


# What bytes are foretold to be, by the numbers of PNG's filters.
_FILTERS = {0: _nothing, 1: _left, 2: _above, 3: _average, 4: _paeth}


def _checksum(strips: Iterable[Strip]) -> bytes:
    """The Adler-32 of all strips, of those of each, as zlib's adler32_combine has it."""
    low, high = 1, 0
    for _, checksum, size in strips:
        high = (high + (checksum >> 16) + size * (low - 1)) % _ADLER
        low = (low + (checksum & 0xFFFF) - 1) % _ADLER
    return struct.pack(">HH", high, low)
