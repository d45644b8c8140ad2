"""Instructions that are corrected: to another instruction, act, place, size or thing, twice, or to none."""

import re
from dataclasses import replace
from random import Random

from mgie_engine.lab.scenes.compound_edits import act_on
from mgie_engine.lab.scenes.drawing import fits
from mgie_engine.lab.scenes.edit_generators import (
    add,
    aside_words,
    move,
    move_ways,
    other_colour,
    recolour,
    recolour_part,
    remove,
    replace_thing,
    resize,
)
from mgie_engine.lab.scenes.expressive_text import AS_ASKED
from mgie_engine.lab.scenes.phrasing import dress, dress_without_rest, fill, table, without_end_mark
from mgie_engine.lab.scenes.references import REGIONS, first_free, home_rows, refer, region, region_words
from mgie_engine.lab.scenes.rng import RngStreams, weighted
from mgie_engine.lab.scenes.scene import GROUND_KINDS, SIZES, SKY_KINDS, in_place_of, is_sky_kind, new_object
from mgie_engine.lab.scenes.scene_edits import (
    Edit,
    EditGenerator,
    State,
    add_it,
    move_aside,
    move_it,
    replace_by,
    resize_to,
)
from mgie_engine.lab.scenes.slip_edits import drawn_slip, imperative
from mgie_engine.lab.scenes.surroundings import background
from mgie_engine.lab.scenes.tonal import tonal

ACTS = ("recolour", "recolour", "remove", "grow", "shrink")
_ANY: tuple[tuple[EditGenerator, float], ...] = (
    (recolour, 8), (remove, 6), (resize, 4), (replace_thing, 3), (add, 4), (move, 4), (recolour_part, 1),
    (background, 5), (tonal, 3),
)  # fmt: skip
_ARTICLES = ("a ", "an ", "two ", "2 ")
_A_VERB = re.compile(
    r"\b(would|could|should|can|may|must|has|needs|is|looks|goes|takes|belongs|stands|instead)\b"
)


def revised(streams: RngStreams, state: State) -> Edit | None:
    """An instruction with its correction; None where it does not fit the picture."""
    if not state.drawn.objects:
        return None
    return weighted(streams.content, _WAYS)(streams, state)


def said(streams: RngStreams, kind: str, **known: str) -> str:
    """One phrasing of a kind of revised.toml; what stands at its ends is kept."""
    way = streams.template(kind, "revised")
    for name, value in known.items():
        way = way.replace(f"{{{name}}}", value)
    return way


def _any_edit(streams: RngStreams, state: State) -> Edit | None:
    edit = weighted(streams.content, _ANY)(streams.bare(), state)
    return None if edit is None or edit.kind in ("refuse", "nothing") else edit


def _start_over(streams: RngStreams, state: State) -> Edit | None:
    if streams.content.random() < 0.2:
        one, two = (background(streams.bare(), state) for _ in range(2))
    else:
        one, two = (_any_edit(streams, state) for _ in range(2))
    if one is None or two is None or two.kind in ("nothing", "tonal") or one.expressive == two.expressive:
        return None
    words = said(streams, "start_over", one=without_end_mark(one.instruction), two=_alone(two))
    return replace(two, instruction=dress(streams.wording, words))


def _alone(edit: Edit) -> str:
    """Its instruction, never a thing alone, which would be taken for the object of what was said before."""
    words = without_end_mark(edit.instruction)
    verb = "add" if edit.kind == "add" else "I want"
    return f"{verb} {words}" if words.startswith(_ARTICLES) and not _A_VERB.search(words) else words


def _called_off(streams: RngStreams, state: State) -> Edit | None:
    one = _any_edit(streams, state)
    if one is None:
        return None
    words = dress_without_rest(
        streams.wording, said(streams, "called_off", one=without_end_mark(one.instruction))
    )
    return Edit("nothing", words, AS_ASKED, state)


def _another_act(streams: RngStreams, state: State) -> Edit | None:
    """The act, or the thing and the act, are taken back."""
    content, wording, objects = streams.content, streams.wording, state.drawn.objects
    obj, act = content.choice(objects), content.choice(ACTS)
    wrong_act = content.choice([other for other in ACTS if other != act])
    colour = other_colour(content, obj.colour)
    both = content.random() < 0.35 and len(objects) > 1
    wrong = content.choice([other for other in objects if other is not obj]) if both else obj
    edit = act_on(state, obj, act, colour)
    if edit is None:
        return None
    colours = streams.target_colour(colour), streams.target_colour(other_colour(wording, colour))
    known = {
        "one": imperative(streams, wrong_act, refer(wording, state.drawn, wrong).it, colours[1]),
        "two": imperative(streams, act, "it", colours[0]),
        "it": refer(wording, state.drawn, obj).it,
        "not": wording.choice(table("revised")["verbs"][wrong_act]),
    }
    words = said(streams, "thing_and_act" if both else "act_slips", **known)
    return replace(edit, instruction=dress(wording, words))


