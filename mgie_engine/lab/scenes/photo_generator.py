"""Procedural photos: what a picture-like view is made of, as numbers drawn from a seed.

A photo is an outdoor view (sky, ridges, ground or water, foliage), an indoor one (wall and table), or dead
leaves; most have a subject, and some a defocused back. `photo_painter` paints the numbers. They are there so
that light and colour, everywhere or in a layer, can be learned on any picture.
"""

import colorsys
from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mgie_engine.lab.scenes.dead_leaves import dead_leaves
from mgie_engine.lab.scenes.drawing import Backdrop, Colour, ShapeTable, shape_table
from mgie_engine.lab.scenes.photo_subjects import PARTS, SubjectPart, random_subject

BLOBS = 6  # crowns of near trees and bushes
FRAMES = 3  # windows and frames on a wall
LEAVES_SHARE, INDOOR_SHARE = 0.22, 0.2


class PhotoView(NamedTuple):
    """The numbers of a photo, in the order in which they are stored; lengths in picture widths."""

    is_view: float = 0.0  # 0: a scene or dead leaves, which shape tables describe
    seed: float = 0.0  # of the noise, below 2^20
    horizon: float = 0.5
    indoors: float = 0.0
    sky_top: Colour = (0, 0, 0)  # or the wall's top
    sky_low: Colour = (0, 0, 0)
    sky_curve: float = 1.0
    sun: Sequence[float] = (0.5, 0.3, 0.0)  # x, y, brightness
    sun_colour: Colour = (1, 1, 1)
    clouds: Sequence[float] = (0.0, 0.5, 0.2)  # cover, softness, relief
    cloud_light: Colour = (1, 1, 1)
    cloud_dark: Colour = (0.5, 0.5, 0.5)
    roughness: float = 0.5  # what each octave of the noise keeps
    ridges: Sequence[float] = (0.0, 0.0)  # heights of the far and the near one
    ridge: Colour = (0.3, 0.3, 0.3)
    air: float = 0.4  # how much of the sky's colour distance takes
    ground_far: Colour = (0, 0, 0)
    ground_near: Colour = (0, 0, 0)
    ground_texture: float = 0.3
    ground_scale: float = 0.5
    path: Sequence[float] = (0.5, 0.0, 0.5)  # vanishing x, width, x at the bottom
    path_colour: Colour = (0.5, 0.5, 0.5)
    shore: float = 0.0  # water reaches down to here; none above the horizon
    water: Colour = (0, 0, 0)
    ripples: float = 0.2
    trees: Sequence[float] = (0.0, 0.0)  # height of the row of trees, depth of its foot below the horizon
    leaf: Colour = (0, 0, 0)
    leaf_light: Colour = (0, 0, 0)
    leaf_texture: float = 0.5
    blobs: Sequence[float] = (0.0,) * (4 * BLOBS)  # x, y, half width, half height; none where 0
    frames: Sequence[float] = (0.0,) * (7 * FRAMES)  # x, y, half width, half height, colour
    bricks: float = 0.0  # rows of them on a wall, in the height of the picture; 0 for none
    joint: float = 0.0  # how much lighter or darker the joints are
    defocus: float = 0.0  # blur of the back, in units of the plain blur
    parts: Sequence[float] = (0.0,) * (len(SubjectPart._fields) * PARTS)
    subject_texture: float = 0.2
    subject_softness: float = 0.003
    light: Colour = (1, 1, 1)  # multiplies the picture
    side_light: float = 0.0  # brighter on the right (above 0) or on the left
    contrast: float = 1.0
    noise: float = 0.0
    jpeg: float = 0.0  # step of the quantisation; 0 for none


class Photo(NamedTuple):
    """A photo as data."""

    sheet: ShapeTable  # of dead leaves; a placeholder for a view
    numbers: NDArray[np.float32]  # (NUMBERS,)
    layers: tuple[str, ...]  # those of regions.LAYERS that can be seen, and "background" where a subject is
    subject_colour: Colour | None = None


def flat(view: PhotoView) -> NDArray[np.float32]:
    """All numbers of a view in order."""
    values = [v for item in view for v in (item if isinstance(item, Sequence) else (item,))]
    return np.asarray(values, dtype=np.float32)


NUMBERS = len(flat(PhotoView()))
NO_VIEW = flat(PhotoView())
_BLACK = (0.0, 0.0, 0.0)
_NO_SHAPES = shape_table(Backdrop(_BLACK, _BLACK, _BLACK, _BLACK, _BLACK), [])

