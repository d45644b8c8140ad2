"""Removed images, recognised again: by a hash of 64 bits that small changes leave alone.

It is the difference hash of Neal Krawetz ("Kind of Like That", 2013): the image in grey at 9 x 8 pixels, one
bit for each pixel that is brighter than its left neighbour.
"""

import io
from collections.abc import Iterable
from itertools import pairwise

from PIL import Image

SIDE = 8
SIMILAR = 4  # of 64 bits; re-encoding and scaling change fewer, other pictures about 32
HASH_CHARS = SIDE * SIDE // 4


def dhash(png: bytes) -> str:
    """The hash of an image, as 16 hexadecimal digits. Blocks; run it on a thread."""
    with Image.open(io.BytesIO(png)) as picture:
        small = picture.convert("L").resize((SIDE + 1, SIDE), Image.Resampling.LANCZOS)
    grey = small.tobytes()
    rows = (grey[at : at + SIDE + 1] for at in range(0, len(grey), SIDE + 1))
    bits = [right > left for row in rows for left, right in pairwise(row)]
    return f"{sum(1 << place for place, bit in enumerate(bits) if bit):0{HASH_CHARS}x}"


def find_blocked(png: bytes, blocked: Iterable[str]) -> str | None:
    """The first of these hashes that an image is similar to, if any. Blocks, as `dhash` does."""
    own = int(dhash(png), 16)
    return next((other for other in blocked if (own ^ int(other, 16)).bit_count() <= SIMILAR), None)
