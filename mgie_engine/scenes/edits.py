"""Edits of the drawn world: each takes a state and gives the words and the one right goal.

A state is a scene or a procedural photo, and the tonal edits done to it so far. Every edit carries its brief
instruction, its expressive instruction grounded in this picture, and its kind; the mask of what changed is
the difference of the two pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from mgie_engine.scenes.drawing import Sheet, draw
from mgie_engine.scenes.photos import procedural_photo
from mgie_engine.scenes.scene import (
    COLOURS,
    COLUMNS,
    FIXED_COLOUR,
    GROUND_KINDS,
    GROUNDS,
    PART_OF,
    SIZES,
    SKY_COLOURS,
    SKY_KINDS,
    WEATHERS,
    Cell,
    Scene,
    Thing,
    is_sky_kind,
    new_thing,
)  # fmt: skip
from mgie_engine.scenes.tones import ToneSpec
from mgie_engine.scenes.wording import (
    COLUMN_WORDS,
    SYNONYMS,
    Split,
    article,
    describe,
    home_rows,
    phrase,
    place_words,
    plural,
    refer,
    say,
    stays,
    where,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """One picture of the world: a scene, or the procedural photo with this seed, and tones over it."""

    scene: Scene | None
    photo: int = 0
    tones: tuple[ToneSpec, ...] = ()

    def sheet(self) -> Sheet:
        return procedural_photo(self.photo) if self.scene is None else draw(self.scene)


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit with its ground truth; `thing` and `colour` are what a follow-up may refer back to."""

    kind: str
    instruction: str
    expressive: str
    goal: State
    thing: Thing | None = None
    colour: str | None = None


Maker = Callable[[Random, State, Split], Edit | None]


def _colour_other_than(rng: Random, *taken: str) -> str:
    return rng.choice([colour for colour in COLOURS if colour not in taken])


def _to(state: State, scene: Scene) -> State:
    return replace(state, scene=scene)


def recolour_to(rng: Random, state: State, thing: Thing, colour: str, instruction: str) -> Edit:
    """The edit that gives `thing` the `colour`, in the given words."""
    assert state.scene
    new = replace(thing, colour=colour)
    text = f"The {describe(thing)} {where(thing.cell)} turns {colour}. {stays(state.scene, thing)}"
    return Edit("recolour", instruction, text, _to(state, state.scene.swapped(thing, new)), new, colour)


