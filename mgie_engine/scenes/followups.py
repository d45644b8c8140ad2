"""Follow-ups: edits whose words lean on the turn before ("bigger", "the box too", "no, the other one")."""

from collections.abc import Callable
from dataclasses import replace

from mgie_engine.scenes.dice import Dice
from mgie_engine.scenes.edits import (
    Edit,
    State,
    add_it,
    move_aside,
    recolour_part_to,
    recolour_to,
    remove_it,
    resize_it,
    to,
)  # fmt: skip
from mgie_engine.scenes.makers import aside_words, other_colour
from mgie_engine.scenes.phrasing import phrase, say, table, wished_colour
from mgie_engine.scenes.references import first_free, home_rows, region
from mgie_engine.scenes.scene import Thing, new_thing
from mgie_engine.scenes.tonal import DEGREES, tone_edit
from mgie_engine.scenes.wording import Split, there

FollowUp = Callable[[Dice, State, Edit, Split], Edit | None]


def follow_up(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    """An edit of `state`, the goal of `last`, that needs the talk to be understood; None if none fits."""
    if last.kind == "tonal":
        edit = _more_or_back(dice, state, last, split)
    elif state.scene is None or not state.is_readable:
        return None
    else:
        edit = dice.what.choice(_fitting(last))(dice, state, last, split)
    if edit is None or edit.kind == "refuse":
        return edit
    return replace(edit, kind="follow-up")


def _fitting(last: Edit) -> list[FollowUp]:
    ways: list[FollowUp] = []
    if last.act in ("recolour", "remove", "grow", "shrink"):
        ways += [_too, _too]
    if last.thing:
        ways += [_recolour_it, _recolour_it, _remove_it, _resize_it, _move_it]
    if last.act == "recolour" and last.was:
        ways += [_other_one]
    if last.act == "add" and last.thing:
        ways += [_another]
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
    assert last.thing
    if last.part:
        return None
    step = dice.what.choice((-1, 1))
    return move_aside(
        state, last.thing, step, phrase(dice.how, "it_move", split, to=aside_words(dice.how, step))
    )


def _too(dice: Dice, state: State, last: Edit, split: Split) -> Edit | None:
    """The same for another thing, which is the only one of its kind."""
    assert state.scene
    touched = {thing.cell for thing in (last.thing, last.was) if thing}
    alone = [t for t in state.scene.things if len(state.scene.of(t.kind)) == 1 and t.cell not in touched]
    thing = dice.what.choice(alone) if alone else None
    if thing is None:
        return None
    words = phrase(dice.how, "too", split, it=f"the {say(dice.how, thing.kind)}")
    match last.act:
        case "recolour" if last.colour:
            return recolour_to(state, thing, last.colour, words)
        case "remove":
            return remove_it(state, thing, words)
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
    words = phrase(dice.how, "other", split, name=say(dice.how, done.kind))
    return _corrected(state, (done, was), others[0], words)


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