SKIES: Sequence[tuple[Colour, Colour, float]] = (  # zenith, horizon, brightness of the light below
    ((0.25, 0.47, 0.80), (0.70, 0.82, 0.93), 1.0),
    ((0.12, 0.32, 0.70), (0.52, 0.70, 0.90), 1.0),
    ((0.35, 0.60, 0.85), (0.85, 0.90, 0.93), 1.05),
    ((0.62, 0.66, 0.70), (0.84, 0.86, 0.88), 0.85),
    ((0.80, 0.84, 0.88), (0.95, 0.95, 0.93), 0.95),
    ((0.27, 0.31, 0.38), (0.58, 0.61, 0.64), 0.62),
    ((0.24, 0.26, 0.45), (0.96, 0.62, 0.36), 0.6),
    ((0.42, 0.47, 0.72), (0.96, 0.76, 0.68), 0.7),
    ((0.05, 0.08, 0.18), (0.16, 0.20, 0.32), 0.3),
)
GROUNDS: Sequence[tuple[Colour, Colour]] = (  # far, near
    ((0.40, 0.48, 0.20), (0.25, 0.40, 0.10)),
    ((0.45, 0.55, 0.22), (0.32, 0.48, 0.12)),
    ((0.66, 0.58, 0.34), (0.55, 0.46, 0.24)),
    ((0.85, 0.76, 0.58), (0.76, 0.65, 0.46)),
    ((0.45, 0.35, 0.26), (0.36, 0.25, 0.17)),
    ((0.90, 0.92, 0.96), (0.84, 0.87, 0.93)),
    ((0.42, 0.42, 0.44), (0.33, 0.33, 0.34)),
    ((0.58, 0.55, 0.50), (0.48, 0.46, 0.43)),
    ((0.62, 0.36, 0.24), (0.52, 0.28, 0.18)),
)
LEAVES: Sequence[tuple[Colour, Colour]] = (  # in shadow, in light
    ((0.08, 0.16, 0.05), (0.30, 0.44, 0.14)),
    ((0.10, 0.20, 0.06), (0.42, 0.54, 0.18)),
    ((0.04, 0.10, 0.06), (0.16, 0.28, 0.14)),
    ((0.16, 0.18, 0.05), (0.55, 0.58, 0.24)),
    ((0.28, 0.12, 0.03), (0.78, 0.48, 0.12)),
    ((0.24, 0.06, 0.03), (0.66, 0.24, 0.10)),
    ((0.16, 0.14, 0.10), (0.46, 0.42, 0.32)),
)
WATERS: Sequence[Colour] = ((0.10, 0.28, 0.40), (0.12, 0.40, 0.45), (0.16, 0.22, 0.24), (0.20, 0.30, 0.22))


@lru_cache(maxsize=4096)
def photo(seed: int) -> Photo:
    """The photo number `seed`, always the same."""
    rng = Random(f"photo-{seed}")
    kind = rng.random()
    if kind < LEAVES_SHARE:
        return Photo(dead_leaves(rng), NO_VIEW, ())
    view, layers = _indoors(rng) if kind < LEAVES_SHARE + INDOOR_SHARE else _outdoors(rng)
    colour = None
    if rng.random() < (0.95 if view.defocus > 1 else 0.6):
        subject = random_subject(rng, view.horizon, large=view.defocus > 1)
        colour, parts = subject.colour, tuple(v for part in subject.parts for v in part)
        parts += (0.0,) * (len(PhotoView().parts) - len(parts))
        view = view._replace(parts=parts, subject_texture=rng.choice((0.05, 0.2, 0.5)))
        layers += ("subject", "background")
    view = _taken(rng, view)
    return Photo(_NO_SHAPES, flat(view), layers, colour)


def near(rng: Random, colour: Colour, by: float = 0.05) -> Colour:
    """A colour like this one."""
    hue, saturation, value = colorsys.rgb_to_hsv(*colour)
    return colorsys.hsv_to_rgb(
        (hue + rng.gauss(0, 0.25 * by)) % 1,
        min(1.0, max(0.0, saturation * rng.uniform(1 - 5 * by, 1 + 5 * by))),
        min(1.0, max(0.02, value + rng.gauss(0, by))),
    )


def any_colour(rng: Random, saturation: float = 0.5) -> Colour:
    """Any colour; the most saturated are rare."""
    return colorsys.hsv_to_rgb(rng.random(), min(1.0, rng.random() * 2 * saturation), rng.uniform(0.15, 0.95))


