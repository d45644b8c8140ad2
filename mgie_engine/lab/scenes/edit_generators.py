"""Random edits of scene objects with instructions as people type them; each generator takes a state.

A generator returns None if it does not fit the picture.
"""

from dataclasses import replace
from random import Random

from mgie_engine.lab.scenes.drawing import fits
from mgie_engine.lab.scenes.expressive_text import COLUMN_WORDS, describe, each_or_all, where
from mgie_engine.lab.scenes.phrasing import dressed, fill, like, plural, say, table, target_colour
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
from mgie_engine.lab.scenes.rng import RngStreams
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
    SceneObject,
    in_place_of,
    is_sky_kind,
    new_object,
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


def recolour(streams: RngStreams, state: State) -> Edit | None:
    """Recolour one object; 3 % of the time to the colour it already has."""
    objects = state.drawn.objects
    if not objects:
        return None
    obj = streams.content.choice(objects)
    colour = obj.colour if streams.content.random() < 0.03 else other_colour(streams.content, obj.colour)
    at = refer(streams.wording, state.drawn, obj)
    said = streams.target_colour(colour)
    known = {"colour": said, "old": streams.say(obj.colour), "like": like(streams.wording, colour)}
    words = streams.phrase("recolour", **_template_fields(streams, state, obj, at), **known)
    return recolour_to(state, obj, colour, words)


def _template_fields(
    streams: RngStreams, state: State, obj: SceneObject, at: Reference | None = None
) -> dict[str, str | None]:
    """The template fields of an object: reference, name, plural, and another object."""
    at = at or refer(streams.wording, state.drawn, obj)
    other = other_than(streams.wording, state.drawn, obj)
    return {"it": at.it, "name": at.name, "names": at.name and plural(at.name), "other": other}


def recolour_part(streams: RngStreams, state: State) -> Edit | None:
    """Recolour the roof or the door of a house."""
    objects = [obj for obj in state.drawn.objects if obj.parts]
    if not objects:
        return None
    obj = streams.content.choice(objects)
    part = streams.content.choice(PART_OF[obj.kind])
    colour = other_colour(streams.content, obj.part(part))
    said = streams.target_colour(colour)
    if streams.wording.random() < 0.25:
        whole = refer(streams.wording, state.drawn, obj).it
        words = streams.phrase("part", whole=whole, part=streams.say(part), colour=said)
    else:
        at = refer_part(streams.wording, state.drawn, obj, part)
        words = streams.phrase("recolour", it=at.it, name=at.name, colour=said)
    return recolour_part_to(state, obj, part, colour, words)


def refer_part(rng: Random, scene: Scene, obj: SceneObject, part: str) -> Reference:
    """Words that identify a part of an object."""
    name, whole = say(rng, part), refer(rng, scene, obj)
    owners = [other for other in scene.objects if part in dict(other.parts)]
    if len(owners) == 1 and rng.random() < 0.7:
        return Reference(f"the {name}", name)
    alike = [other for other in owners if other.part(part) == obj.part(part)]
    if len(alike) == 1 and rng.random() < 0.3:
        return Reference(f"the {say(rng, obj.part(part))} {name}", None)
    if whole.name and rng.random() < 0.3:
        return Reference(f"the {whole.name}'s {name}", None)
    return Reference(f"the {name} of {whole.it}", None)


def remove(streams: RngStreams, state: State) -> Edit | None:
    """Remove one object."""
    if not state.drawn.objects:
        return None
    obj = streams.content.choice(state.drawn.objects)
    return remove_it(state, obj, streams.phrase("remove", **_template_fields(streams, state, obj)))


def add(streams: RngStreams, state: State) -> Edit | None:
    """Add an object in a free cell: the named one, the first of a region, or the first of all."""
    content, wording = streams.content, streams.wording
    kind = content.choice(GROUND_KINDS + SKY_KINDS)
    usual: str = table("words")["usual"][kind]
    free_to_choose = content.random() < (0.15 if kind in NATURAL_COLOUR else 0.85)
    colour = content.choice(tuple(COLOURS)) if free_to_choose else usual
    said_colour = streams.target_colour(colour) if free_to_choose else ""
    if content.random() < 0.06:
        return _add_two(streams, state, kind, (colour, said_colour))
    size = content.choice(("small", "large")) if content.random() < 0.25 else "medium"
    said_size = streams.say(size) if size != "medium" else ""
    cell, place = _place(streams, state.drawn, kind)
    if cell is None:
        return None
    name = streams.say(kind)
    a = fill(f"a {dressed(wording, said_size)} {said_colour} {name}")
    apart = {"name": name, "colour": said_colour} if said_colour and not said_size else {}
    new = new_object(kind, colour, cell, size=size)
    known = {"other": other_than(wording, state.drawn, new), **apart}
    words = streams.phrase("add", a=a, where=f" {place}", **known)
    return add_it(state, (new,), words)


