"""Edits of drawn things, with their ground truth: what changes, and the sentence that says so.

A state is a scene or a procedural photo, and the tonal edits done to it so far. Every edit carries its brief
instruction, its expressive instruction grounded in this picture, and its one right goal; the mask of what
changed is the difference of the two pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from mgie_engine.lab.scenes.drawing import Sheet, draw, fits
from mgie_engine.lab.scenes.expressive_text import NOTHING, Split, describe, stays, there, where
from mgie_engine.lab.scenes.photo_generator import procedural_photo
from mgie_engine.lab.scenes.phrasing import plural
from mgie_engine.lab.scenes.references import first_free, towards
from mgie_engine.lab.scenes.rng import Dice
from mgie_engine.lab.scenes.scene import SIZES, Cell, Scene, Thing
from mgie_engine.lab.scenes.tones import UNGRADED, ToneSpec


@dataclass(frozen=True, slots=True)
class State:
    """One picture of the world: a scene, or the procedural photo with this seed, and tones over it."""

    scene: Scene | None
    photo: int = 0
    tones: tuple[ToneSpec, ...] = ()

    def sheet(self) -> Sheet:
        """The picture before its tones."""
        return procedural_photo(self.photo) if self.scene is None else draw(self.scene)

    @property
    def is_readable(self) -> bool:
        """Whether the colours of drawn things can still be told."""
        return len(self.tones) < 2 and not any(name in UNGRADED for name, _ in self.tones)


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit with its ground truth; what comes after `goal` is what a follow-up may refer back to."""

    kind: str
    instruction: str
    expressive: str
    goal: State
    thing: Thing | None = None  # as it is in the goal
    colour: str | None = None  # the colour that was given
    act: str = ""  # what could be done again, to another thing or with another value: "remove", "sky"
    part: str | None = None  # of `thing`, when only that changed
    was: Thing | None = None  # the thing before


Maker = Callable[[Dice, State, Split], Edit | None]


def to(state: State, scene: Scene) -> State:
    """The state with another scene."""
    return replace(state, scene=scene)


def recolour_to(state: State, thing: Thing, colour: str, instruction: str) -> Edit:
    """The edit that gives `thing` the `colour`, in the given words; says so where it has it already."""
    assert state.scene
    if thing.colour == colour:
        text = f"{NOTHING} The {there(thing)} is already {colour}."
        return Edit("refuse", instruction, text, state)
    new = replace(thing, colour=colour)
    text = f"The {there(thing)} turns {colour}. {stays(state.scene, thing)}"
    goal = to(state, state.scene.swapped(thing, new))
    return Edit("recolour", instruction, text, goal, new, colour, "recolour", was=thing)


def recolour_part_to(state: State, thing: Thing, part: str, colour: str, instruction: str) -> Edit:
    """The edit that gives a part of `thing` the `colour`."""
    assert state.scene
    what = f"The {thing.part(part)} {part} of the {there(thing)}"
    text = f"{what} turns {colour}. {stays(state.scene, thing)}"
    new = thing.with_part(part, colour)
    goal = to(state, state.scene.swapped(thing, new))
    return Edit("recolour", instruction, text, goal, new, colour, "recolour", part)


def remove_it(state: State, thing: Thing, instruction: str) -> Edit:
    """The edit that takes `thing` away."""
    assert state.scene
    text = f"The {there(thing)} is removed. {stays(state.scene, thing)}"
    return Edit("remove", instruction, text, to(state, state.scene.without(thing)), act="remove", was=thing)


def add_it(state: State, things: tuple[Thing, ...], instruction: str) -> Edit | None:
    """The edit that adds one thing or two alike; None where the picture is too full."""
    assert state.scene
    scene = state.scene.plus(*things)
    if not fits(scene):
        return None
    first = things[0]
    text = f"A {describe(first)} appears {where(first.cell)}."
    if len(things) == 2:
        pair = f"{first.size} {first.colour} {plural(first.kind)}"
        text = f"Two {pair} appear {where(first.cell)} and {where(things[1].cell)}."
    last = first if len(things) == 1 else None
    return Edit("add", instruction, f"{text} {stays(state.scene, first)}", to(state, scene), last, act="add")


def replace_by(state: State, thing: Thing, new: Thing, instruction: str) -> Edit:
    """The edit that puts `new` in the place of `thing`."""
    assert state.scene
    text = f"The {there(thing)} becomes a {describe(new)}. {stays(state.scene, thing)}"
    goal = to(state, state.scene.swapped(thing, new))
    return Edit("replace", instruction, text, goal, new, act="replace", was=thing)


def resize_to(state: State, thing: Thing, size: str, instruction: str) -> Edit:
    """The edit that gives `thing` the `size`; says so where it has it already."""
    assert state.scene
    if size == thing.size:
        text = f"{NOTHING} The {there(thing)} is already {size}."
        return Edit("refuse", instruction, text, state)
    new = replace(thing, size=size)
    grows = SIZES[size] > SIZES[thing.size]
    verb, act = ("grows", "grow") if grows else ("shrinks", "shrink")
    text = f"The {there(thing)} {verb} from {thing.size} to {size}. {stays(state.scene, thing)}"
    goal = to(state, state.scene.swapped(thing, new))
    return Edit("resize", instruction, text, goal, new, act=act, was=thing)


def resize_it(state: State, thing: Thing, step: int, instruction: str) -> Edit:
    """Grow (+1) or shrink (-1) by one size; at the end of the scale nothing changes."""
    sizes = list(SIZES)
    return resize_to(state, thing, sizes[min(max(sizes.index(thing.size) + step, 0), 2)], instruction)


def move_it(state: State, thing: Thing, cell: Cell, instruction: str) -> Edit:
    """The edit that moves `thing` to an empty cell."""
    assert state.scene
    new = replace(thing, cell=cell, jitter=(0.0, 0.0))
    way = f"from {where(thing.cell)} to {where(cell)}"
    text = f"The {describe(thing)} moves {way}. {stays(state.scene, thing)}"
    goal = to(state, state.scene.swapped(thing, new))
    return Edit("move", instruction, text, goal, new, was=thing)


def move_aside(state: State, thing: Thing, step: int, instruction: str) -> Edit:
    """The edit that moves `thing` to the next free cell on its left (-1) or right (+1), if there is one."""
    assert state.scene
    cell = first_free(state.scene, towards(thing, step))
    if cell is not None:
        return move_it(state, thing, cell, instruction)
    side = "right" if step > 0 else "left"
    text = f"{NOTHING} There is no room on the {side} of the {there(thing)}."
    return Edit("refuse", instruction, text, state)
