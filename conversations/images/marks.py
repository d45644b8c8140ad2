"""Where a user marked a picture: boxes and strokes of a brush, independent of its size. Pure.

Written as text, "box 1000 1000 5000 4000;line 150 200 200 900 950": positions in 1/10,000 of the width and
height, the radius of a brush in 1/10,000 of the longer side.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

from PIL import Image, ImageDraw

UNIT = 10_000
LONGEST = 20_000  # characters of a text
MOST_PAINTED = (
    200.0  # times the picture that the marks may cover, one over the other: a second's work at 40 MP
)
_TEXT = re.compile(r"(?:box(?: [0-9]{1,5}){4}|line [0-9]{1,5}(?: [0-9]{1,5} [0-9]{1,5})+)")

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle between two corners."""

    start: Point
    end: Point

    @property
    def painted(self) -> float:
        """Its area, in pictures."""
        return abs(self.end[0] - self.start[0]) * abs(self.end[1] - self.start[1])

    def draw(self, on: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
        """Fill it on a mask of that size."""
        (left, right), (top, bottom) = (sorted(ends) for ends in zip(self.start, self.end, strict=True))
        on.rectangle((*_pixel((left, top), size), *_pixel((right, bottom), size)), 255)


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line of a round brush."""

    radius: float
    points: tuple[Point, ...]

    @property
    def painted(self) -> float:
        """The area that drawing it paints, in pictures, or less if the picture is not square."""
        lengths = (hypot(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in pairwise(self.points))
        return len(self.points) * 4 * self.radius**2 + 2 * self.radius * sum(lengths)

    def draw(self, on: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
        """Fill it on a mask of that size."""
        radius = max(1.0, self.radius * max(size))
        points = [_pixel(point, size) for point in self.points]
        on.line(points, 255, width=round(2 * radius))
        for x, y in points:
            on.ellipse((x - radius, y - radius, x + radius, y + radius), 255)


@dataclass(frozen=True, slots=True)
class Marks:
    """Everything that is marked."""

    shapes: tuple[Box | Stroke, ...]

    @classmethod
    def parse(cls, text: str) -> "Marks":
        """The marks of a text; ValueError for any other text."""
        parts = text.split(";")
        if len(text) > LONGEST or not all(map(_TEXT.fullmatch, parts)):
            raise ValueError("no marks")
        shapes = tuple(map(_shape, parts))
        if sum(shape.painted for shape in shapes) > MOST_PAINTED:
            raise ValueError("too much is marked, one over the other")
        return cls(shapes)

    def mask(self, size: tuple[int, int]) -> Image.Image:
        """White where it is marked on a picture of that width and height, else black; mode L."""
        mask = Image.new("L", size)
        on = ImageDraw.Draw(mask)
        for shape in self.shapes:
            shape.draw(on, size)
        return mask


def _shape(text: str) -> Box | Stroke:
    kind, *told = text.split()
    numbers = [int(number) / UNIT for number in told]
    if max(numbers) > 1:
        raise ValueError("a mark lies outside of the picture")
    if kind == "box":
        left, top, right, bottom = numbers
        return Box((left, top), (right, bottom))
    radius, *places = numbers
    return Stroke(radius, tuple(zip(places[::2], places[1::2], strict=True)))


def _pixel(point: Point, size: tuple[int, int]) -> tuple[int, int]:
    x, y = (min(int(at * side), side - 1) for at, side in zip(point, size, strict=True))
    return x, y
