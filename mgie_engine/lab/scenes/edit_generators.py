"""Edits of drawn things drawn at random, in the words of people; each maker takes a state.

A maker gives None where it does not fit the picture.
"""

from dataclasses import replace
from random import Random

from mgie_engine.lab.scenes.drawing import fits
from mgie_engine.lab.scenes.expressive_text import COLUMN_WORDS, Split, counted, describe, stays, where
from mgie_engine.lab.scenes.phrasing import dressed, fill, like, phrase, plural, say, table, wished_colour
from mgie_engine.lab.scenes.references import (  # fmt: skip
    REGIONS,
    Reference,
    beside,
    first_free,
    home_rows,
    other_than,
    place_words,
    refer,
    region,
    region_words,
    towards,
)
from mgie_engine.lab.scenes.rng import Dice
from mgie_engine.lab.scenes.scene import (  # fmt: skip
    BACK,
    COLOURS,
    COLUMNS,
    FRONT,
    GROUND_KINDS,
    NATURAL_COLOUR,
    PART_OF,
    SIZES,
    SKY_KINDS,
    Cell,
    Scene,
    Thing,
    in_place_of,
    is_sky_kind,
    new_thing,
)
from mgie_engine.lab.scenes.scene_edits import (  # fmt: skip
    Edit,
    State,
    add_it,
    move_aside,
    move_it,
    recolour_part_to,
    recolour_to,
    remove_it,
    replace_by,
    resize_it,
    resize_to,
    to,
)


def other_colour(rng: Random, *taken: str) -> str:
    """Any colour but these."""
    return rng.choice([colour for colour in COLOURS if colour not in taken])


def recolour(dice: Dice, state: State, split: Split) -> Edit | None:
    """Another colour for one thing; now and then the one it has."""
    assert state.scene
    things = state.scene.things
    if not things:
        return None
    thing, how = dice.what.choice(things), dice.how
    colour = thing.colour if dice.what.random() < 0.03 else other_colour(dice.what, thing.colour)
    at = refer(how, state.scene, thing)
    said = wished_colour(how, colour)
    known = {"colour": said, "old": say(how, thing.colour), "like": like(how, colour)}
    words = phrase(how, "recolour", split, **_told(how, state.scene, thing, at), **known)
    return recolour_to(state, thing, colour, words)


def _told(rng: Random, scene: Scene, thing: Thing, at: Reference) -> dict[str, str | None]:
    """What phrasings may say of a thing: how it is told, its name and that of many, and something else."""
    names = at.name and plural(at.name)
    return {"it": at.it, "name": at.name, "names": names, "other": other_than(rng, scene, thing)}


def recolour_part(dice: Dice, state: State, split: Split) -> Edit | None:
    """Another colour for the roof or the door of a house."""
    assert state.scene
    things = [thing for thing in state.scene.things if thing.parts]
    if not things:
        return None
    thing, how = dice.what.choice(things), dice.how
    part = dice.what.choice(PART_OF[thing.kind])
    colour = other_colour(dice.what, thing.part(part))
    said = wished_colour(how, colour)
    if how.random() < 0.25:
        whole = refer(how, state.scene, thing).it
        words = phrase(how, "part", split, whole=whole, part=say(how, part), colour=said)
    else:
        at = refer_part(how, state.scene, thing, part)
        words = phrase(how, "recolour", split, it=at.it, name=at.name, colour=said)
    return recolour_part_to(state, thing, part, colour, words)


def refer_part(rng: Random, scene: Scene, thing: Thing, part: str) -> Reference:
    """Words that single out a part of a thing."""
    name, whole = say(rng, part), refer(rng, scene, thing)
    owners = [other for other in scene.things if part in dict(other.parts)]
    if len(owners) == 1 and rng.random() < 0.7:
        return Reference(f"the {name}", name)
    alike = [other for other in owners if other.part(part) == thing.part(part)]
    if len(alike) == 1 and rng.random() < 0.3:
        return Reference(f"the {say(rng, thing.part(part))} {name}", None)
    if whole.name and rng.random() < 0.3:
        return Reference(f"the {whole.name}'s {name}", None)
    return Reference(f"the {name} of {whole.it}", None)


