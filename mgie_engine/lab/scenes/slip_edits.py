"""Instructions with a slip that is taken back, with what is not meant, or with an emoji for a thing."""

import re
from collections.abc import Mapping
from dataclasses import replace

from mgie_engine.lab.scenes.compound_edits import act_on
from mgie_engine.lab.scenes.edit_generators import other_colour, recolour, remove, resize
from mgie_engine.lab.scenes.expressive_text import AS_ASKED
from mgie_engine.lab.scenes.phrasing import dress, table, without_end_mark
from mgie_engine.lab.scenes.references import other_than, refer
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene_edits import Edit, State

_TRIALS = 12
# "no, leave it out" would be taken for "leave it", and "don't remove only the moon" asks for more
_UNCLEAR = re.compile(r"(leave|keep)\b|.*\b(only|just)\b")


def corrected(streams: RngStreams, state: State) -> Edit | None:
    """An instruction that begins with a slip and takes it back."""
    content, wording, bare = streams.content, streams.wording, streams.bare()
    objects = state.drawn.objects
    if len(objects) < 2:
        return None
    obj, wrong = content.sample(objects, 2)
    act = content.choice(("recolour", "recolour", "recolour", "remove", "grow", "shrink"))
    colour = other_colour(content, obj.colour)
    mistaken = other_colour(content, colour)
    edit = act_on(state, obj, act, colour)
    if edit is None:
        return None
    it, its = refer(wording, state.drawn, obj).it, refer(wording, state.drawn, wrong).it
    said, slip = streams.target_colour(colour), drawn_slip(streams)
    way = wording.random()
    if act == "recolour" and way < 0.6:
        words = _colour_slip(bare, it, streams.target_colour(mistaken), said, slip)
    elif act in ("grow", "shrink") and way < 0.5:
        other = "shrink" if act == "grow" else "grow"
        right = wording.choice(
            ("bigger", "larger", "enlarge it", "make it bigger")
            if act == "grow"
            else ("smaller", "shrink it", "make it smaller")
        )
        words = f"{without_end_mark(bare.phrase(other, it=it))}{slip}{right}"
    elif way < 0.75:
        first = without_end_mark(bare.phrase(act, it=its, colour=said))
        words = f"{first}{slip}{it}"
    else:
        first = without_end_mark(bare.phrase(act, it=its, colour=streams.target_colour(mistaken)))
        between = slip if wording.random() < 0.5 else streams.template("keep", "compound")
        words = f"{first}{between}{without_end_mark(bare.phrase(act, it=it, colour=said))}"
    return replace(edit, instruction=dress(wording, words))


def _colour_slip(bare: RngStreams, it: str, wrong: str, right: str, slip: str) -> str:
    """Another colour first; what follows is the colour alone, an instruction, or a phrase with both."""
    way = bare.wording.random()
    if way < 0.5:
        ends = bare.wording.choice(
            ("", "", "", " one", " I mean", " please", " is better", " it is", " instead")
        )
        return f"{without_end_mark(bare.phrase('recolour', it=it, colour=wrong))}{slip}{right}{ends}"
    if way < 0.75:
        return bare.phrase("recolour", it=it, colour=f"{wrong}{slip}{right}")
    first = without_end_mark(bare.phrase("recolour", it=it, colour=wrong))
    return f"{first}{slip}{without_end_mark(bare.phrase('it_recolour', colour=right))}"


def drawn_slip(streams: RngStreams) -> str:
    """Words between a slip and what is meant: ", no wait, "; the blanks at its ends are kept."""
    return streams.template("slips", "compound")


def not_wanted(streams: RngStreams, state: State) -> Edit | None:
    """What must not be done; or what must, with another thing that is not meant."""
    bare = streams.bare()
    edit = streams.content.choice((recolour, remove, remove, resize, recolour))(bare, state)
    is_forbidden = streams.content.random() < 0.5
    if edit is None or edit.kind in ("refuse", "nothing") or edit.was is None:
        return None
    if is_forbidden:
        words = _imperative(bare, edit)
        way = streams.template("not_this", "compound").replace("{one}", words)
        return Edit("nothing", dress(streams.wording, way), AS_ASKED, state)
    if streams.content.random() < 0.35:
        return _not_this_act(streams, state, edit)
    other = other_than(streams.wording, state.drawn, edit.was)
    if other is None:
        return None
    way = (
        streams.template("not_other", "compound")
        .replace("{two}", without_end_mark(edit.instruction))
        .replace("{other}", other)
    )
    return replace(edit, instruction=dress(streams.wording, way))


def _not_this_act(streams: RngStreams, state: State, edit: Edit) -> Edit | None:
    """The edit, with another act on the same thing that must not be done."""
    assert edit.was
    bare, was = streams.bare(), edit.was
    acts = [act for act in ("remove", "recolour", "grow") if act != edit.act]
    wrong = act_on(state, was, bare.content.choice(acts), other_colour(bare.content, was.colour))
    if wrong is None or edit.act not in ("remove", "recolour", "grow", "shrink"):
        return None
    one, two = _imperative(bare, wrong), without_end_mark(edit.instruction)
    way = streams.template("not_act", "compound").replace("{one}", one).replace("{two}", two)
    return replace(edit, instruction=dress(streams.wording, way))


def _imperative(bare: RngStreams, edit: Edit) -> str:
    """An instruction for the edit, or for the removal of its thing, that begins with a verb."""
    assert edit.was
    it = f"the {bare.say(edit.was.kind)}"
    act = edit.act if edit.act in ("recolour", "remove", "grow", "shrink") else "remove"
    return imperative(bare, act, it, bare.target_colour(edit.colour or "red"))


def imperative(streams: RngStreams, act: str, it: str, colour: str) -> str:
    """An instruction for an act on `it` that begins with a verb."""
    bare, verbs = streams.bare(), table("words")["habits"]["verbs"]
    for _ in range(_TRIALS):
        words = without_end_mark(bare.phrase(act, it=it, colour=colour))
        if words.split()[0] in verbs and not _UNCLEAR.match(words):
            return words
    usual = {"recolour": f"make {it} {colour}", "remove": f"remove {it}", "grow": f"make {it} bigger"}
    return usual.get(act, f"make {it} smaller")


def by_emoji(streams: RngStreams, state: State) -> Edit | None:
    """A terse instruction in which an emoji stands for a thing."""
    alone: Mapping[str, list[str]] = table("compound")["emoji"]
    objects = [obj for obj in state.drawn.only_ones() if obj.kind in alone]
    if not objects:
        return None
    obj = streams.content.choice(objects)
    act = streams.content.choice(("remove", "recolour", "recolour", "grow", "shrink"))
    colour = other_colour(streams.content, obj.colour)
    edit = act_on(state, obj, act, colour)
    if edit is None:
        return None
    rng = streams.wording
    e, said = rng.choice(alone[obj.kind]), streams.target_colour(colour)
    if streams.split != "test" and rng.random() < 0.7:
        words = rng.choice(table("compound")["emoji_phrases"][act]).format(e=e, colour=said)
    else:
        words = streams.bare().phrase(act, it=f"the {e}", colour=said)
    return replace(edit, instruction=dress(rng, words))
