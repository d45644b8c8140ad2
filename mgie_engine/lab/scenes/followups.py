"""Follow-ups: edits whose words lean on the turn before ("bigger", "the box too", "no, the other one")."""

from collections.abc import Callable
from dataclasses import replace

from mgie_engine.lab.scenes.drawing import fits
from mgie_engine.lab.scenes.edit_generators import (
    aside_words,
    depth_words,
    new_words,
    other_colour,
    refer_part,
)
from mgie_engine.lab.scenes.expressive_text import AS_ASKED, describe, there, where
from mgie_engine.lab.scenes.phrasing import dress, fill, table
from mgie_engine.lab.scenes.references import first_free, home_rows, refer, region
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import (
    BACK,
    FRONT,
    GROUND_KINDS,
    SKY,
    SKY_KINDS,
    Cell,
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
from mgie_engine.lab.scenes.surroundings import CLAUSES, again
from mgie_engine.lab.scenes.tone_followups import tone_follow_up

CONTENT = 0.03  # how often people only say that they like what they got

FollowUp = Callable[[RngStreams, State, Edit], Edit | None]


def follow_up(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    """An edit of `state`, the goal of `last`, that needs the history to be understood; None if none fits."""
    if last.kind not in ("refuse", "nothing") and streams.content.random() < CONTENT:
        return Edit("nothing", streams.phrase("done"), AS_ASKED, state)
    if last.act == "tone":
        edit = tone_follow_up(streams, state, last)
    elif state.scene is None or not state.is_readable:
        return None
    else:
        edit = streams.content.choice(_fitting(last))(streams, state, last)
    if edit is None or edit.kind in ("refuse", "nothing"):
        return edit
    return replace(edit, kind="follow-up")


def _fitting(last: Edit) -> list[FollowUp]:
    ways: list[FollowUp] = []
    if last.act in ("recolour", "remove", "replace", "grow", "shrink"):
        ways += [_too, _too, _too]
    if last.act == "recolour" and last.obj and last.colour:
        ways += [_part_too]
    if last.was and last.act in ("recolour", "remove", "grow", "shrink"):
        ways += [_put_back]
    if last.act == "remove" and last.was:
        ways += [_other_gone]
    if last.act in CLAUSES:
        ways += [lambda streams, state, last: again(streams, state, last.act)]
    if last.obj:
        ways += [_recolour_it, _recolour_it, _remove_it, _resize_it, _move_it]
    if last.act == "recolour" and last.was:
        ways += [_other_one]
    if last.act == "add" and last.obj:
        ways += [_another]
    if last.act in ("add", "replace") and last.obj:
        ways += [_instead]
    return ways or [lambda streams, state, last: None]  # a draw, which keeps later ones in their places


def _recolour_it(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    obj = last.obj
    assert obj
    colour = other_colour(streams.content, obj.part(last.part) if last.part else obj.colour)
    words = streams.phrase("it_recolour", colour=streams.target_colour(colour))
    if last.part:
        return recolour_part_to(state, obj, last.part, colour, words)
    return recolour_to(state, obj, colour, words)


def _remove_it(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    assert last.obj
    return None if last.part else remove_it(state, last.obj, streams.phrase("it_remove"))


def _resize_it(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    assert last.obj
    if last.part:
        return None
    step = streams.content.choice((-1, 1))
    return resize_it(state, last.obj, step, streams.phrase("it_grow" if step > 0 else "it_shrink"))


def _move_it(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    assert last.obj
    if last.part:
        return None
    row, column = last.obj.cell.row, last.obj.cell.column
    if row != SKY and streams.content.random() < 0.35:
        cell = Cell(FRONT if row == BACK else BACK, column)
        if state.drawn.at(cell):
            return None
        words = streams.phrase("it_move", to=depth_words(streams.wording, cell.row))
        return move_it(state, last.obj, cell, words)
    step = streams.content.choice((-1, 1))
    words = streams.phrase("it_move", to=aside_words(streams.wording, step))
    return move_aside(state, last.obj, step, words)


def _instead(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    """Replace the object that was just added."""
    assert last.obj
    kinds = SKY_KINDS if is_sky_kind(last.obj.kind) else GROUND_KINDS
    kind = streams.content.choice([kind for kind in kinds if kind != last.obj.kind])
    colour_said = streams.content.random() < 0.6
    usual: str = table("words")["usual"][kind]
    new = in_place_of(last.obj, kind, other_colour(streams.content) if colour_said else usual)
    if not fits(state.drawn.swapped(last.obj, new)):
        return None
    words = streams.phrase("it_replace", a=new_words(streams.wording, new, colour_said)["a"])
    return replace_by(state, last.obj, new, words)


def _too(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    """The same edit for another object."""
    touched = {obj.cell for obj in (last.obj, last.was) if obj}
    others = [obj for obj in state.drawn.objects if obj.cell not in touched]
    obj = streams.content.choice(others) if others else None
    if obj is None:
        return None
    alike = state.drawn.of(obj.kind)
    it = streams.the(obj) if len(alike) == 1 else refer(streams.wording, state.drawn, obj).it
    if len(alike) == 2 and last.obj in alike and streams.wording.random() < 0.5:
        it = f"the other {streams.wording.choice(('one', streams.say(obj.kind)))}"
    words = streams.phrase("too", it=it)
    match last.act:
        case "recolour" if last.colour:
            return recolour_to(state, obj, last.colour, words)
        case "remove":
            return remove_it(state, obj, words)
        case "replace" if last.obj and is_sky_kind(last.obj.kind) == is_sky_kind(obj.kind):
            new = in_place_of(obj, last.obj.kind, last.obj.colour)
            is_new = new.kind != obj.kind and fits(state.drawn.swapped(obj, new))
            return replace_by(state, obj, new, words) if is_new else None
        case "grow" | "shrink":
            return resize_it(state, obj, 1 if last.act == "grow" else -1, words)
    return None


def _other_one(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    """Of two of a kind the wrong one was recoloured: it gets its colour back, the other one the new one."""
    done, was, colour = last.obj, last.was, last.colour
    if done is None or was is None or colour is None:
        return None
    others = [obj for obj in state.drawn.of(done.kind) if obj is not done]
    if len(others) != 1 or others[0].colour == colour:
        return None
    other = others[0]
    known = {"name": streams.say(done.kind), "old": streams.say(other.colour)}
    if other.cell.column != done.cell.column:
        known["side"] = "left" if other.cell.column < done.cell.column else "right"
    words = streams.phrase("other", **known)
    return _corrected(state, (done, was), other, words)


def _corrected(state: State, wrong: tuple[SceneObject, SceneObject], right: SceneObject, words: str) -> Edit:
    done, was = wrong
    new = replace(right, colour=done.colour)
    scene = state.drawn.swapped(done, was).swapped(right, new)
    text = f"The {there(done)} turns {was.colour}. The {there(right)} turns {new.colour}."
    return Edit("recolour", words, text, to(state, scene), new, new.colour, "recolour")


def _part_too(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    """The colour also for a part of the thing, or for the thing after its part: "now the roof too"."""
    owners = [obj for obj in state.drawn.objects if obj.parts]
    obj = last.obj if last.obj and last.obj.parts else (streams.content.choice(owners) if owners else None)
    if obj is None or last.colour is None:
        return None
    parts = [part for part, colour in obj.parts if colour != last.colour and part != last.part]
    if not parts:
        return None
    part = streams.content.choice(parts)
    it = refer_part(streams.wording, state.drawn, obj, part).it
    return recolour_part_to(state, obj, part, last.colour, streams.phrase("too", it=it))


def _put_back(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    """The thing as it was before the last turn."""
    was, now = last.was, last.obj
    assert was
    words = dress(
        streams.wording,
        streams.template("put_back", "compound"),
    )
    if last.act == "remove":
        back = new_object(was.kind, was.colour, was.cell, size=was.size, material=was.material)
        is_free = state.drawn.at(was.cell) is None and not was.parts
        return add_it(state, (back,), words) if is_free else None
    if now is None or last.part:
        return None
    if last.act == "recolour":
        return recolour_to(state, now, was.colour, words)
    return resize_to(state, now, was.size, words)


def _other_gone(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    """Of two of a kind the wrong one was removed: it comes back, the other one goes."""
    was = last.was
    assert was
    others = state.drawn.of(was.kind)
    if len(others) != 1 or state.drawn.at(was.cell) or was.parts:
        return None
    back = new_object(was.kind, was.colour, was.cell, size=was.size, material=was.material)
    way = streams.template("other_gone", "compound")
    words = dress(streams.wording, fill(way, name=streams.say(was.kind)))
    scene = state.drawn.without(others[0]).plus(back)
    text = f"A {describe(back)} appears {where(back.cell)}. The {there(others[0])} is removed."
    return Edit("remove", words, text, to(state, scene), act="remove", was=others[0])


def _another(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    """Add the last added object again, in the first free cell."""
    assert last.obj
    cell = first_free(state.drawn, region("", home_rows(last.obj.kind)))
    if cell is None:
        return None
    copy = new_object(last.obj.kind, last.obj.colour, cell, size=last.obj.size)
    return add_it(state, (copy,), streams.phrase("another", name=streams.say(copy.kind)))
