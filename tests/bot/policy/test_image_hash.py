"""A removed picture is known again through changes of size and format, and no other is taken for it."""

import io
import random

from PIL import Image

from bot.policy.image_hash import HASH_CHARS, dhash, find_blocked


def scene(seed: int, size: int = 96, kind: str = "PNG") -> bytes:
    """A picture of soft blobs, from a fixed seed."""
    few = Image.frombytes("RGB", (6, 6), random.Random(seed).randbytes(108))
    file = io.BytesIO()
    few.resize((96, 96), Image.Resampling.BICUBIC).resize((size, size)).save(file, kind)
    return file.getvalue()


def test_a_hash_is_short_and_the_same_for_the_same_picture() -> None:
    assert len(dhash(scene(1))) == HASH_CHARS
    assert dhash(scene(1)) == dhash(scene(1))


def test_another_size_or_format_is_known_again() -> None:
    barred = [dhash(scene(1))]
    assert find_blocked(scene(1, size=64), barred) == barred[0]
    assert find_blocked(scene(1, kind="JPEG"), barred) == barred[0]


def test_other_pictures_are_not_taken_for_a_blocked_one() -> None:
    barred = [dhash(scene(0))]
    assert [seed for seed in range(1, 200) if find_blocked(scene(seed), barred)] == []