def _another_place(streams: RngStreams, state: State) -> Edit | None:
    content, wording = streams.content, streams.wording
    obj = content.choice(state.drawn.objects)
    it = refer(wording, state.drawn, obj, by_neighbour=False).it
    if content.random() < 0.5:
        step = content.choice((-1, 1))
        to = f"{aside_words(wording, -step)}{drawn_slip(streams)}{aside_words(wording, step)}"
        edit = move_aside(state, obj, step, "")
        if edit.kind == "refuse":
            return None
    else:
        ways = move_ways(streams, state.drawn, obj)
        if len({cell for cell, _ in ways}) < 2:
            return None
        cell, right = content.choice(ways)
        _, wrong = content.choice([way for way in ways if way[0] != cell])
        to, edit = f"{wrong}{drawn_slip(streams)}{right}", move_it(state, obj, cell, "")
    return replace(edit, instruction=dress(wording, streams.bare().phrase("move", it=it, to=to)))


def _another_size(streams: RngStreams, state: State) -> Edit | None:
    obj = streams.content.choice(state.drawn.objects)
    size = streams.content.choice([size for size in SIZES if size != obj.size])
    wrong = streams.content.choice([other for other in SIZES if other != size])
    sizes = f"{streams.say(wrong)}{drawn_slip(streams)}{streams.say(size)}"
    it = refer(streams.wording, state.drawn, obj).it
    return resize_to(
        state, obj, size, dress(streams.wording, streams.bare().phrase("size", it=it, size=sizes))
    )


def _another_new_thing(streams: RngStreams, state: State) -> Edit | None:
    """What is added is of another kind, of another colour or at another place than said first."""
    content, wording, usual = streams.content, streams.wording, table("words")["usual"]
    kind = content.choice(GROUND_KINDS + SKY_KINDS)
    way = content.choice(("kind", "colour", "place"))
    places = content.sample(REGIONS[:3] if is_sky_kind(kind) else REGIONS, 2) if way == "place" else ["", ""]
    cell = first_free(state.drawn, region(places[1], home_rows(kind)))
    if cell is None:
        return None
    colour = content.choice(tuple(usual.values())) if way == "colour" else usual[kind]
    a, where, between = f"a {streams.say(kind)}", "", drawn_slip(streams)
    if way == "kind":
        other = wording.choice([other for other in GROUND_KINDS if other != kind])
        a = f"a {streams.say(other)}{between}{a}"
    elif way == "colour":
        wrong = streams.target_colour(other_colour(wording, colour))
        a = f"a {wrong}{between}{streams.target_colour(colour)} {streams.say(kind)}"
    else:
        where = f" {region_words(wording, places[0])}{between}{region_words(wording, places[1])}"
    words = streams.bare().phrase("add", a=fill(a), where=where)
    return add_it(state, (new_object(kind, colour, cell),), dress(wording, words))


def _another_replacement(streams: RngStreams, state: State) -> Edit | None:
    content, wording = streams.content, streams.wording
    obj = content.choice(state.drawn.objects)
    kinds = [kind for kind in (SKY_KINDS if is_sky_kind(obj.kind) else GROUND_KINDS) if kind != obj.kind]
    wrong, kind = content.sample(kinds, 2)
    new = in_place_of(obj, kind, table("words")["usual"][kind])
    if not fits(state.drawn.swapped(obj, new)):
        return None
    edit = replace_by(state, obj, new, "")
    it, between = refer(wording, state.drawn, obj).it, drawn_slip(streams)
    a = fill(f"a {streams.say(wrong)}{between}a {streams.say(kind)}")
    return replace(edit, instruction=dress(wording, streams.bare().phrase("replace", it=it, a=a)))


def _twice(streams: RngStreams, state: State) -> Edit | None:
    """Two slips: of the colour, of the thing, or of one and the other."""
    content, wording, objects = streams.content, streams.wording, state.drawn.objects
    obj, act = content.choice(objects), content.choice(ACTS)
    way = content.choice(("colours", "things", "both"))
    others = [other for other in objects if other is not obj]
    act = "recolour" if way != "things" else act
    colour = other_colour(content, obj.colour)
    edit = act_on(state, obj, act, colour)
    if edit is None or len(others) < {"colours": 0, "things": 2, "both": 1}[way]:
        return None
    right = streams.target_colour(colour)
    wrong = [streams.target_colour(c) for c in _two_colours(wording, colour)]
    it, between = (
        refer(wording, state.drawn, obj).it,
        [drawn_slip(streams) for _ in range(2)],
    )
    if way == "colours":
        colours = f"{wrong[0]}{between[0]}{wrong[1]}{between[1]}{right}"
        words = streams.bare().phrase("recolour", it=it, colour=colours)
    else:
        its = [refer(wording, state.drawn, other).it for other in wording.sample(others, min(2, len(others)))]
        first = imperative(streams, act, its[0], wrong[0] if way == "both" else right)
        second = its[-1] if way == "things" else right
        words = f"{first}{between[0]}{second}{between[1]}{it}"
    return replace(edit, instruction=dress(wording, words))


def _two_colours(rng: Random, taken: str) -> list[str]:
    first = other_colour(rng, taken)
    return [first, other_colour(rng, taken, first)]


_WAYS: tuple[tuple[EditGenerator, float], ...] = (
    (_start_over, 5), (_called_off, 1.5), (_another_act, 4), (_another_place, 2.5), (_another_size, 1),
    (_another_new_thing, 2), (_another_replacement, 1), (_twice, 2.5),
)  # fmt: skip
