"""Side by side for the documentation: the original, a stretched small result, the restored one, the truth."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from benchmarks.keeping.pictures import scene
from benchmarks.keeping.tonal import EDITS, Trip
from mgie_engine.lab.scenes.scene import BACK, FRONT, Cell, Scene, SceneObject
from mgie_engine.lab.scenes.scene_edits import State, recolour_to, resize_to
from mgie_engine.lab.scenes.scene_images import pictures, to_image
from mgie_engine.restore import restore
from mgie_engine.serving.pictures import for_the_model

SIDE, CROP, RULE = 256, 200, 4  # of the square a model sees, of a crop, between crops; pixels


def write(folder: Path, trip: Trip) -> list[Path]:
    """Write the strips; the small results are exact ones that went through a model's autoencoder."""
    folder.mkdir(parents=True, exist_ok=True)
    strips = {"tonal.png": _tonal(trip), "recolour.png": _recolour(trip), "larger.png": _larger(trip)}
    for name, strip in strips.items():
        strip.quantize(256, Image.Quantize.MEDIANCUT).save(folder / name, "PNG", optimize=True)
    return [folder / name for name in strips]


def _tonal(trip: Trip) -> Image.Image:
    pixels = scene(4000, 3000)
    original, wanted = Image.fromarray(pixels), Image.fromarray(EDITS["gamma + warm"](pixels))
    edges = original.convert("L").filter(ImageFilter.FIND_EDGES)
    tiles = np.asarray(edges.resize((4000 // CROP, 3000 // CROP), Image.Resampling.BOX))
    row, column = (int(index) * CROP for index in np.unravel_index(tiles.argmax(), tiles.shape))
    return _strip(original, wanted, trip, (column, row, column + CROP, row + CROP))


def _recolour(trip: Trip) -> Image.Image:
    ball = SceneObject("ball", "red", "large", Cell(FRONT, 1), "striped")
    house = SceneObject("house", "white", "large", Cell(BACK, 2), parts=(("roof", "brown"), ("door", "teal")))
    before = State(Scene((ball, house)))
    return _around(before, recolour_to(before, ball, "blue", "").goal, trip)


def _larger(trip: Trip) -> Image.Image:
    house = SceneObject(
        "house", "pink", "medium", Cell(BACK, 2), parts=(("roof", "black"), ("door", "white"))
    )
    before = State(Scene((house,)))
    return _around(before, resize_to(before, house, "large", "").goal, trip)


def _around(before: State, after: State, trip: Trip) -> Image.Image:
    """What differs between two states of a scene, at 2048 pixels."""
    first, second = (to_image(picture) for picture in pictures([before, after], 2048))
    box = ImageChops.difference(first, second).getbbox()
    assert box
    left, top = (box[0] + box[2]) // 2 - CROP, (box[1] + box[3]) // 2 - CROP
    return _strip(first, second, trip, (left, top, left + 2 * CROP, top + 2 * CROP))


def _strip(
    original: Image.Image, wanted: Image.Image, trip: Trip, box: tuple[int, int, int, int]
) -> Image.Image:
    seen = for_the_model(original, SIDE)
    painted = trip(for_the_model(wanted, SIDE))
    restored = restore(original, seen, painted, reconstruction=trip(seen)).picture
    stretched = painted.resize(original.size, Image.Resampling.LANCZOS)
    whole = [original, stretched, restored, wanted]
    strip = Image.new("RGB", (len(whole) * (CROP + RULE) - RULE, CROP), "white")
    for number, picture in enumerate(whole):
        crop = picture.crop(box).resize((CROP, CROP), Image.Resampling.BOX)
        strip.paste(crop, (number * (CROP + RULE), 0))
    return strip
