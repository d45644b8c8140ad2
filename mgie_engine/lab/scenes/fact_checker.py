"""Parses expressive instructions into facts and compares facts with the picture.

The grammar is that of `expressive_text` and of the edits. A sentence in other words is one unreadable fact,
which counts as false.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from mgie_engine.lab.scenes.expressive_text import (
    ALL_STAYS,
    AS_ASKED,
    KNOWN_HERE,
    KNOWN_PHOTO,
    NOTHING,
    REST_STAYS,
    THINGS_STAY,
    plural_effect,
    where,
)
from mgie_engine.lab.scenes.phrasing import plural, table
from mgie_engine.lab.scenes.references import towards
from mgie_engine.lab.scenes.scene import (  # fmt: skip
    COLOURS,
    COLUMNS,
    GROUND_KINDS,
    MATERIALS,
    PART_OF,
    ROWS,
    SIZES,
    SKY_KINDS,
    Cell,
)
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.tonal import DEGREES
from mgie_engine.restore.said_tones import effects
from mgie_engine.restore.tones import STRENGTHS, ToneSpec

When = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One stated attribute: in the picture before or after, of a place, of a kind, or of the whole."""

    when: When
    about: str  # "in front on the far left", "balls", "ground", "picture", …
    attribute: str
    value: str


UNREADABLE = "unreadable"
_PLACES: Mapping[str, Cell] = MappingProxyType(
    {where(Cell(row, column)): Cell(row, column) for row in ROWS for column in range(COLUMNS)}
)
_KINDS: Mapping[str, str] = MappingProxyType({plural(k): k for k in GROUND_KINDS + SKY_KINDS})


