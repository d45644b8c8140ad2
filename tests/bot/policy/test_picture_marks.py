"""A barred picture is found again; neither its source nor another picture is taken for it."""

import io
import random
import zlib
from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
from PIL import Image

from benchmarks.picture_marks import CHANGES, photo_pairs, png, redrawn, scene_pairs
from bot.policy.picture_marks import BarredPicture, barred_picture, find_barred, views_of
from mgie_engine.lab.scenes.scene import Scene
from mgie_engine.lab.scenes.scene_edits import State


def blobs(seed: int) -> Image.Image:
    """A picture of soft blobs, from a fixed seed."""
    few = Image.frombytes("RGB", (6, 6), random.Random(seed).randbytes(108))
    return few.resize((96, 96), Image.Resampling.BICUBIC)


def barred(picture: Image.Image, *sources: Image.Image) -> BarredPicture:
    mark = barred_picture(png(picture), *map(png, sources))
    assert mark is not None
    return mark


@cache
def twelve() -> Mapping[str, BarredPicture]:
    """The marks of twelve pictures by their seeds."""
    return {str(seed): barred(blobs(seed)) for seed in range(12)}


def old_hash(picture: Image.Image) -> str:
    """The difference hash by which pictures were barred before."""
    grey = picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    bits = [grey[9 * y + x + 1] > grey[9 * y + x] for y in range(8) for x in range(8)]
    return f"{sum(1 << place for place, bit in enumerate(bits) if bit):016x}"


@pytest.mark.parametrize("change", CHANGES)
def test_a_barred_picture_is_found_again_after(change):
    found = [find_barred(png(CHANGES[change](blobs(seed))), twelve()) for seed in range(12)]
    assert found == list(twelve())


def test_other_pictures_are_not_taken_for_a_barred_one():
    assert not [seed for seed in range(100, 300) if find_barred(png(blobs(seed)), twelve())]


def test_results_are_barred_without_their_sources():
    for source, result in [*scene_pairs(6), *list(photo_pairs(None))[:4]]:
        mark = barred_picture(result, source)
        assert mark.matches(views_of(result))
        assert not mark.matches(views_of(source))


@pytest.mark.parametrize(
    "changed", [lambda p: p.point(lambda v: v * 0.8), lambda p: p.convert("L").convert("RGB")]
)
def test_a_change_of_tone_is_told_from_its_source(changed):
    mark = barred(changed(blobs(1)), blobs(1))
    assert mark.matches(views_of(png(changed(blobs(1)))))
    assert not mark.matches(views_of(png(blobs(1))))


def test_a_result_that_is_its_source_bars_it():
    assert barred(blobs(1), blobs(1)).matches(views_of(png(blobs(1))))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_pictures_are_neither_barred_nor_found(level):
    noise = np.random.default_rng(0).integers(-1, 2, (64, 64, 3))
    flat = png(Image.fromarray(np.clip(level + noise, 0, 255).astype(np.uint8)))
    assert barred_picture(flat) is None
    assert find_barred(flat, {"1": barred(blobs(1)), "0" * 16: None}) is None


def test_marks_are_stored_as_bytes_and_named_by_sixteen_digits():
    mark = barred(blobs(1), blobs(2))
    again = BarredPicture.from_bytes(mark.to_bytes())
    assert len(mark.hash) == 16
    assert again.hash == mark.hash != barred(blobs(2)).hash
    assert len(again.sources) == 1
    assert again.matches(views_of(png(blobs(1))))


def test_what_was_barred_before_there_were_marks_is_found():
    hashes = {old_hash(blobs(1)): None}
    assert find_barred(png(blobs(1).resize((64, 64))), hashes) == old_hash(blobs(1))
    assert find_barred(png(blobs(2)), hashes) is None


def test_a_small_picture_in_grey_or_with_transparency_can_be_looked_for():
    for mode in ("L", "RGBA", "P"):
        file = io.BytesIO()
        blobs(3).resize((7, 5)).convert(mode).save(file, "PNG")
        assert find_barred(file.getvalue(), {"1": barred(blobs(1))}) is None


def with_square(colour: str, left: int, top: int) -> Image.Image:
    """A picture with one thing in it, on the same ground."""
    picture = blobs(1)
    picture.paste(colour, (left, top, left + 30, top + 30))
    return picture


def test_another_thing_on_the_same_ground_is_another_picture():
    mark = barred(with_square("red", 10, 50))
    assert mark.matches(views_of(png(with_square("red", 10, 50))))
    assert not mark.matches(views_of(png(with_square("blue", 10, 50))))
    assert not mark.matches(views_of(png(with_square("red", 56, 20))))


def test_other_small_things_on_the_same_night_are_another_picture():
    night = State(Scene((), ground="grass", time="night"))
    first, *others = redrawn(night, range(12))
    mark = barred_picture(first)
    assert mark is not None
    assert mark.matches(views_of(first))
    assert not [other for other in others if mark.matches(views_of(other))]


def test_a_picture_is_found_among_many_with_nearly_its_colours():
    marks = {f"{level}": barred(blobs(1).point(lambda v, by=level: v + by)) for level in range(-20, 20)}
    assert find_barred(png(blobs(1)), marks) in marks
    assert find_barred(png(blobs(2)), marks) is None


def test_earlier_releases_read_what_is_stored():
    edges, colours = 81 * 16 * 8, 81 * 8 * 8 * 3
    stored = zlib.decompress(barred(blobs(1), blobs(2)).to_bytes())
    assert len(stored) == 2 * (edges + colours)
    assert stored[:edges] == barred(blobs(1)).own.edges.tobytes()


def test_what_earlier_releases_stored_is_read_and_found():
    mark = barred(blobs(1), blobs(2))
    again = BarredPicture.from_bytes(zlib.compress(zlib.decompress(mark.to_bytes())))
    assert again.own.cells is None
    assert again.hash == mark.hash
    assert again.matches(views_of(png(CHANGES["crop 5 % each side"](blobs(1)))))
    assert not [seed for seed in range(2, 12) if again.matches(views_of(png(blobs(seed))))]