def _add_two(streams: RngStreams, state: State, kind: str, colour: tuple[str, str]) -> Edit | None:
    cells = [cell for cell in region("", home_rows(kind)) if state.drawn.at(cell) is None][:2]
    if len(cells) < 2:
        return None
    names = fill(f"{colour[1]} {plural(streams.say(kind))}")
    objects = tuple(new_object(kind, colour[0], cell) for cell in cells)
    return add_it(state, objects, streams.phrase("add_two", names=names))


def _place(streams: RngStreams, scene: Scene, kind: str) -> tuple[Cell | None, str]:
    """A cell for a new object of a kind, and the words for the cell, which may be empty."""
    rows, way = home_rows(kind), streams.content.random()
    if way < 0.35:
        return first_free(scene, region("", rows)), "in the sky" if is_sky_kind(kind) and way < 0.15 else ""
    if way < 0.65:
        name = streams.content.choice(REGIONS[:3] if is_sky_kind(kind) else REGIONS)
        return first_free(scene, region(name, rows)), region_words(streams.wording, name)
    near = [obj for obj in scene.only_ones() if obj.cell.row in rows]
    if way < 0.75 and near:
        obj, beside_it = streams.content.choice(near), ("next to", "beside", "near", "by")
        words = f"{streams.wording.choice(beside_it)} {streams.the(obj)}"
        return first_free(scene, beside(scene, obj)), words
    free = [cell for cell in region("", rows) if scene.at(cell) is None]
    cell = streams.content.choice(free) if free else None
    return cell, place_words(streams.wording, scene, cell) if cell else ""


def replace_thing(streams: RngStreams, state: State) -> Edit | None:
    """Replace an object by one of another kind; the size stays."""
    if not state.drawn.objects:
        return None
    content = streams.content
    obj = content.choice(state.drawn.objects)
    kinds = SKY_KINDS if is_sky_kind(obj.kind) else GROUND_KINDS
    kind = content.choice([other for other in kinds if other != obj.kind])
    said_colour = content.random() < (0.15 if kind in NATURAL_COLOUR else 0.6)
    colour = content.choice(tuple(COLOURS)) if said_colour else table("words")["usual"][kind]
    new = in_place_of(obj, kind, colour)
    if not fits(state.drawn.swapped(obj, new)):
        return None
    fields = _template_fields(streams, state, obj)
    words = streams.phrase("replace", **fields, **new_words(streams.wording, new, said_colour))
    return replace_by(state, obj, new, words)


def new_words(rng: Random, new: SceneObject, colour_said: bool) -> dict[str, str]:
    """The template fields of a new object, with its colour included or separate."""
    name = say(rng, new.kind)
    if not colour_said:
        return {"a": fill(f"a {dressed(rng, '')} {name}")}
    colour = target_colour(rng, new.colour)
    return {"a": fill(f"a {dressed(rng, colour)} {name}"), "new": name, "colour": colour}


def resize(streams: RngStreams, state: State) -> Edit | None:
    """Bigger or smaller by one size, or a size by name."""
    if not state.drawn.objects:
        return None
    content = streams.content
    obj = content.choice(state.drawn.objects)
    fields = _template_fields(streams, state, obj)
    if content.random() < 0.08 and (model := _of_another_size(content, state.drawn, obj)):
        words = streams.phrase("size_like", it=fields["it"], other=streams.the(model))
        return resize_to(state, obj, model.size, words)
    if content.random() < 0.2:
        size = content.choice([size for size in SIZES if size != obj.size])
        words = streams.phrase("size", **fields, size=streams.say(size))
        return resize_to(state, obj, size, words)
    step = {"small": 1, "large": -1}.get(obj.size, content.choice((-1, 1)))
    step = -step if content.random() < 0.08 else step
    return resize_it(state, obj, step, streams.phrase("grow" if step > 0 else "shrink", **fields))


def _of_another_size(content: Random, scene: Scene, obj: SceneObject) -> SceneObject | None:
    """Something alone of its kind that is bigger or smaller than `obj`."""
    others = [other for other in scene.only_ones() if other.size != obj.size]
    return content.choice(others) if others else None


