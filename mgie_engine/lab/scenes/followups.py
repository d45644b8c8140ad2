"""Follow-ups: edits whose words lean on the turn before ("bigger", "the box too", "no, the other one")."""

from collections.abc import Callable
from dataclasses import replace

from mgie_engine.lab.scenes.drawing import fits
from mgie_engine.lab.scenes.edit_generators import aside_words, depth_words, new_words, other_colour
from mgie_engine.lab.scenes.expressive_text import AS_ASKED, Split, there
from mgie_engine.lab.scenes.phrasing import phrase, say, table, wished_colour
from mgie_engine.lab.scenes.references import first_free, home_rows, refer, region
from mgie_engine.lab.scenes.rng import Dice
from mgie_engine.lab.scenes.scene import (
    BACK,
    FRONT,
    GROUND_KINDS,
    SKY,
    SKY_KINDS,
    Cell,
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
    to,
)
from mgie_engine.lab.scenes.surroundings import CLAUSES, again
from mgie_engine.lab.scenes.tonal import DEGREES, tone_edit

CONTENT = 0.03  # how often people only say that they like what they got

FollowUp = Callable[[Dice, State, Edit, Split], Edit | None]


def follow_up(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    """An edit of `state`, the goal of `last`, that needs the talk to be understood; None if none fits."""
    if last.kind not in ("refuse", "nothing") and dice.what.random() < CONTENT:
        return Edit("nothing", phrase(dice.how, "done", split), AS_ASKED, state)
    if last.kind == "tonal":
        edit = _more_or_back(dice, state, last, split)
    elif state.scene is None or not state.is_readable:
        return None
    else:
        edit = dice.what.choice(_fitting(last))(dice, state, last, split)
    if edit is None or edit.kind in ("refuse", "nothing"):
        return edit
    return replace(edit, kind="follow-up")


def _fitting(last: Edit) -> list[FollowUp]:
    ways: list[FollowUp] = []
    if last.act in ("recolour", "remove", "replace", "grow", "shrink"):
        ways += [_too, _too]
    if last.act in CLAUSES:
        ways += [_around_again]
    if last.thing:
        ways += [_recolour_it, _recolour_it, _remove_it, _resize_it, _move_it]
    if last.act == "recolour" and last.was:
        ways += [_other_one]
    if last.act == "add" and last.thing:
        ways += [_another]
    if last.act in ("add", "replace") and last.thing:
        ways += [_instead]
    return ways or [_none]


def _none(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    return None


def _more_or_back(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    tone, opposite = last.goal.tones[-1][0], table("tones")["opposite"]
    if tone in opposite and dice.what.random() < 0.35:
        return tone_edit(state, ((opposite[tone], "little"),), phrase(dice.how, "back", split))
    return tone_edit(state, ((tone, DEGREES[1]),), phrase(dice.how, "more", split))


def _recolour_it(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    thing = last.thing
    assert thing
    if last.part:
        colour = other_colour(dice.what, thing.part(last.part))
        words = phrase(dice.how, "it_recolour", split, colour=wished_colour(dice.how, colour))
        return recolour_part_to(state, thing, last.part, colour, words)
    colour = other_colour(dice.what, thing.colour)
    words = phrase(dice.how, "it_recolour", split, colour=wished_colour(dice.how, colour))
    return recolour_to(state, thing, colour, words)


def _remove_it(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    assert last.thing
    return None if last.part else remove_it(state, last.thing, phrase(dice.how, "it_remove", split))


def _resize_it(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    assert last.thing
    if last.part:
        return None
    step = dice.what.choice((-1, 1))
    return resize_it(state, last.thing, step, phrase(dice.how, "it_grow" if step > 0 else "it_shrink", split))


def _move_it(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    assert state.scene
    assert last.thing
    if last.part:
        return None
    row, column = last.thing.cell.row, last.thing.cell.column
    if row != SKY and dice.what.random() < 0.35:
        cell = Cell(FRONT if row == BACK else BACK, column)
        if state.scene.at(cell):
            return None
        words = phrase(dice.how, "it_move", split, to=depth_words(dice.how, cell.row))
        return move_it(state, last.thing, cell, words)
    step = dice.what.choice((-1, 1))
    return move_aside(
        state, last.thing, step, phrase(dice.how, "it_move", split, to=aside_words(dice.how, step))
    )


def _around_again(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    return again(dice, state, last.act, split)


def _instead(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    """Something else in place of what has just appeared."""
    assert state.scene
    assert last.thing
    kinds = SKY_KINDS if is_sky_kind(last.thing.kind) else GROUND_KINDS
    kind = dice.what.choice([kind for kind in kinds if kind != last.thing.kind])
    colour_said = dice.what.random() < 0.6
    usual: str = table("words")["usual"][kind]
    new = in_place_of(last.thing, kind, other_colour(dice.what) if colour_said else usual)
    if not fits(state.scene.swapped(last.thing, new)):
        return None
    words = phrase(dice.how, "it_replace", split, a=new_words(dice.how, new, colour_said)["a"])
    return replace_by(state, last.thing, new, words)


def _too(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    """The same for another thing."""
    assert state.scene
    touched = {thing.cell for thing in (last.thing, last.was) if thing}
    others = [thing for thing in state.scene.things if thing.cell not in touched]
    thing = dice.what.choice(others) if others else None
    if thing is None:
        return None
    alike = state.scene.of(thing.kind)
    it = f"the {say(dice.how, thing.kind)}" if len(alike) == 1 else refer(dice.how, state.scene, thing).it
    if len(alike) == 2 and last.thing in alike and dice.how.random() < 0.5:
        it = f"the other {dice.how.choice(('one', say(dice.how, thing.kind)))}"
    words = phrase(dice.how, "too", split, it=it)
    match last.act:
        case "recolour" if last.colour:
            return recolour_to(state, thing, last.colour, words)
        case "remove":
            return remove_it(state, thing, words)
        case "replace" if last.thing and is_sky_kind(last.thing.kind) == is_sky_kind(thing.kind):
            new = in_place_of(thing, last.thing.kind, last.thing.colour)
            is_new = new.kind != thing.kind and fits(state.scene.swapped(thing, new))
            return replace_by(state, thing, new, words) if is_new else None
        case "grow" | "shrink":
            return resize_it(state, thing, 1 if last.act == "grow" else -1, words)
    return None


def _other_one(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    """Of two of a kind the wrong one was recoloured: it gets its colour back, the other one the new one."""
    assert state.scene
    done, was, colour = last.thing, last.was, last.colour
    if done is None or was is None or colour is None:
        return None
    others = [thing for thing in state.scene.of(done.kind) if thing is not done]
    if len(others) != 1 or others[0].colour == colour:
        return None
    other = others[0]
    known = {"name": say(dice.how, done.kind), "old": say(dice.how, other.colour)}
    if other.cell.column != done.cell.column:
        known["side"] = "left" if other.cell.column < done.cell.column else "right"
    words = phrase(dice.how, "other", split, **known)
    return _corrected(state, (done, was), other, words)


def _corrected(state: State, wrong: tuple[Thing, Thing], right: Thing, words: str) -> Edit:
    assert state.scene
    done, was = wrong
    new = replace(right, colour=done.colour)
    scene = state.scene.swapped(done, was).swapped(right, new)
    text = f"The {there(done)} turns {was.colour}. The {there(right)} turns {new.colour}."
    return Edit("recolour", words, text, to(state, scene), new, new.colour, "recolour")


def _another(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    """The thing that was added once more, in the first free place."""
    assert state.scene
    assert last.thing
    cell = first_free(state.scene, region("", home_rows(last.thing.kind)))
    if cell is None:
        return None
    copy = new_thing(last.thing.kind, last.thing.colour, cell, size=last.thing.size)
    return add_it(state, (copy,), phrase(dice.how, "another", split, name=say(dice.how, copy.kind)))
