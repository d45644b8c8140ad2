"""A classifier for tests: magenta is what it looks for."""

import io
from dataclasses import replace

from PIL import Image

from bot.policy.limits import Limits
from bot.policy.picture_safety import PictureSafety, SafetyPolicy
from tests.support.workflow_room import NO_PACE


def magenta(png: bytes) -> float:
    """1 for a picture that is magenta, else 0."""
    with Image.open(io.BytesIO(png)) as picture:
        red, green, blue = picture.convert("RGB").resize((1, 1)).tobytes()
    return float(red > 200 and green < 60 and blue > 200)


def broken(png: bytes) -> float:
    """What a damaged installation does."""
    raise OSError("no such model")


def watched(policy: SafetyPolicy | None = None, score=magenta) -> Limits:
    """Limits with that policy."""
    return replace(NO_PACE, safety=PictureSafety(policy or SafetyPolicy(), score))