def dimmed(colour: Colour, by: float) -> Colour:
    """A colour in so much light."""
    return tuple(by * channel for channel in colour)


def _outdoors(rng: Random) -> tuple[PhotoView, tuple[str, ...]]:
    top, low, bright = rng.choice(SKIES)
    top, low = near(rng, top), near(rng, low, 0.03)
    horizon = rng.choice((rng.uniform(0.35, 0.65), rng.uniform(0.25, 0.8)))
    far, close = rng.choice(GROUNDS)
    tint = rng.random()
    lit = 0.25 + 0.85 * bright * rng.uniform(0.85, 1.15)
    light = tuple(min(1.0, 0.65 + 0.4 * channel) for channel in low)  # of the sky, on what is below
    view = PhotoView(
        1.0, float(rng.getrandbits(20)), horizon,
        sky_top=top, sky_low=low, sky_curve=rng.uniform(0.6, 1.6),
        sun=(rng.random(), horizon - rng.uniform(-0.05, 0.4), rng.choice((0.0, 0.0, rng.uniform(0.1, 0.6)))),
        sun_colour=(1.0, rng.uniform(0.8, 1.0), rng.uniform(0.5, 0.95)),
        clouds=(rng.choice((0.0, rng.uniform(0.3, 0.9), 0.55)), rng.uniform(0.1, 0.6), rng.uniform(0.8, 3)),
        cloud_light=tuple(min(1.0, 0.55 * channel + 0.45 + 0.1 * tint) for channel in low),
        cloud_dark=tuple(0.5 * a + 0.3 * b for a, b in zip(top, low, strict=True)),
        roughness=rng.uniform(0.5, 0.72),
        ridges=(rng.choice((0.0, rng.uniform(0.03, 0.28))), rng.choice((0.0, rng.uniform(0.02, 0.15)))),
        ridge=dimmed(near(rng, rng.choice((*GROUNDS, *LEAVES))[0], 0.08), lit), air=rng.uniform(0.2, 0.8),
        ground_far=_lit(near(rng, far), light, lit), ground_near=_lit(near(rng, close), light, lit),
        ground_texture=rng.uniform(0.2, 1.2), ground_scale=rng.uniform(0.3, 1.0),
        ripples=rng.uniform(0.15, 0.7), leaf_texture=rng.uniform(0.6, 1.5),
    )  # fmt: skip
    view, layers = _covered(rng, view, light, lit)
    if rng.random() < 0.3:
        view = view._replace(defocus=rng.uniform(1.2, 3.0))
    elif rng.random() < 0.3:
        view = view._replace(defocus=rng.uniform(0.2, 0.8))
    return view, layers


def _lit(colour: Colour, light: Colour, by: float) -> Colour:
    return tuple(min(1.0, a * b * by) for a, b in zip(colour, light, strict=True))


def _covered(rng: Random, view: PhotoView, light: Colour, lit: float) -> tuple[PhotoView, tuple[str, ...]]:
    """Water, a path and foliage; and the layers that can be seen."""
    layers, horizon = ["sky"], view.horizon
    if any(height > 0.1 for height in view.ridges):
        layers.append("mountains")
    room, water = 1 - horizon, rng.random()
    if water < 0.35:
        shore = horizon + room * rng.uniform(0.35, 0.85) if rng.random() < 0.6 else 1.2
        layers += ["water"] if shore > 1 else ["water", "ground"]
        view = view._replace(shore=shore, water=_lit(near(rng, rng.choice(WATERS)), light, lit))
    else:
        layers.append("ground")
        if rng.random() < 0.35:
            ends = rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.45), rng.uniform(0.1, 0.9)
            colour = rng.choice(GROUNDS[3:])[1]
            view = view._replace(path=ends, path_colour=_lit(near(rng, colour), light, lit))
    dark, bright = rng.choice(LEAVES[:5] if rng.random() < 0.75 else LEAVES)
    dark, bright = near(rng, dark), near(rng, bright)
    view = view._replace(leaf=_lit(dark, light, lit), leaf_light=_lit(bright, light, 1.1 * lit))
    if rng.random() < 0.25:
        view = view._replace(frames=_buildings(rng, horizon, lit))
    foliage = rng.random()
    if foliage < 0.45 and water >= 0.15:
        view = view._replace(trees=(rng.uniform(0.04, 0.22), room * rng.uniform(0.02, 0.2)))
    if foliage > 0.3:
        view = view._replace(blobs=_blobs(rng, horizon))
    if any(view.blobs) or view.trees[0]:
        layers.append("foliage")
    return view, tuple(layers)


