"""One edit of several things: both, the first two; or of one identified by its number."""

from collections.abc import Callable, Sequence
from random import Random

from mgie_engine.lab.scenes.compound_edits import act_on, opening
from mgie_engine.lab.scenes.edit_generators import other_colour
from mgie_engine.lab.scenes.expressive_text import stays
from mgie_engine.lab.scenes.phrasing import dress, plural
from mgie_engine.lab.scenes.references import refer
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import Scene, SceneObject, is_sky_kind
from mgie_engine.lab.scenes.scene_edits import Edit, State, to

_ORDINALS = ("first", "second", "third", "fourth")


def some(streams: RngStreams, state: State) -> Edit | None:
    """One edit of two or three things, or of one that is identified by its number."""
    ways = [
        way
        for way in (
            _of_number(state.drawn),
            _first_or_last(state.drawn),
            _this_and_that(streams, state.drawn),
        )
        if way
    ]
    if not ways:
        return None
    chosen, it = _choose(streams, ways)
    return edit_of_all(streams, state, chosen, it)


def edit_of_all(
    streams: RngStreams,
    state: State,
    chosen: Sequence[SceneObject],
    it: str,
    left: SceneObject | None = None,
    said: Callable[[str, str], str] = lambda _, words: words,
) -> Edit | None:
    """One act on all of `chosen`, called `it`; `said` words the whole from the act and its instruction.

    What stays is `left`, where something is left out in so many words.
    """
    content = streams.content
    act = content.choice(("recolour", "recolour", "recolour", "remove", "remove", "grow", "shrink"))
    colour = other_colour(content, *{obj.colour for obj in chosen})
    edits = [edit for obj in chosen if (edit := act_on(state, obj, act, colour))]
    if len(edits) < len(chosen):
        return None
    scene = state.drawn
    for obj, edit in zip(chosen, edits, strict=True):
        scene = scene.without(obj) if edit.obj is None else scene.swapped(obj, edit.obj)
    words = streams.bare().phrase(act, it=it, colour=streams.target_colour(colour)).rstrip("?!., ")
    text = f"{' '.join(map(opening, edits))} {stays(Scene((left,)) if left else state.drawn, *chosen)}"
    kind = {"grow": "resize", "shrink": "resize"}.get(act, act)
    only = edits[0] if len(edits) == 1 else None
    return Edit(
        kind if only else "compound", dress(streams.wording, said(act, words)), text, to(state, scene),
        obj=only.obj if only else None, colour=only.colour if only else None, act=only.act if only else "",
        was=only.was if only else None,
    )  # fmt: skip


# how some are told from the others, and all of the kind from the left
Group = tuple[str, Sequence[SceneObject]]


def _choose(streams: RngStreams, ways: Sequence[Group]) -> tuple[list[SceneObject], str]:
    how, group = streams.content.choice(ways)
    drawn = streams.content.random()
    name = streams.say(group[0].kind)
    rng = streams.wording
    if how == "number":
        place = int(drawn * len(group))
        return [group[place]], _numbered(rng, name, place, len(group))
    if how == "ends":
        if drawn < 0.5:
            chosen, ends = list(group[:2]), ("on the left", "furthest left", "left", "leftmost", "first")
        else:
            chosen, ends = list(group[-2:]), ("on the right", "furthest right", "right", "rightmost", "last")
        return chosen, _two_of(rng, name, ends)
    if how == "both":
        names = plural(name)
        both = ("both {n}", "both of the {n}", "the two {n}", "the 2 {n}", "the pair of {n}")
        return list(group), rng.choice(both).format(n=names)
    it, other = (refer(rng, Scene(tuple(group)), obj).it for obj in group)
    joined = ("{a} and {b}", "{a} and {b}", "{a} and also {b}", "both {a} and {b}", "{a} & {b}")
    return list(group), rng.choice(joined).format(a=it, b=other)


def _numbered(rng: Random, name: str, place: int, count: int) -> str:
    """The thing number `place` of `count` from the left, in words."""
    ordinal, number, names = _ORDINALS[place], place + 1, plural(name)
    short = ("1st", "2nd", "3rd", "4th")[place]
    ways = [
        f"the {ordinal} {name} from the left",
        f"the {ordinal} {name}",
        f"the {short} {name}",
        f"{name} number {number}",
        f"{name} no. {number}",
        f"{name} {number}",
        f"the {ordinal} of the {_word(count)} {names}",
        f"the {ordinal} {name} (from left)",
        f"the {_ORDINALS[count - 1 - place]} {name} from the right",
        f"the {short} {name} from the left",
    ]
    if place == count - 1:
        ways += [
            f"the last {name}",
            f"the last of the {names}",
            f"the last of the {_word(count)} {names}",
        ] * 2
    if count == 3 and place == 1:
        ways += [
            f"the middle {name}",
            f"the {name} in the middle",
            f"the middle one of the {names}",
            f"the middle one of the three {names}",
        ]
    return str(rng.choice(ways))


def _word(count: int) -> str:
    return ("one", "two", "three", "four")[count - 1]


def _two_of(rng: Random, name: str, ends: Sequence[str]) -> str:
    names, (on_the, furthest, side, most, first) = plural(name), ends
    return str(
        rng.choice(
            (
                f"the two {names} {on_the}",
                f"the two {names} {furthest}",
                f"the two {side} {names}",
                f"the two {most} {names}",
                f"the {first} two {names}",
                f"the 2 {names} {on_the}",
                f"the {first} 2 {names}",
                f"the two {most} of the {names}",
                f"the {first} two {names} from the left"
                if first == "first"
                else f"the {first} two of the {names}",
            )
        )
    )


def groups_of(scene: Scene) -> list[list[SceneObject]]:
    """Things of one kind in distinct columns, from the left."""
    kinds = sorted({obj.kind for obj in scene.objects if not is_sky_kind(obj.kind)})
    groups = [sorted(scene.of(kind), key=lambda obj: obj.cell.column) for kind in kinds]
    return [group for group in groups if len({obj.cell.column for obj in group}) == len(group) > 1]


def _of_number(scene: Scene) -> Group | None:
    return next((("number", group) for group in groups_of(scene) if len(group) > 2), None)


def _first_or_last(scene: Scene) -> Group | None:
    groups = groups_of(scene)
    three = next((group for group in groups if len(group) > 2), None)
    if three:
        return "ends", three
    return next((("both", group) for group in groups if len(group) == 2), None)


def _this_and_that(streams: RngStreams, scene: Scene) -> Group | None:
    alone = scene.only_ones()
    return ("and", streams.content.sample(alone, 2)) if len(alone) > 1 else None