def recolour(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    things = [thing for thing in state.scene.things if thing.kind not in FIXED_COLOUR]
    if not things:
        return None
    thing = rng.choice(things)
    colour = _colour_other_than(rng, thing.colour)
    it = refer(rng, state.scene, thing)
    words = phrase(rng, "recolour", split, it=it, name=it.removeprefix("the "), colour=say(rng, colour))
    return recolour_to(rng, state, thing, colour, words)


def recolour_part(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    things = [thing for thing in state.scene.things if thing.parts]
    if not things:
        return None
    thing = rng.choice(things)
    part = rng.choice(PART_OF[thing.kind])
    colour = _colour_other_than(rng, thing.part(part))
    alone = len(things) == 1
    it = f"the {part}" if alone and rng.random() < 0.7 else f"the {part} of {refer(rng, state.scene, thing)}"
    words = phrase(rng, "recolour", split, it=it, name=it.removeprefix("the "), colour=say(rng, colour))
    text = (
        f"The {thing.part(part)} {part} of the {describe(thing)} {where(thing.cell)} turns {colour}. "
        f"The {thing.colour} walls stay."
    )
    new = thing.with_part(part, colour)
    return Edit("recolour", words, text, _to(state, state.scene.swapped(thing, new)), None, colour)


def remove_it(state: State, thing: Thing, instruction: str) -> Edit:
    assert state.scene
    text = f"The {describe(thing)} {where(thing.cell)} is removed. {stays(state.scene, thing)}"
    return Edit("remove", instruction, text, _to(state, state.scene.without(thing)))


def remove(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    if not state.scene.things:
        return None
    thing = rng.choice(state.scene.things)
    it = refer(rng, state.scene, thing)
    return remove_it(state, thing, phrase(rng, "remove", split, it=it, name=it.removeprefix("the ")))


def add(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    kind = rng.choice(GROUND_KINDS + SKY_KINDS)
    free = state.scene.free_cells(sky=is_sky_kind(kind))
    if not free or len(state.scene.things) > 7:
        return None
    said_place = rng.random() < 0.6
    cell = rng.choice(free) if said_place else free[0]
    colour = rng.choice(tuple(COLOURS)) if kind not in FIXED_COLOUR else FIXED_COLOUR[kind]
    size = rng.choice(("small", "large")) if rng.random() < 0.25 else "medium"
    words = [say(rng, size)] if size != "medium" else []
    said_colour = kind not in FIXED_COLOUR and rng.random() < 0.85
    if not said_colour and kind not in FIXED_COLOUR:
        colour = USUAL_COLOUR[kind]
    a = article(" ".join([*words, *([say(rng, colour)] if said_colour else []), say(rng, kind)]))
    place = f" {place_words(rng, state.scene, cell)}" if said_place else ""
    thing = new_thing(kind, colour, cell, size=size)
    text = f"A {describe(thing)} appears {where(cell)}. {stays(state.scene, thing)}"
    goal = _to(state, state.scene.plus(thing))
    return Edit("add", phrase(rng, "add", split, a=a, where=place), text, goal, thing)


USUAL_COLOUR = {
    "ball": "red", "box": "brown", "cone": "orange", "star": "yellow", "heart": "red", "house": "white",
    "tree": "green", "car": "red", "flower": "pink", "mushroom": "red", "balloon": "red", "kite": "red",
}  # fmt: skip


def replace_thing(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    if not state.scene.things:
        return None
    thing = rng.choice(state.scene.things)
    kinds = SKY_KINDS if is_sky_kind(thing.kind) else GROUND_KINDS
    kind = rng.choice([other for other in kinds if other != thing.kind])
    said_colour = kind not in FIXED_COLOUR and rng.random() < 0.6
    colour = (
        rng.choice(tuple(COLOURS)) if said_colour else FIXED_COLOUR.get(kind, USUAL_COLOUR.get(kind, "red"))
    )
    new = new_thing(kind, colour, thing.cell, size=thing.size)
    new = replace(new, jitter=thing.jitter)
    a = article(f"{say(rng, colour)} {say(rng, kind)}" if said_colour else say(rng, kind))
    it = refer(rng, state.scene, thing)
    text = f"The {describe(thing)} {where(thing.cell)} becomes a {describe(new)}. {stays(state.scene, thing)}"
    goal = _to(state, state.scene.swapped(thing, new))
    return Edit("replace", phrase(rng, "replace", split, it=it, a=a), text, goal, new)


def resize_it(state: State, thing: Thing, step: int, instruction: str) -> Edit | None:
    """Grow (+1) or shrink (-1) by one size; None at the end of the scale."""
    assert state.scene
    sizes = list(SIZES)
    index = sizes.index(thing.size) + step
    if not 0 <= index < len(sizes):
        return None
    new = replace(thing, size=sizes[index])
    verb = "grows" if step > 0 else "shrinks"
    text = (
        f"The {describe(thing)} {where(thing.cell)} {verb} from {thing.size} to {new.size}. "
        f"{stays(state.scene, thing)}"
    )
    return Edit("resize", instruction, text, _to(state, state.scene.swapped(thing, new)), new)


def resize(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    if not state.scene.things:
        return None
    thing = rng.choice(state.scene.things)
    step = {"small": 1, "large": -1}.get(thing.size, rng.choice((-1, 1)))
    it = refer(rng, state.scene, thing)
    kind = "grow" if step > 0 else "shrink"
    return resize_it(state, thing, step, phrase(rng, kind, split, it=it, name=it.removeprefix("the ")))


def move_it(state: State, thing: Thing, cell: Cell, instruction: str) -> Edit:
    assert state.scene
    new = replace(thing, cell=cell, jitter=(0.0, 0.0))
    text = (
        f"The {describe(thing)} moves from {where(thing.cell)} to {where(cell)}. {stays(state.scene, thing)}"
    )
    return Edit("move", instruction, text, _to(state, state.scene.swapped(thing, new)), new)


def move(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    movable = [t for t in state.scene.things if any(state.scene.at(c) is None for c in _reachable(t))]
    if not movable:
        return None
    thing = rng.choice(movable)
    cell = rng.choice([c for c in _reachable(thing) if state.scene.at(c) is None])
    ways = [where(cell)]
    if cell.row == thing.cell.row:
        step = cell.column - thing.cell.column
        if abs(step) == 1:
            ways += [f"to the {'right' if step > 0 else 'left'}"] * 4
        ways.append(f"to the {COLUMN_WORDS[cell.column].removeprefix('on the ')}")
    elif cell.column == thing.cell.column:
        ways += ["to the front" if cell.row > thing.cell.row else "to the back"] * 3
    words = phrase(rng, "move", split, it=refer(rng, state.scene, thing), to=rng.choice(ways))
    return move_it(state, thing, cell, words)


def _reachable(thing: Thing) -> list[Cell]:
    return [Cell(row, column) for row in home_rows(thing.kind) for column in range(COLUMNS)]


def background(rng: Random, state: State, split: Split) -> Edit | None:
    makers = (_ground, _sky, _time, _weather, _winter, _cosy)
    return rng.choices(makers, (3, 3, 3, 3, 0.6, 0.6))[0](rng, state, split)


def _ground(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    old, new = state.scene.ground, rng.choice([g for g in GROUNDS if g != state.scene.ground])
    text = f"The ground turns from {old} to {new}. {_all_stay(state.scene)}"
    goal = _to(state, replace(state.scene, ground=new))
    return Edit("background", phrase(rng, "ground", split, ground=rng.choice(GROUND_WORDS[new])), text, goal)


GROUND_WORDS = {
    "grass": ("grass", "grass", "a meadow"), "sand": ("sand", "sand", "a beach", "desert sand"),
    "snow": ("snow", "snow", "snowy ground"), "stone": ("stone", "stone", "rock", "concrete"),
    "water": ("water", "water", "a lake", "the sea"),
}  # fmt: skip
TIME_WORDS = {
    "day": ("day", "daytime", "noon"), "sunset": ("sunset", "evening", "dusk"),
    "night": ("night", "night", "nighttime", "midnight"),
}  # fmt: skip
WEATHER_WORDS = {"fog": ("foggy", "fog"), "rain": ("rainy", "rain"), "snow": ("snowy", "snow")}


def _all_stay(scene: Scene) -> str:
    count = len(scene.things)
    return "Everything else stays." if not count else f"The {scene.things[0].kind} and everything else stays."


def _sky(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    old, new = state.scene.sky, rng.choice([c for c in SKY_COLOURS if c != state.scene.sky])
    text = f"The sky turns from {old} to {new}. {_all_stay(state.scene)}"
    goal = _to(state, replace(state.scene, sky=new))
    return Edit("background", phrase(rng, "sky", split, colour=say(rng, new)), text, goal, None, new)


def _time(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    old, new = state.scene.time, rng.choice([t for t in TIME_WORDS if t != state.scene.time])
    text = f"The light changes from {old} to {new}. {_all_stay(state.scene)}"
    goal = _to(state, replace(state.scene, time=new))
    return Edit("background", phrase(rng, "time", split, time=rng.choice(TIME_WORDS[new])), text, goal)


def _weather(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    old = state.scene.weather
    new = rng.choice([w for w in WEATHERS if w != old])
    adjective, noun = WEATHER_WORDS[old if new == "clear" else new]
    kind = "clear" if new == "clear" else "weather"
    text = f"The weather changes from {old} to {new}. {_all_stay(state.scene)}"
    words = phrase(rng, kind, split, weather=adjective, weather_noun=noun)
    return Edit("background", words, text, _to(state, replace(state.scene, weather=new)))


def _winter(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    text = f"The ground turns from {state.scene.ground} to snow and snow falls. {_all_stay(state.scene)}"
    goal = _to(state, replace(state.scene, ground="snow", weather="snow"))
    return Edit("background", phrase(rng, "winter", split), text, goal) if goal != state else None


def _cosy(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    text = f"The light changes from {state.scene.time} to sunset and the sky turns orange. {_all_stay(state.scene)}"
    goal = _to(state, replace(state.scene, time="sunset", sky="orange"))
    return Edit("background", phrase(rng, "cosy", split), text, goal) if goal != state else None


def several(rng: Random, state: State, split: Split) -> Edit | None:
    """One wish for all things of a kind: recolour or remove them."""
    assert state.scene
    kinds = {t.kind for t in state.scene.things if t.kind not in FIXED_COLOUR}
    groups = [[t for t in state.scene.things if t.kind == kind] for kind in sorted(kinds)]
    groups = [group for group in groups if len(group) > 1]
    if not groups:
        return None
    group = rng.choice(groups)
    kind = group[0].kind
    name = say(rng, kind)
    if rng.random() < 0.3:
        text = f"All {len(group)} {plural(kind)} are removed. Everything else stays."
        words = phrase(rng, "remove all", split, name=name, names=plural(name))
        return Edit("remove", words, text, _to(state, state.scene.without(*group)))
    colour = rng.choice(tuple(COLOURS))
    scene = state.scene
    for thing in group:
        scene = scene.swapped(thing, replace(thing, colour=colour))
    text = f"All {len(group)} {plural(kind)} turn {colour}. Everything else stays."
    words = phrase(rng, "all", split, name=name, names=plural(name), colour=say(rng, colour))
    return Edit("recolour", words, text, _to(state, scene), None, colour)


def ambiguous(rng: Random, state: State, split: Split) -> Edit | None:
    """Wishes whose meaning only the picture tells: the odd one out, two that should match."""
    assert state.scene
    by_kind: dict[str, list[Thing]] = {}
    for thing in state.scene.things:
        if thing.kind not in FIXED_COLOUR:
            by_kind.setdefault(thing.kind, []).append(thing)
    for kind in sorted(by_kind):
        group = sorted(by_kind[kind], key=lambda t: (t.cell.column, t.cell.row))
        if len(group) == 2 and group[0].colour != group[1].colour:
            left, right = group
            words = phrase(rng, "match", split, names=plural(say(rng, kind)))
            edit = recolour_to(rng, state, right, left.colour, words)
            return replace(edit, kind="ambiguous")
        odd = _odd_one(group)
        if odd:
            colour = next(t.colour for t in group if t.colour != odd.colour)
            return replace(recolour_to(rng, state, odd, colour, phrase(rng, "odd", split)), kind="ambiguous")
    return None


def _odd_one(group: list[Thing]) -> Thing | None:
    if len(group) < 3:
        return None
    lonely = [t for t in group if sum(o.colour == t.colour for o in group) == 1]
    return lonely[0] if len(lonely) == 1 and len({t.colour for t in group}) == 2 else None


SCENE_EDITS: tuple[tuple[Maker, float], ...] = (
    (recolour, 26), (recolour_part, 7), (remove, 15), (add, 14), (replace_thing, 11), (resize, 8), (move, 8),
    (background, 10), (several, 4), (ambiguous, 5),
)  # fmt: skip

assert set(SYNONYMS) <= {*COLOURS, *SIZES, *GROUND_KINDS, *SKY_KINDS, "striped", "spotted"}
