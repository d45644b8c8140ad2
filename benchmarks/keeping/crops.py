"""Side by side for the documentation: the original, a stretched small result, the restored one, the truth."""

from pathlib import Path

from PIL import Image

from keeping.pictures import scene
from keeping.tonal import EDITS, Trip
from mgie_engine.restore import restore
from mgie_engine.scenes.edits import State, recolour_to
from mgie_engine.scenes.pictures import pictures, to_image
from mgie_engine.scenes.scene import BACK, FRONT, Cell, Scene, Thing
from mgie_engine.serving.pictures import for_the_model

SIDE, CROP, RULE = 256, 200, 4  # of the square a model sees, of a crop, between crops; pixels


def write(folder: Path, trip: Trip) -> list[Path]:
    """Write the strips; the small results are exact ones that went through a model's autoencoder."""
    folder.mkdir(parents=True, exist_ok=True)
    strips = {"tonal.png": _tonal(trip), "recolour.png": _recolour(trip)}
    for name, strip in strips.items():
        strip.quantize(256, Image.Quantize.MEDIANCUT).save(folder / name, "PNG", optimize=True)
    return [folder / name for name in strips]


def _tonal(trip: Trip) -> Image.Image:
    original = scene(4000, 3000)
    wanted = Image.fromarray(EDITS["gamma + warm"](original))
    return _strip(Image.fromarray(original), wanted, trip, (1500, 1750))


def _recolour(trip: Trip) -> Image.Image:
    ball = Thing("ball", "red", "large", Cell(FRONT, 1), "striped")
    things = (
        ball,
        Thing("house", "white", "large", Cell(BACK, 2), parts=(("roof", "brown"), ("door", "teal"))),
    )
    before = State(Scene(things))
    after = recolour_to(before, ball, "blue", "").goal
    first, second = (to_image(picture) for picture in pictures([before, after], 2048))
    return _strip(first, second, trip, (700, 1100), 2)


def _strip(
    original: Image.Image, wanted: Image.Image, trip: Trip, at: tuple[int, int], zoom: int = 1
) -> Image.Image:
    seen = for_the_model(original, SIDE)
    painted = trip(for_the_model(wanted, SIDE))
    restored = restore(original, seen, painted, reconstruction=trip(seen)).picture
    stretched = painted.resize(original.size, Image.Resampling.LANCZOS)
    whole = [original, stretched, restored, wanted]
    strip = Image.new("RGB", (len(whole) * (CROP + RULE) - RULE, CROP), "white")
    for number, picture in enumerate(whole):
        box = (*at, at[0] + zoom * CROP, at[1] + zoom * CROP)
        strip.paste(picture.crop(box).resize((CROP, CROP), Image.Resampling.BOX), (number * (CROP + RULE), 0))
    return strip