def move(streams: RngStreams, state: State) -> Edit | None:
    """Move an object one step, to the front or back, to a named place, or next to another."""
    if not state.drawn.objects:
        return None
    content, wording = streams.content, streams.wording
    if content.random() < 0.08:
        return swap_places(streams, state)
    obj = content.choice(state.drawn.objects)
    at = refer(wording, state.drawn, obj, by_neighbour=False)
    fields = _template_fields(streams, state, obj, at)
    if content.random() < 0.4:
        step = content.choice((-1, 1))
        no_room = first_free(state.drawn, towards(obj, step)) is None
        step = -step if no_room and content.random() < 0.8 else step
        words = streams.phrase("move", **fields, to=aside_words(wording, step))
        return move_aside(state, obj, step, words)
    ways = move_ways(streams, state.drawn, obj)
    if not ways:
        return None
    cell, words = content.choice(ways)
    words = streams.reworded(words, [others for there_too, others in ways if there_too == cell])
    return move_it(state, obj, cell, streams.phrase("move", **fields, to=words))


def swap_places(streams: RngStreams, state: State) -> Edit | None:
    """Two objects swap places; both kinds may stand in either row."""
    objects = state.drawn.only_ones()
    one = streams.content.choice(objects) if objects else None
    others = [t for t in objects if one and t is not one and is_sky_kind(t.kind) == is_sky_kind(one.kind)]
    if one is None or not others:
        return None
    other = streams.content.choice(others)
    words = streams.phrase("swap_places", it=streams.the(one), other=streams.the(other))
    there_now = one.moved_to(other.cell), other.moved_to(one.cell)
    scene = state.drawn.swapped(one, there_now[0]).swapped(other, there_now[1])
    text = " ".join(
        f"The {describe(obj)} moves from {where(obj.cell)} to {where(new.cell)}."
        for obj, new in zip((one, other), there_now, strict=True)
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


def move_ways(streams: RngStreams, scene: Scene, obj: SceneObject) -> list[tuple[Cell, str]]:
    """Free cells to move to with words for each; the choice draws nothing from the wording stream."""
    content, wording = streams.content, streams.wording
    row, column = obj.cell.row, obj.cell.column
    ways = [(Cell(row, end), f"to the {COLUMN_WORDS[end].removeprefix('on the ')}") for end in (0, 3)]
    for near in scene.only_ones():
        if near is not obj and near.cell.row in home_rows(obj.kind):
            name = streams.say(near.kind)
            spot = first_free(scene, beside(scene, near))
            ways += [(spot, f"next to the {name}")] if spot and spot.row == near.cell.row else []
            for step, side in ((1, "right"), (-1, "left")):
                spot = Cell(near.cell.row, near.cell.column + step)
                ways += [(spot, f"to the {side} of the {name}")] if 0 <= spot.column < COLUMNS else []
    if row == BACK:
        ways += [(Cell(FRONT, column), depth_words(wording, FRONT))] * 3
    if row == FRONT:
        ways += [(Cell(BACK, column), depth_words(wording, BACK))] * 3
    anywhere = [cell for cell in region("", home_rows(obj.kind)) if scene.at(cell) is None]
    rest = scene.without(*scene.of(obj.kind))  # nothing moves to its own right
    ways += [
        (cell, place_words(wording, rest, cell)) for cell in content.sample(anywhere, min(2, len(anywhere)))
    ]
    return [(cell, words) for cell, words in ways if scene.at(cell) is None]


def several(streams: RngStreams, state: State) -> Edit | None:
    """One edit of all objects of a kind: recolour or remove them."""
    every = sorted({obj.kind for obj in state.drawn.objects})
    groups = [group for kind in every if len(group := state.drawn.of(kind)) > 1]
    if not groups:
        return None
    content = streams.content
    group = sorted(content.choice(groups), key=lambda obj: (obj.cell.column, obj.cell.row))
    name, kinds = streams.say(group[0].kind), plural(group[0].kind)
    if content.random() < 0.3:
        words = streams.phrase("remove_all", name=name, names=plural(name))
        text = each_or_all(state.drawn, group, kinds, "is removed", "are removed")
        return Edit("compound", words, text, to(state, state.drawn.without(*group)))
    colour = other_colour(content, *{obj.colour for obj in group})
    scene = state.drawn
    for obj in group:
        scene = scene.swapped(obj, replace(obj, colour=colour))
    said = streams.target_colour(colour)
    words = streams.phrase("all", name=name, names=plural(name), colour=said)
    text = each_or_all(state.drawn, group, kinds, f"turns {colour}", f"turn {colour}")
    return Edit("compound", words, text, to(state, scene), None, colour)
