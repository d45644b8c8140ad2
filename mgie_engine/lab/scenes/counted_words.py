"""Words for some of the things of a kind, from counting.toml: "the second ball", "the outer two balls"."""

import re
from collections.abc import Mapping, Sequence
from random import Random

from mgie_engine.lab.scenes.phrasing import SAYS_ALL, fill, plural, without_end_mark
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import SceneObject

WORDS = ("one", "two", "three", "four")
PLAIN_ACT = 0.5  # how often the act on one thing is worded as if it had no number
THEIRS = 0.25  # how often the act on several is worded for a plural only
ONLY = 0.1  # how often an instruction for one thing says that the others stay
FROM_AN_END = 0.12  # how often it says first from which end to count
_ORDINALS = ("first", "second", "third", "fourth")
_SHORT = ("1st", "2nd", "3rd", "4th")
_SINGULAR = re.compile(r"(each|every|everyone|one|any one|a|just one|only one|1)\b(?!.* and )")


def counted_way(streams: RngStreams, kind: str, known: Mapping[str, str]) -> str:
    """One phrasing of a kind of counting.toml."""
    return fill(streams.template(kind, "counting", known), **known)


def numbers(
    streams: RngStreams, group: Sequence[SceneObject], one: int, other: int | None = None
) -> dict[str, str]:
    """The fields of counting.toml for the things at the places `one` and `other` of `group`."""
    name, count = streams.say(group[0].kind), len(group)
    back = count - 1 - one
    known = {"name": name, "names": plural(name), "count": WORDS[count - 1], "digits": str(count)}
    known |= {"rest": WORDS[max(count - 2, 0)], "o": _ORDINALS[one], "s": _SHORT[one], "n": str(one + 1)}
    known |= {
        "w": WORDS[one],
        "r": _ORDINALS[back],
        "rs": _SHORT[back],
        "rn": str(back + 1),
        "rw": WORDS[back],
    }
    if other is not None:
        known |= {"p": _ORDINALS[other], "t": _SHORT[other], "m": str(other + 1), "x": WORDS[other]}
    return known


def place_word(rng: Random, place: int, count: int) -> str:
    """A word for a place in a row, as in "the {word} ball"."""
    ways = [_ORDINALS[place], _ORDINALS[place]]
    if place == count - 1:
        ways += ["last", "last"] if count > 2 else ["last", "right"]
    if place == 0:
        ways.append("leftmost" if count > 2 else "left")
    if count == 3 and place == 1:
        ways.append("middle")
    return rng.choice(ways)


def numbered(streams: RngStreams, group: Sequence[SceneObject], place: int) -> str:
    """The thing at a place of `group`."""
    count = len(group)
    kinds = ["numbered"] * 3
    kinds += ["the_first"] if place == 0 else ["the_last"] * 2 if place == count - 1 else []
    if count > 2:
        kinds += ["next_to_last"] if place == count - 2 else []
        kinds += ["after_the_first"] if place == 1 and streams.wording.random() < 0.4 else []
        kinds += ["the_middle"] * 2 if count == 3 and place == 1 else []
    return counted_way(streams, streams.wording.choice(kinds), numbers(streams, group, place))


def act_words(streams: RngStreams, act: str, it: str, colour: str, *, is_one: bool) -> str:
    """The act on what `it` says."""
    rng = streams.wording
    if is_one and rng.random() < PLAIN_ACT:
        words = phrase_of(streams, act, it, colour)
    else:
        is_theirs = not is_one and not _SINGULAR.match(it) and rng.random() < THEIRS
        words = counted_way(streams, f"{act}_them" if is_theirs else act, {"it": it, "colour": colour})
    return tidied(words)


def phrase_of(streams: RngStreams, act: str, it: str, colour: str) -> str:
    """The act in the words for any one thing."""
    return without_end_mark(streams.bare().phrase(act, it=it, colour=colour))


def one_counted(streams: RngStreams, group: Sequence[SceneObject], place: int, act: str, colour: str) -> str:
    """An instruction for the thing at a place of `group`."""
    rng, known = streams.wording, numbers(streams, group, place)
    way = rng.random()
    if way < FROM_AN_END:
        end, ordinal = rng.choice((("counting_from", known["o"]), ("counting_back", known["r"])))
        it = f"the {ordinal} {known['name']}"
        return around(streams, end, act_words(streams, act, it, colour, is_one=True))
    words = act_words(streams, act, numbered(streams, group, place), colour, is_one=True)
    if way < FROM_AN_END + ONLY and not SAYS_ALL.search(words):
        return around(streams, "only", words, **_of_others(len(group) - 1))
    return words


def _of_others(count: int) -> dict[str, str]:
    if count == 1:
        return {"others": " one", "are": "it is", "stay": "stays"}
    return {"others": "s", "are": "they are", "stay": "stay"}


def around(streams: RngStreams, kind: str, words: str, **known: str) -> str:
    """An instruction in words that say more about it."""
    return tidied(fill(streams.template(kind, "counting"), **known, two=without_end_mark(words)))


def tidied(words: str) -> str:
    """Without commas before other marks and at the end."""
    return re.sub(r",\s*(?=[,:;.?!]|$)", "", words).strip()
