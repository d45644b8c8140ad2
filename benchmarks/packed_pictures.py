"""How much smaller stored pictures become when they are packed, and what that takes.

    python benchmarks/packed_pictures.py [--megapixels 12]

Each picture is given as a phone or a program would send it, and stored as the bot stores it: a photo as AVIF
and as JPEG (slopes with the noise of a sensor, in fine and in strong grain), and drawn shapes. Packing is
timed in this process, in CPU seconds; unpacking is what reading such a picture takes more. Ends in one line
of JSON.
"""

import argparse
import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parents[1]))

from conversations.images.normalise import to_png
from conversations.images.packed_pictures import packed, unpacked

MIB = 2**20


def a_photo(width: int, height: int, grain: float) -> Image.Image:
    """Slopes with noise that neighbours share, as after demosaicing."""
    y, x = np.mgrid[0:height, 0:width]
    slopes = np.stack([128 + 60 * np.sin(x / 300 + k) + 50 * np.cos(y / 200 - k) for k in range(3)], -1)
    noise = np.random.default_rng(1).normal(0, grain, slopes.shape)
    noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1)) / 2
    return Image.fromarray(np.clip(slopes + noise, 0, 255).astype(np.uint8))


def drawn_shapes(width: int, height: int) -> Image.Image:
    """Circles of plain colours."""
    picture, chance = Image.new("RGB", (width, height), "skyblue"), np.random.default_rng(1)
    draw = ImageDraw.Draw(picture)
    for _ in range(200):
        x, y, r = (int(value) for value in chance.integers(0, width, 3) / (1, 1, 8))
        draw.ellipse((x - r, y - r, x + r, y + r), tuple(int(value) for value in chance.integers(0, 256, 3)))
    return picture


def sent(picture: Image.Image, kind: str, **options: int) -> tuple[bytes, Image.Image]:
    """The picture as a file of that kind, and what is read from it."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue(), Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def measured(file: bytes, picture: Image.Image) -> dict[str, Any]:
    """Sizes in MiB and CPU seconds of one picture."""
    png = to_png(picture)
    began_s = time.process_time()
    small = packed(png)
    pack_s, began_s = time.process_time() - began_s, time.process_time()
    if small is not None:
        unpacked(small)
    return {
        "sent_mib": round(len(file) / MIB, 2),
        "stored_mib": round(len(png) / MIB, 2),
        "packed_mib": None if small is None else round(len(small) / MIB, 2),
        "pack_cpu_s": round(pack_s, 1),
        "unpack_cpu_s": round(time.process_time() - began_s, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=float, default=12.0)
    width = int((parser.parse_args().megapixels * 1e6 * 4 / 3) ** 0.5)
    size = width, width * 3 // 4
    fine, strong = a_photo(*size, 2.0), a_photo(*size, 8.0)
    pictures = {
        "photo_avif": sent(fine, "AVIF", quality=75, speed=9),
        "photo_jpeg": sent(fine, "JPEG", quality=92),
        "photo_png": sent(fine, "PNG", compress_level=6),
        "strong_grain_jpeg": sent(strong, "JPEG", quality=92),
        "drawn_png": sent(drawn_shapes(*size), "PNG"),
    }
    figures = {name: measured(*picture) for name, picture in pictures.items()}
    sys.stdout.write(json.dumps({"benchmark": "packed_pictures", "size": size, **figures}) + "\n")


if __name__ == "__main__":
    main()