def _blobs(rng: Random, horizon: float) -> tuple[float, ...]:
    """One or two trees or bushes, or leaves that hang into the picture; each of several crowns."""
    values = list[float]()
    groups = rng.choice((0, 1, 1, 2, 2))
    for _ in range(groups):
        size = rng.uniform(0.06, 0.22)
        x, y = rng.uniform(0.02, 0.98), horizon - rng.uniform(-0.25, 0.12)
        if rng.random() < 0.25:
            x, y = rng.choice((-0.02, 1.02)), rng.uniform(-0.05, 0.3)
        for _ in range(BLOBS // groups):
            values += [x + rng.gauss(0, 0.7 * size), y + rng.gauss(0, 0.5 * size)]
            values += [size * rng.uniform(0.5, 1), size * rng.uniform(0.4, 0.9)]
    return (*values, *(0.0,) * (4 * BLOBS - len(values)))


def _buildings(rng: Random, horizon: float, lit: float) -> tuple[float, ...]:
    values = list[float]()
    for _ in range(rng.randint(1, FRAMES)):
        high = rng.uniform(0.05, 0.3)
        values += [rng.random(), horizon - high + 0.01, rng.uniform(0.06, 0.25), high]
        values += dimmed(near(rng, any_colour(rng, 0.25)), lit)
    return (*values, *(0.0,) * (7 * FRAMES - len(values)))


def _indoors(rng: Random) -> tuple[PhotoView, tuple[str, ...]]:
    """A wall with frames or windows above a table or floor; neither is called sky or ground."""
    wall = near(rng, any_colour(rng, 0.25))
    table = near(rng, rng.choice((*(ground for _, ground in GROUNDS), any_colour(rng), any_colour(rng, 0.2))))
    horizon = rng.choice((rng.uniform(0.4, 0.85), rng.uniform(0.4, 0.85), 1.2, -0.2))
    frames = list[float]()
    for _ in range(rng.randint(1, FRAMES)):
        frames += [rng.random(), rng.uniform(0, 0.6), rng.uniform(0.04, 0.25), rng.uniform(0.05, 0.3)]
        frames += any_colour(rng) if rng.random() < 0.7 else (0.95, 0.97, 1.0)
    bright = rng.uniform(0.6, 1.1)
    view = PhotoView(
        1.0, float(rng.getrandbits(20)), horizon, 1.0,
        sky_top=dimmed(wall, bright * rng.uniform(0.7, 1)), sky_low=dimmed(wall, bright),
        clouds=(0.0, 0.5, rng.uniform(0.1, 1.0)), roughness=rng.uniform(0.5, 0.72),
        ground_far=dimmed(table, bright), ground_near=dimmed(near(rng, table), bright),
        ground_texture=rng.uniform(0.0, 0.7), ground_scale=rng.uniform(0.3, 1.0),
        frames=(*frames, *(0.0,) * (7 * FRAMES - len(frames))),
        bricks=rng.choice((0.0, 0.0, rng.uniform(8, 26))), joint=rng.choice((-0.35, 0.25)),
        defocus=rng.choice((0.0, 0.5, rng.uniform(1.2, 3.0), rng.uniform(1.2, 3.0))),
    )  # fmt: skip
    return view, ()


def _taken(rng: Random, view: PhotoView) -> PhotoView:
    """How the photo was taken: exposure, cast, light from a side, contrast, noise, compression."""
    warmth, tint = rng.gauss(0, 0.07), rng.gauss(0, 0.025)
    gain = rng.choice((1.0, rng.uniform(0.65, 1.0), rng.uniform(1.0, 1.3)))
    return view._replace(
        light=(gain * (1 + warmth), gain * (1 - tint), gain * (1 - warmth)),
        side_light=rng.gauss(0, 0.18),
        contrast=rng.choice((1.4, rng.uniform(0.8, 1.25), rng.uniform(1.3, 2.1))),
        noise=rng.choice((0.0, 0.004, 0.012, rng.uniform(0, 0.04))),
        jpeg=rng.choice((0.0, 0.0, rng.uniform(0.004, 0.02))),
        subject_softness=rng.choice((0.003, 0.003, 0.008)),
    )
