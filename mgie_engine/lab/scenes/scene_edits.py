"""Edits of scenes with their ground truth.

A state is a scene or a procedural photo, with the tonal edits applied so far. Every edit has its brief
instruction, its expressive instruction grounded in this picture, and its one right goal; the mask of the
changed area is the difference of the two pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mgie_engine.lab.scenes.drawing import ShapeTable, draw, fits
from mgie_engine.lab.scenes.expressive_text import NOTHING, describe, stays, there, where
from mgie_engine.lab.scenes.photo_generator import NO_VIEW, photo
from mgie_engine.lab.scenes.phrasing import plural
from mgie_engine.lab.scenes.references import first_free, towards
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import SIZES, Cell, Scene, SceneObject
from mgie_engine.restore.tones import UNGRADED, ToneSpec


@dataclass(frozen=True, slots=True)
class State:
    """One picture as data: a scene, or the procedural photo with this seed, and the tones applied to it."""

    scene: Scene | None
    photo: int = 0
    tones: tuple[ToneSpec, ...] = ()

    def sheet(self) -> ShapeTable:
        """The picture before its tones."""
        return photo(self.photo).sheet if self.scene is None else draw(self.scene)

    @property
    def view(self) -> NDArray[np.float32]:
        """The numbers of a procedural photo, (NUMBERS,); those of no view for a scene."""
        return photo(self.photo).numbers if self.scene is None else NO_VIEW

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that a photo shows, as in `regions.PLACES`; none for a scene."""
        return photo(self.photo).layers if self.scene is None else ()

    @property
    def drawn(self) -> Scene:
        """The scene; only for states that have one."""
        assert self.scene, "a photo has no scene"
        return self.scene

    @property
    def is_readable(self) -> bool:
        """Whether the colours of objects are still recognisable."""
        return len(self.tones) < 2 and not any(tone.name in UNGRADED for tone in self.tones)


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit with its ground truth; what comes after `goal` is what a follow-up may refer back to."""

    kind: str
    instruction: str
    expressive: str
    goal: State
    obj: SceneObject | None = None  # as it is in the goal
    colour: str | None = None  # the colour that was given
    act: str = ""  # what a follow-up may repeat for another object or value: "remove", "sky"
    part: str | None = None  # of `obj`, if only that changed
    was: SceneObject | None = None  # the object before


EditGenerator = Callable[[RngStreams, State], Edit | None]


def to(state: State, scene: Scene) -> State:
    """The state with another scene."""
    return replace(state, scene=scene)


def recolour_to(state: State, obj: SceneObject, colour: str, instruction: str) -> Edit:
    """Recolour `obj`; a refusal if it has the colour already."""
    if obj.colour == colour:
        text = f"{NOTHING} The {there(obj)} is already {colour}."
        return Edit("refuse", instruction, text, state)
    new = replace(obj, colour=colour)
    text = f"The {there(obj)} turns {colour}. {stays(state.drawn, obj)}"
    goal = to(state, state.drawn.swapped(obj, new))
    return Edit("recolour", instruction, text, goal, new, colour, "recolour", was=obj)


def recolour_part_to(state: State, obj: SceneObject, part: str, colour: str, instruction: str) -> Edit:
    """Recolour a part of `obj`."""
    what = f"The {obj.part(part)} {part} of the {there(obj)}"
    text = f"{what} turns {colour}. {stays(state.drawn, obj)}"
    new = obj.with_part(part, colour)
    goal = to(state, state.drawn.swapped(obj, new))
    return Edit("recolour", instruction, text, goal, new, colour, "recolour", part)


def remove_it(state: State, obj: SceneObject, instruction: str) -> Edit:
    """Remove `obj`."""
    text = f"The {there(obj)} is removed. {stays(state.drawn, obj)}"
    return Edit("remove", instruction, text, to(state, state.drawn.without(obj)), act="remove", was=obj)


def add_it(state: State, objects: tuple[SceneObject, ...], instruction: str) -> Edit | None:
    """Add one object or two alike; None if the picture is too full."""
    scene = state.drawn.plus(*objects)
    if not fits(scene):
        return None
    first = objects[0]
    text = f"A {describe(first)} appears {where(first.cell)}."
    if len(objects) == 2:
        pair = f"{first.size} {first.colour} {plural(first.kind)}"
        text = f"Two {pair} appear {where(first.cell)} and {where(objects[1].cell)}."
    last = first if len(objects) == 1 else None
    return Edit("add", instruction, f"{text} {stays(state.drawn, first)}", to(state, scene), last, act="add")


def replace_by(state: State, obj: SceneObject, new: SceneObject, instruction: str) -> Edit:
    """Replace `obj` by `new`."""
    text = f"The {there(obj)} becomes a {describe(new)}. {stays(state.drawn, obj)}"
    goal = to(state, state.drawn.swapped(obj, new))
    return Edit("replace", instruction, text, goal, new, act="replace", was=obj)


def resize_to(state: State, obj: SceneObject, size: str, instruction: str) -> Edit:
    """Resize `obj`; a refusal if it has the size already."""
    if size == obj.size:
        text = f"{NOTHING} The {there(obj)} is already {size}."
        return Edit("refuse", instruction, text, state)
    new = replace(obj, size=size)
    grows = SIZES[size] > SIZES[obj.size]
    verb, act = ("grows", "grow") if grows else ("shrinks", "shrink")
    text = f"The {there(obj)} {verb} from {obj.size} to {size}. {stays(state.drawn, obj)}"
    goal = to(state, state.drawn.swapped(obj, new))
    return Edit("resize", instruction, text, goal, new, act=act, was=obj)


def resize_it(state: State, obj: SceneObject, step: int, instruction: str) -> Edit:
    """Grow (+1) or shrink (-1) by one size; at the end of the scale nothing changes."""
    sizes = list(SIZES)
    return resize_to(state, obj, sizes[min(max(sizes.index(obj.size) + step, 0), 2)], instruction)


def move_it(state: State, obj: SceneObject, cell: Cell, instruction: str) -> Edit:
    """Move `obj` to an empty cell."""
    new = obj.moved_to(cell)
    way = f"from {where(obj.cell)} to {where(cell)}"
    text = f"The {describe(obj)} moves {way}. {stays(state.drawn, obj)}"
    goal = to(state, state.drawn.swapped(obj, new))
    return Edit("move", instruction, text, goal, new, was=obj)


def move_aside(state: State, obj: SceneObject, step: int, instruction: str) -> Edit:
    """Move `obj` to the next free cell on its left (-1) or right (+1); a refusal if there is none."""
    cell = first_free(state.drawn, towards(obj, step))
    if cell is not None:
        return move_it(state, obj, cell, instruction)
    side = "right" if step > 0 else "left"
    text = f"{NOTHING} There is no room on the {side} of the {there(obj)}."
    return Edit("refuse", instruction, text, state)