def remove(dice: Dice, state: State, split: Split) -> Edit | None:
    """One thing goes."""
    assert state.scene
    if not state.scene.things:
        return None
    thing = dice.what.choice(state.scene.things)
    at = refer(dice.how, state.scene, thing)
    told = _told(dice.how, state.scene, thing, at)
    return remove_it(state, thing, phrase(dice.how, "remove", split, **told))


def add(dice: Dice, state: State, split: Split) -> Edit | None:
    """A new thing in a free place: the one named, the first of a region, or the first of all."""
    assert state.scene
    what, how = dice.what, dice.how
    kind = what.choice(GROUND_KINDS + SKY_KINDS)
    usual: str = table("words")["usual"][kind]
    free_to_choose = what.random() < (0.15 if kind in NATURAL_COLOUR else 0.85)
    colour = what.choice(tuple(COLOURS)) if free_to_choose else usual
    said_colour = wished_colour(how, colour) if free_to_choose else ""
    if what.random() < 0.06:
        return _add_two(how, state, split, kind, (colour, said_colour))
    size = what.choice(("small", "large")) if what.random() < 0.25 else "medium"
    said_size = say(how, size) if size != "medium" else ""
    cell, place = _place(dice, state.scene, kind)
    if cell is None:
        return None
    name = say(how, kind)
    a = fill(f"a {dressed(how, said_size)} {said_colour} {name}")
    apart = {"name": name, "colour": said_colour} if said_colour and not said_size else {}
    new = new_thing(kind, colour, cell, size=size)
    known = {"other": other_than(how, state.scene, new), **apart}
    words = phrase(how, "add", split, a=a, where=f" {place}", **known)
    return add_it(state, (new,), words)


def _add_two(how: Random, state: State, split: Split, kind: str, colour: tuple[str, str]) -> Edit | None:
    assert state.scene
    cells = [cell for cell in region("", home_rows(kind)) if state.scene.at(cell) is None][:2]
    if len(cells) < 2:
        return None
    names = fill(f"{colour[1]} {plural(say(how, kind))}")
    things = tuple(new_thing(kind, colour[0], cell) for cell in cells)
    return add_it(state, things, phrase(how, "add_two", split, names=names))


def _place(dice: Dice, scene: Scene, kind: str) -> tuple[Cell | None, str]:
    """A place for a new thing of a kind and the words for it, which may be none."""
    rows, way = home_rows(kind), dice.what.random()
    if way < 0.35:
        return first_free(scene, region("", rows)), "in the sky" if is_sky_kind(kind) and way < 0.15 else ""
    if way < 0.65:
        name = dice.what.choice(REGIONS[:3] if is_sky_kind(kind) else REGIONS)
        return first_free(scene, region(name, rows)), region_words(dice.how, name)
    near = [t for t in scene.things if len(scene.of(t.kind)) == 1 and t.cell.row in rows]
    if way < 0.75 and near:
        thing, beside_it = dice.what.choice(near), dice.how.choice(("next to", "beside", "near", "by"))
        words = f"{beside_it} the {say(dice.how, thing.kind)}"
        return first_free(scene, beside(scene, thing)), words
    free = [cell for cell in region("", rows) if scene.at(cell) is None]
    cell = dice.what.choice(free) if free else None
    return cell, place_words(dice.how, scene, cell) if cell else ""


def replace_thing(dice: Dice, state: State, split: Split) -> Edit | None:
    """Something else in the place of a thing; it keeps the size."""
    assert state.scene
    if not state.scene.things:
        return None
    what, how = dice.what, dice.how
    thing = what.choice(state.scene.things)
    kinds = SKY_KINDS if is_sky_kind(thing.kind) else GROUND_KINDS
    kind = what.choice([other for other in kinds if other != thing.kind])
    said_colour = what.random() < (0.15 if kind in NATURAL_COLOUR else 0.6)
    colour = what.choice(tuple(COLOURS)) if said_colour else table("words")["usual"][kind]
    new = in_place_of(thing, kind, colour)
    if not fits(state.scene.swapped(thing, new)):
        return None
    told = _told(how, state.scene, thing, refer(how, state.scene, thing))
    words = phrase(how, "replace", split, **told, **new_words(how, new, said_colour))
    return replace_by(state, thing, new, words)


