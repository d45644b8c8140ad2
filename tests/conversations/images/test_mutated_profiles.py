"""Colour profiles that were changed at random are used, or left out with a note; nothing crashes."""

import io
import random

from PIL import Image, ImageCms

from benchmarks.mutations import mutated
from conversations.errors import PictureRefused
from conversations.images.sandbox import read_picture

PROFILES = (ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), ImageCms.createProfile("XYZ"))


def with_profile(profile: bytes, kind: str) -> bytes:
    """A small picture with that profile."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 40, 40)).save(file, kind, icc_profile=profile)
    return file.getvalue()


def test_mutated_profiles_harm_nothing() -> None:
    chance = random.Random(1)
    sound = [ImageCms.ImageCmsProfile(profile).tobytes() for profile in PROFILES]
    read = 0
    for number in range(150):
        profile = mutated(sound[number % len(sound)], chance, sound)
        try:
            picture = read_picture(with_profile(profile, ("PNG", "JPEG", "WEBP")[number % 3]))
        except PictureRefused:
            continue
        assert (picture.width, picture.height) == (8, 8)
        read += 1
    assert read > 100
