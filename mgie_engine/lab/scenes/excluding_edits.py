"""One edit of all things of a kind but one: "all balls green except the yellow one", "keep the red ball"."""

import re
from collections.abc import Sequence

from mgie_engine.lab.scenes.group_edits import edit_of_all, groups_of
from mgie_engine.lab.scenes.phrasing import SAYS_ALL, fill, plural, templates, vary
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import Scene, SceneObject
from mgie_engine.lab.scenes.scene_edits import Edit, State

KEEP_ONLY = 0.6  # of removals above this draw say what is kept
_MOST = 4  # of a kind: what happens to each is a sentence of its own


def all_but(streams: RngStreams, state: State) -> Edit | None:
    """An act on every thing of a kind but one; None without two to four of distinct colours."""
    drawn = one_left_out(streams, state.drawn)
    if drawn is None:
        return None
    group, left, known = drawn
    kind, one = ("of_two", True) if len(group) == 2 else ("others", False)
    way = streams.wording.random()
    meant = _way(streams, kind if way < 0.3 or one else "all_of", known)

    def said(act: str, words: str) -> str:
        if act == "remove" and (way > KEEP_ONLY or SAYS_ALL.search(words)):
            return _way(streams, "keep_only", known)
        if way < 0.3 and not one:
            return words
        if way < 0.45:
            other = f"the {known['c']} one" if known["x"] == known["c"] else known["x"]
            return _way(streams, "not_other", {"two": words, "other": other})
        return words if one else f"{words}{_way(streams, 'exclude', known)}"

    return edit_of_all(streams, state, [obj for obj in group if obj is not left], meant, [left], said)


def one_left_out(
    streams: RngStreams, scene: Scene
) -> tuple[list[SceneObject], SceneObject, dict[str, str]] | None:
    """Two to four things of a kind and of distinct colours, the one that is left out, and words for it."""
    groups = _of_distinct_colours(scene)
    if not groups:
        return None
    group = streams.content.choice(groups)
    left = streams.content.choice(group)
    return group, left, _left_words(streams, group, left)


def _left_words(streams: RngStreams, group: Sequence[SceneObject], left: SceneObject) -> dict[str, str]:
    """A name for the kind and its plural, and words for the one that is left out."""
    name, colour = streams.say(left.kind), streams.say(left.colour)
    place = group.index(left)
    ways = [f"the {colour} one", f"the {colour} one", f"the {colour} {name}", f"the {colour} {name}", colour]
    if place == 0:
        ways += ["the left one", f"the leftmost {name}"] if len(group) == 2 else ["the leftmost one"]
    if place == len(group) - 1:
        ways += ["the right one", f"the rightmost {name}"] if len(group) == 2 else ["the rightmost one"]
    if place == 1 and len(group) == 3:
        ways += ["the middle one", f"the {name} in the middle"]
    for attribute in ("size", "material"):  # "the big one", where no other is big
        value = getattr(left, attribute)
        if value not in ("medium", "plain") and [getattr(obj, attribute) for obj in group].count(value) == 1:
            said = streams.say(value)
            ways += [f"the {said} one", f"the {said} {name}"]
    return {"name": name, "names": plural(name), "c": colour, "x": streams.wording.choice(ways)}


def _way(streams: RngStreams, kind: str, known: dict[str, str]) -> str:
    """One phrasing; a leading blank is kept."""
    ways = [way for way in templates(kind, streams.split, "compound") if "{two} instead of" not in way]
    way = vary(streams.wording, streams.wording.choice(ways))  # "green instead of the red one" is of one ball
    if known.get("x") == known.get("c") and re.search(r"\b(not|no) \{x\}|\{x\},? (not|no)\b", way):
        known = {**known, "x": f"the {known['c']} one"}  # "balls green, not yellow" is of the new colour
    return f"{' ' if way.startswith(' ') else ''}{fill(way, **known)}"


def _of_distinct_colours(scene: Scene) -> list[list[SceneObject]]:
    """Two to four things of a kind, each of another colour."""
    return [
        group
        for group in groups_of(scene)
        if len({obj.colour for obj in group}) == len(group) and len(group) <= _MOST
    ]