def _any(words: Sequence[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_COLOUR, _PLACE, _SIZE = _any(tuple(COLOURS)), _any(tuple(_PLACES)), _any(tuple(SIZES))
_KIND, _KINDS_WORD = _any(GROUND_KINDS + SKY_KINDS), _any(tuple(_KINDS))
_PART = _any([part for parts in PART_OF.values() for part in parts])
_MATERIAL = _any([material for material in MATERIALS if material != "plain"])
_THING = f"{_SIZE} {_COLOUR}(?: {_MATERIAL})? {_KIND}"

_READ_THING = re.compile(
    f"(?P<size>{_SIZE})? ?(?P<colour>{_COLOUR})? ?(?P<material>{_MATERIAL})? ?(?P<kind>{_KIND}|{_KINDS_WORD})"
)


def parse_facts(expressive: str) -> list[Fact]:
    """The facts an expressive instruction states; a sentence of unknown form is one unreadable fact."""
    facts = list[Fact]()
    for sentence in re.findall(r"[^.!?]+[.!?]?", expressive):
        facts = _followed(facts, _read_sentence(sentence.strip()))
    return facts or [Fact("before", "text", UNREADABLE, expressive)]


def _followed(facts: list[Fact], new: list[Fact]) -> list[Fact]:
    """All facts, where a sentence about a thing may follow one that changed it ("turns blue", "moves")."""
    start = next((fact.about for fact in new if fact.when == "before"), "")
    if not any(fact.about == start and fact.when == "before" for fact in facts):
        return facts + new
    changed = {replace(fact, when="before") for fact in facts if fact.when == "after"}
    end = next((fact.about for fact in new if fact.when == "after"), start)
    moved = [
        replace(fact, about=end) if (fact.when, fact.about) == ("after", start) else fact for fact in facts
    ]
    return moved + [fact for fact in new if fact not in changed]


def fact_holds(fact: Fact, before: State, after: State) -> bool:
    """Whether a fact is true of an edit's two pictures."""
    state = before if fact.when == "before" else after
    if fact.about == "picture":
        return _tone_holds(fact, before, after)
    if fact.attribute == UNREADABLE or state.scene is None:
        return False
    if fact.about in ("ground", "sky", "time", "weather"):
        return bool(getattr(state.scene, fact.about) == fact.value)
    if fact.about in _KINDS:
        return _group_holds(fact, state)
    return _thing_holds(fact, state)


def _tone_holds(fact: Fact, before: State, after: State) -> bool:
    if fact.attribute == "same":
        return before == after
    if fact.attribute == "layer":
        return before.scene is None and fact.value not in before.layers
    name, degree, *region = fact.value.split(" ", 2)
    return ToneSpec(name, STRENGTHS[degree], *region) in after.tones[len(before.tones) :]


def _group_holds(fact: Fact, state: State) -> bool:
    group = state.drawn.of(_KINDS[fact.about])
    if fact.attribute == "count":
        return str(len(group)) == fact.value
    if fact.attribute == "odd":
        return all(len({t.colour for t in state.drawn.of(k)}) < 2 for k in _KINDS.values())
    if fact.attribute == "none in":
        return all(obj.colour != fact.value for obj in group)
    return bool(group) and all(getattr(obj, fact.attribute) == fact.value for obj in group)


def _thing_holds(fact: Fact, state: State) -> bool:
    obj = state.drawn.at(_PLACES[fact.about])
    if obj is None or fact.attribute == "nothing":
        return obj is None and fact.attribute == "nothing"
    if fact.attribute == "no room":
        step = 1 if fact.value == "right" else -1
        return all(state.drawn.at(cell) for cell in towards(obj, step))
    value = dict(obj.parts).get(fact.attribute, getattr(obj, fact.attribute, None))
    return value == fact.value


# --- sentences ---


def _read_sentence(sentence: str) -> list[Fact]:
    for pattern, reader in _FORMS:
        if match := pattern.fullmatch(sentence):
            groups = match.groupdict()
            return list(_stated(reader, groups) if isinstance(reader, tuple) else reader(groups))
    return [Fact("before", "text", UNREADABLE, sentence)]


Groups = dict[str, str]
# What a sentence states: (when, object, place) for everything that is said of an object, else the fields of a
# fact. Fields in braces are groups of the pattern.
Statement = tuple[When, str, str] | tuple[When, str, str, str]


def _stated(statements: tuple[Statement, ...], groups: Groups) -> Iterator[Fact]:
    for when, *fields in statements:
        filled = [field.format(**groups) for field in fields]
        if len(filled) == 2:
            yield from _described(when, *filled)
        else:
            yield Fact(when, *filled)


def _described(when: When, obj: str, place: str) -> Iterator[Fact]:
    found = _READ_THING.fullmatch(obj)
    assert found
    for attribute, value in found.groupdict().items():
        if value:
            yield Fact(when, place, attribute, _KINDS.get(value, value))


def _surroundings(g: Groups) -> Iterator[Fact]:
    for clause in g["clauses"].split(" and "):
        found = re.fullmatch(r"[Tt]he (ground|sky|light|weather) \w+ from (\w+) to (\w+)", clause)
        assert found
        about = {"light": "time"}.get(found[1], found[1])
        yield Fact("before", about, about, found[2])
        yield Fact("after", about, about, found[3])


def _toned(g: Groups) -> Iterator[Fact]:
    said = {text: (name, DEGREES[i]) for name, ways in effects().items() for i, text in enumerate(ways)}
    for name, ways in effects().items():
        said[ways[1]] = (name, DEGREES[1])  # what has no degrees is plain
    for effect in re.split(r" and (?=gets|takes|turns|fades)", g["effects"]):
        name, degree = said.get(effect, ("", ""))
        known = Fact("after", "picture", "tone", f"{name} {degree}")
        yield known if name else Fact("after", "text", UNREADABLE, effect)


def _addressed(g: Groups) -> Iterator[Fact]:
    said = f"everything but the {g['but']}" if g["but"] else g["region"]
    region = next(name for name, text in table("addressed")["regions"].items() if text == said)
    for name, ways in effects().items():
        for degree, effect in zip((DEGREES[1], *DEGREES), (ways[1], *ways), strict=True):
            if g["effect"] in (effect, plural_effect(effect)):
                yield Fact("after", "picture", "tone", f"{name} {degree} {region}")
                return
    yield Fact("after", "text", UNREADABLE, g["effect"])


def _none_here(g: Groups) -> Iterator[Fact]:
    yield Fact("before", plural(g["kind"]), *(("none in", g["colour"]) if g["colour"] else ("count", "0")))


_REGIONS = tuple(table("addressed")["regions"].values())
_REGION = _any([text for text in _REGIONS if " but " not in text])
_BUT = _any([text.removeprefix("everything but the ") for text in _REGIONS if " but " in text])
_AT = f"(?P<obj>{_THING}) (?P<place>{_PLACE})"
_PART_WORD = f"(?P<part>{_PART})"
_ALL = rf"All (?P<count>\d+) (?P<kinds>{_KINDS_WORD})"
_BOTH = f"Both (?P<kinds>{_KINDS_WORD})"
_CLAUSE = r"[Tt]he (?:ground|sky|light|weather) (?:turns|changes) from \w+ to \w+"
_TURN = rf"turn (?P<colour>{_COLOUR})\."
_WAS: Statement = ("before", "{obj}", "{place}")
_NOT_THERE: Statement = ("before", "{place}", "nothing", "")
_COLOURED: Statement = ("after", "{place}", "colour", "{colour}")
_ALL_COLOURED: Statement = ("after", "{kinds}", "colour", "{colour}")
_ALL_GONE: Statement = ("after", "{kinds}", "count", "0")
Reader = tuple[Statement, ...] | Callable[[Groups], Iterator[Fact]]
_SENTENCES: tuple[tuple[str, Reader], ...] = (
    (rf"The {_AT} turns (?P<colour>{_COLOUR})\.", (_WAS, _COLOURED)),
    (rf"The (?P<old>{_COLOUR}) {_PART_WORD} of the {_AT} turns (?P<colour>{_COLOUR})\.",
     (_WAS, ("before", "{place}", "{part}", "{old}"), ("after", "{place}", "{part}", "{colour}"))),
    (rf"The {_AT} is removed\.", (_WAS, ("after", "{place}", "nothing", ""))),
    (rf"A (?P<obj>{_THING}) appears (?P<place>{_PLACE})\.", (_NOT_THERE, ("after", "{obj}", "{place}"))),
    (rf"Two (?P<obj>{_SIZE} {_COLOUR} {_KINDS_WORD}) appear (?P<place>{_PLACE}) and (?P<second>{_PLACE})\.",
     (_NOT_THERE, ("after", "{obj}", "{place}"),
      ("before", "{second}", "nothing", ""), ("after", "{obj}", "{second}"))),
    (rf"The {_AT} becomes a (?P<new>{_THING})\.", (_WAS, ("after", "{new}", "{place}"))),
    (rf"The {_AT} (?:grows|shrinks) from (?P<old>{_SIZE}) to (?P<new>{_SIZE})\.",
     (_WAS, ("before", "{place}", "size", "{old}"), ("after", "{place}", "size", "{new}"))),
    (rf"The (?P<obj>{_THING}) moves from (?P<place>{_PLACE}) to (?P<second>{_PLACE})\.",
     (_WAS, ("after", "{obj}", "{second}"))),
    (rf"The (?P<obj>{_COLOUR} {_KIND}) (?P<place>{_PLACE}) stays\.", (_WAS, ("after", "{obj}", "{place}"))),
    (rf"{_BOTH} {_TURN}", (("before", "{kinds}", "count", "2"), _ALL_COLOURED)),
    (rf"{_ALL} {_TURN}", (("before", "{kinds}", "count", "{count}"), _ALL_COLOURED)),
    (rf"{_BOTH} are removed\.", (("before", "{kinds}", "count", "2"), _ALL_GONE)),
    (rf"{_ALL} are removed\.", (("before", "{kinds}", "count", "{count}"), _ALL_GONE)),
    (rf"(?P<clauses>{_CLAUSE}(?: and {_CLAUSE})*)\.", _surroundings),
    (r"The whole picture (?P<effects>.+)\.", _toned),
    (rf"(?:The (?P<region>{_REGION})|Everything but the (?P<but>{_BUT})) "
     r"(?P<effect>(?:get|turn|take|fade)s? .+)\.", _addressed),
    (rf"(?:{re.escape(NOTHING)}|{re.escape(AS_ASKED)})", (("after", "picture", "same", ""),)),
    (rf"I see no (?:(?P<colour>{_COLOUR}) )?(?P<kind>{_KIND}) here\.", _none_here),
    (r"I see no (?P<layer>sky|mountains|ground|water|foliage) here\.",
     (("before", "picture", "layer", "{layer}"),)),
    (r"I see no odd one here\.", (("before", next(iter(_KINDS)), "odd", ""),)),
    (rf"The {_AT} is already (?P<value>{_COLOUR})\.", (_WAS, ("before", "{place}", "colour", "{value}"))),
    (rf"The {_AT} is already (?P<value>{_SIZE})\.", (_WAS, ("before", "{place}", "size", "{value}"))),
    (rf"The {_AT} is in the way\.", (_WAS,)),
    (rf"There is no room on the (?P<side>left|right) of the {_AT}\.",
     (_WAS, ("before", "{place}", "no room", "{side}"))),
    ("|".join(map(re.escape, (ALL_STAYS, REST_STAYS, THINGS_STAY, KNOWN_HERE, KNOWN_PHOTO))), ()),
)  # fmt: skip
_FORMS = tuple((re.compile(pattern), reader) for pattern, reader in _SENTENCES)