def new_words(rng: Random, new: Thing, colour_said: bool) -> dict[str, str]:
    """What phrasings may say of a thing that is wished for, its colour with it or apart from it."""
    name = say(rng, new.kind)
    if not colour_said:
        return {"a": fill(f"a {dressed(rng, '')} {name}")}
    colour = wished_colour(rng, new.colour)
    return {"a": fill(f"a {dressed(rng, colour)} {name}"), "new": name, "colour": colour}


def resize(dice: Dice, state: State, split: Split) -> Edit | None:
    """Bigger or smaller by one size, or a size by name."""
    assert state.scene
    if not state.scene.things:
        return None
    what, how = dice.what, dice.how
    thing = what.choice(state.scene.things)
    told = _told(how, state.scene, thing, refer(how, state.scene, thing))
    if what.random() < 0.08 and (model := _of_another_size(what, state.scene, thing)):
        words = phrase(how, "size_like", split, it=told["it"], other=f"the {say(how, model.kind)}")
        return resize_to(state, thing, model.size, words)
    if what.random() < 0.2:
        size = what.choice([size for size in SIZES if size != thing.size])
        words = phrase(how, "size", split, **told, size=say(how, size))
        return resize_to(state, thing, size, words)
    step = {"small": 1, "large": -1}.get(thing.size, what.choice((-1, 1)))
    step = -step if what.random() < 0.08 else step
    return resize_it(state, thing, step, phrase(how, "grow" if step > 0 else "shrink", split, **told))


def _of_another_size(what: Random, scene: Scene, thing: Thing) -> Thing | None:
    """Something alone of its kind that is bigger or smaller than `thing`."""
    others = [t for t in scene.things if len(scene.of(t.kind)) == 1 and t.size != thing.size]
    return what.choice(others) if others else None


def move(dice: Dice, state: State, split: Split) -> Edit | None:
    """A step aside, to the front or the back, to a named place, or next to something."""
    assert state.scene
    if not state.scene.things:
        return None
    what, how = dice.what, dice.how
    if what.random() < 0.08:
        return swap_places(dice, state, split)
    thing = what.choice(state.scene.things)
    told = _told(how, state.scene, thing, refer(how, state.scene, thing, by_neighbour=False))
    if what.random() < 0.4:
        step = what.choice((-1, 1))
        no_room = first_free(state.scene, towards(thing, step)) is None
        step = -step if no_room and what.random() < 0.8 else step
        words = phrase(how, "move", split, **told, to=aside_words(how, step))
        return move_aside(state, thing, step, words)
    ways = _ways(dice, state.scene, thing)
    if not ways:
        return None
    cell, words = what.choice(ways)
    words = dice.anew(words, [others for there_too, others in ways if there_too == cell])
    return move_it(state, thing, cell, phrase(how, "move", split, **told, to=words))


def swap_places(dice: Dice, state: State, split: Split) -> Edit | None:
    """Two things trade their places; both are at home in either."""
    assert state.scene
    things = [thing for thing in state.scene.things if len(state.scene.of(thing.kind)) == 1]
    one = dice.what.choice(things) if things else None
    others = [t for t in things if one and t is not one and is_sky_kind(t.kind) == is_sky_kind(one.kind)]
    if one is None or not others:
        return None
    other = dice.what.choice(others)
    it, its_other = (f"the {say(dice.how, thing.kind)}" for thing in (one, other))
    words = phrase(dice.how, "swap_places", split, it=it, other=its_other)
    there_now = (
        replace(one, cell=other.cell, jitter=(0.0, 0.0)),
        replace(other, cell=one.cell, jitter=(0.0, 0.0)),
    )
    scene = state.scene.swapped(one, there_now[0]).swapped(other, there_now[1])
    text = " ".join(
        f"The {describe(thing)} moves from {where(thing.cell)} to {where(new.cell)}."
        for thing, new in zip((one, other), there_now, strict=True)
    )
    return Edit("move", words, text, to(state, scene))


