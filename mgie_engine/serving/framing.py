"""What of a picture a model is shown.

squeeze: the whole picture in the model's square, its aspect lost. crop: the centre square, as on the page of
the release; the rest of the picture stays. aspect: the whole picture in its own aspect, with about as many
pixels as the square, as in the release's notebook. Only the level exact paints that: the others have programs
for one size.
"""

from dataclasses import dataclass
from enum import StrEnum

from PIL import Image

from mgie_engine.config import ModelConfig
from mgie_engine.serving.pictures import for_the_model, on_white

Box = tuple[int, int, int, int]
MOST_ASPECT = 2.0  # of the longer side to the shorter; what is longer is squeezed for the rest


class Framing(StrEnum):
    """How a picture that is not square is shown to a model that paints squares."""

    SQUEEZE = "squeeze"
    CROP = "crop"
    ASPECT = "aspect"


@dataclass(frozen=True, slots=True)
class FramedPicture:
    """A picture as a model is shown it."""

    shown: Image.Image
    box: Box | None = None  # the part of the picture that it shows; None: all of it


def view(picture: Image.Image, config: ModelConfig, framing: Framing = Framing.SQUEEZE) -> FramedPicture:
    """What a model is shown of a picture; transparent places are white."""
    side = config.picture_size
    if framing is Framing.CROP:
        short = min(picture.size)
        left, top = (picture.width - short) // 2, (picture.height - short) // 2
        box = left, top, left + short, top + short
        return FramedPicture(
            for_the_model(picture.crop(box), side), box if picture.width != picture.height else None
        )
    if framing is Framing.ASPECT:
        size = aspect_size(picture.size, side, config.side_multiple)
        return FramedPicture(on_white(picture).resize(size, Image.Resampling.BICUBIC))
    return FramedPicture(for_the_model(picture, side))


def aspect_size(size: tuple[int, int], side: int, multiple: int) -> tuple[int, int]:
    """Width and height, multiples of `multiple`, with the aspect of `size` and about side × side pixels."""
    aspect = min(max(size[0] / size[1], 1 / MOST_ASPECT), MOST_ASPECT)
    width = max(1, round(side * aspect**0.5 / multiple)) * multiple
    height = max(1, round(side / aspect**0.5 / multiple)) * multiple
    return width, height