def aside_words(rng: Random, step: int) -> str:
    """Words for one step to a side."""
    side = "right" if step > 0 else "left"
    to_the = f"to the {side}"
    ways = (
        to_the,
        to_the,
        to_the,
        f"a bit {to_the}",
        side,
        side,
        f"one {to_the}",
        f"{side}wards",
        f"{side} a bit",
        f"{rng.choice(('one step', 'a step', 'one place', 'one spot'))} {rng.choice((side, to_the))}",
        f"{rng.choice(('further', 'over', 'a little', 'a little more', 'farther'))} {to_the}",
        "➡️" if step > 0 else "⬅️",
    )
    return rng.choice(ways)


def depth_words(rng: Random, row: int) -> str:
    """Words for a step to the front or to the back."""
    words: str = rng.choice(table("words")["depth"]["front" if row == FRONT else "back"])
    return words


def _ways(dice: Dice, scene: Scene, thing: Thing) -> list[tuple[Cell, str]]:
    """Free places to move to, and what to call each; which, and how often each, hangs on no words."""
    what, how = dice.what, dice.how
    row, column = thing.cell.row, thing.cell.column
    ways = [(Cell(row, end), f"to the {COLUMN_WORDS[end].removeprefix('on the ')}") for end in (0, 3)]
    for near in scene.things:
        if near is not thing and len(scene.of(near.kind)) == 1 and near.cell.row in home_rows(thing.kind):
            name = say(how, near.kind)
            spot = first_free(scene, beside(scene, near))
            ways += [(spot, f"next to the {name}")] if spot and spot.row == near.cell.row else []
            for step, side in ((1, "right"), (-1, "left")):
                spot = Cell(near.cell.row, near.cell.column + step)
                ways += [(spot, f"to the {side} of the {name}")] if 0 <= spot.column < COLUMNS else []
    if row == BACK:
        ways += [(Cell(FRONT, column), depth_words(how, FRONT))] * 3
    if row == FRONT:
        ways += [(Cell(BACK, column), depth_words(how, BACK))] * 3
    anywhere = [cell for cell in region("", home_rows(thing.kind)) if scene.at(cell) is None]
    rest = scene.without(*scene.of(thing.kind))  # nothing moves to its own right
    ways += [(cell, place_words(how, rest, cell)) for cell in what.sample(anywhere, min(2, len(anywhere)))]
    return [(cell, words) for cell, words in ways if scene.at(cell) is None]


def several(dice: Dice, state: State, split: Split) -> Edit | None:
    """One wish for all things of a kind: recolour or remove them."""
    assert state.scene
    kinds = sorted({thing.kind for thing in state.scene.things})
    groups = [group for kind in kinds if len(group := state.scene.of(kind)) > 1]
    if not groups:
        return None
    what, how = dice.what, dice.how
    group = what.choice(groups)
    name = say(how, group[0].kind)
    who, rest = counted(group, plural(group[0].kind)), stays(state.scene, *group)
    if what.random() < 0.3:
        words = phrase(how, "remove_all", split, name=name, names=plural(name))
        return Edit("remove", words, f"{who} are removed. {rest}", to(state, state.scene.without(*group)))
    colour = other_colour(what, *{thing.colour for thing in group})
    scene = state.scene
    for thing in group:
        scene = scene.swapped(thing, replace(thing, colour=colour))
    said = wished_colour(how, colour)
    words = phrase(how, "all", split, name=name, names=plural(name), colour=said)
    return Edit("recolour", words, f"{who} turn {colour}. {rest}", to(state, scene), None, colour)
