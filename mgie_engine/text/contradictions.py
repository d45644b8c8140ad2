"""What an instruction says and its reading leaves out or gets wrong. Imports no torch.

A model can be sure of half an instruction: "paint the house pink and shrink the tree" was read as two pink
things. Four rules compare the words with the reading; each speaks only where the words leave no doubt:

- two clauses that each name a thing, without any other relation between them: the reading names both things,
  their colours, and a removal or another size where a clause says one;
- a thing or part that is not meant ("except the yellow one", "not the sky"): the reading does not change it;
- what takes the place of something else ("take out the house, scratch that, the tree"): the reading names it,
  unless it is said by its place;
- a number of things ("the two trees"): the reading changes so many.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from mgie_engine.config import ModelConfig
from mgie_engine.text.spelling import corrected

_COLOURS = "red|orange|yellow|green|blue|purple|pink|brown|black|white|grey|teal"
_COLOUR = re.compile(rf"\b(?:{_COLOURS})\b")
_JOINTS = re.compile(r"[,.;:&+]|\b(?:and|then|plus|also|while|n)\b")
# Words that relate things to each other, take something back, or leave something out.
_RELATIONS = re.compile(
    r"\b(?:not|don't|dont|isn't|never|without|except|but|only|keep|leave|stays?|other|wait|sorry|oops|actually"
    r"|mean|meant|rather|instead|scratch|er|nope|argh|or|same|like|as|match|than|of|where|because|since|so)\b"
    r"|\bno(?=,| the\b)"
)
_PLACES = re.compile(
    r"\b(?:beside|next|near|by|behind|above|over|under|below|between|left|right|front|in|on|at|from|to)\b"
)
_SIZES = "bigger|larger|smaller|taller|tiny|huge"
_SIZE = re.compile(rf"\b(?:{_SIZES}|enlarge|shrink|grow|size (?:up|down))\b")
_REMOVAL = re.compile(r"\b(?:remove|delete|erase|ditch|take (?:out|away)|gone)\b")
_STAYS = re.compile(r"[^.]*\bstays?\b[^.]*\.")  # a sentence that says what does not change
_OTHER_REGIONS = (
    "shadows",
    "edges",
)  # named by readings, also of a model that takes them for the whole picture
_CHANGES = r"is removed|turns|becomes|grows|shrinks|moves"
_TAKEN_BACK = re.compile(
    r"\b(?:scratch that|strike that|wait|hold on|hang on|sorry|pardon|oops|i mean|i meant|actually|or rather"
    r"|nope|argh|on second thoughts?|changed? my mind|make that|my (?:bad|mistake)|correction"
    r"|no(?=,| the\b| wait))\b"
)
_EFFECTS = (  # words of an instruction, what its reading says then
    (re.compile(r"\b(?:bigger|larger|enlarge|grow)\b"), re.compile(r"\bgrows?\b")),
    (re.compile(r"\b(?:smaller|shrink)\b"), re.compile(r"\bshrinks?\b")),
    (re.compile(r"\b(?:darker|darken)\b"), re.compile("darker")),
    (re.compile(r"\b(?:brighter|lighter|brighten|lighten)\b"), re.compile("brighter")),
    (re.compile(r"\b(?:warmer)\b"), re.compile("warmer")),
    (re.compile(r"\b(?:cooler|colder)\b"), re.compile("cooler")),
)
_END = r"(?= ?(?:[^\w ']|$)| please\b)"  # of a clause: behind "but the box" no other change is said
_LEFT_OUT = (  # before what is left out, behind it, the change that is ruled out ("": any)
    (r"\b(?:except|excepting|excluding|apart from|besides|other than)(?: for)? ", "", ""),
    (r"\b(?:all|every|everything|each)\b[^,.;]*\bbut(?: for)? ", _END, ""),
    (r"\b(?:(?<!why )not|hands off|save for|no need to touch) ", _END, ""),
    (r"\b(?:do not|don't|dont|without|never) (?:touch|chang|alter|edit|mess with)(?:e|ing)? ", _END, ""),
    (r"\b(?:do not|don't|dont|without|never) (?:remov|delet|eras)(?:e|ing) ", "", "is removed"),
    (r"\bleave ", r"(?: alone| as | in peace| be\b| untouched|$)", ""),
    (
        "",
        r" (?:should |must |can |has to )?(?:stays?|remains?)"
        r"(?: as (?:it )?is| as they are| the same| unchanged| untouched)?"
        rf"\b(?!, but (?!the\b))(?:{_END}|(?= (?:and|but|while) the\b))",
        "",
    ),
    (r"\bkeep ", "", "is removed"),
)


# Before "except the sky", these say that the sky alone changes: "leave all but the sky", "nothing except …".
_REVERSED = re.compile(
    r"\b(?:keep|leave|stays?|remains?|unchanged|untouched|nothing|anything|no(?! ?,)|not|never|without"
    r"|don't|dont)\b"
)
_COUNTED = {"two": 2, "2": 2, "both": 2, "three": 3, "3": 3, "four": 4, "4": 4}


class _Clause(NamedTuple):
    things: frozenset[str]
    words: str


def contradicts(instruction: str, expressive: str, config: ModelConfig) -> bool:
    """Whether a reading leaves out or changes what the instruction's words rule out.

    False for a model that does not say how its readings name things (`ModelConfig.things`).
    """
    if not config.things:
        return False
    text = corrected(instruction) if config.corrects_typos else instruction
    said = " ".join(text.casefold().replace("’", "'").split()).replace("get rid of", "remove")
    expressive = _STAYS.sub("", expressive)
    rules = _rules(config.things, (*config.regions, *_OTHER_REGIONS))
    return (
        rules.misses_clause(said, expressive)
        or rules.changes_excluded(said, expressive)
        or rules.misses_correction(said, expressive)
        or rules.miscounts(said, expressive)
    )


class _Rules:
    """The rules for a model's names of things and of parts of a picture."""

    def __init__(self, names: Sequence[str], regions: Sequence[str]) -> None:
        things = "|".join(map(re.escape, names))
        self.thing = re.compile(rf"\b({'|'.join(map(re.escape, (*names, *regions)))})(?:e?s)?\b")
        self.no_thing = re.compile(rf"\bno (?:{things})\b")
        sized = rf"(?:\w+ )?(?:{things})(?:e?s)?\b"
        # "the smaller tree", "two tiny trees", "tiny tree blue"; not "bigger tree"
        self.described = re.compile(
            rf"\b(?:the|an?|my|your|every|each) (?:{_SIZES})\b|(?<=\w )(?:{_SIZES}) {sized}"
            rf"|^(?:{_SIZES}) {sized}(?= (?!please\b)\w)"
        )
        one = (
            rf"(?:the|my|that|this) (?:(?:small|big|large|other) )?"
            rf"(?:(?P<colour>{_COLOURS})(?: (?:ones?|things?|(?P<kind>{things})(?:e?s)?))?"
            rf"|(?P<only>{things})(?:e?s)?)\b(?: or the (?P<second>{things})\b)?(?!(?: \w+)?'s)"
        )
        self.excluded = [(re.compile(before + one + behind), change) for before, behind, change in _LEFT_OUT]
        part = (
            rf"(?:the|my|that|this) (?P<part>{'|'.join(map(re.escape, regions))}|{_COLOURS})\b(?!(?: \w+)?'s)"
        )
        self.excluded_parts = [
            re.compile(before + part + behind) for before, behind, change in _LEFT_OUT if not change
        ]
        self.counted = re.compile(
            rf"(?<!of )(?<!of the )\b({'|'.join(_COUNTED)})(?: of)?(?: the)?(?: \w+)? ({things})e?s\b"
        )
        self.changed = re.compile(rf"The \w+ ({_COLOURS})(?: \w+)? ({things}) (?:in|at)[^.]*? ({_CHANGES})\b")

    def misses_clause(self, said: str, read: str) -> bool:
        """Whether one of several clauses is not in the reading; one that names a place is not looked for."""
        clauses = [clause for clause in self._clauses(said) if not _PLACES.search(clause.words)]
        one_each = all(len(clause.things) == 1 for clause in clauses)
        if _RELATIONS.search(said) or not one_each or len({clause.things for clause in clauses}) < 2:
            return False
        return any(self._is_missing(clause, read.casefold()) for clause in clauses)

    def _is_missing(self, clause: _Clause, read: str) -> bool:
        if not all(_says(read, name) for name in (*clause.things, *_COLOUR.findall(clause.words))):
            return True
        sizes = self.described.sub("", " ".join(clause.words.split()))
        if _SIZE.search(sizes) and not re.search(r"\b(?:grow|shrink)s?\b", read):
            return True
        removes = _REMOVAL.search(clause.words) or self.no_thing.search(clause.words)
        return bool(removes) and "removed" not in read

    def changes_excluded(self, said: str, read: str) -> bool:
        """Whether the reading changes a thing or a part that the instruction leaves out."""
        if any(re.search(rf"\bThe {re.escape(part)} \w", read) for part in self._parts_left_out(said)):
            return True
        return any(
            ruled_out in ("", change) and colour in ("", its_colour) and kind in ("", its_kind)
            for colour, kind, ruled_out in self._left_out(said)
            for its_colour, its_kind, change in self.changed.findall(read)
        )

    def _left_out(self, said: str) -> Iterator[tuple[str, str, str]]:
        """Colour and kind of what is left out, "" for any, and the change that is ruled out."""
        for pattern, ruled_out in self.excluded:
            for found in pattern.finditer(said):
                if found["colour"]:
                    yield found["colour"], found["kind"] or "", ruled_out
                for kind in (found["only"], found["second"]):
                    if kind:
                        yield "", kind, ruled_out

    def _parts_left_out(self, said: str) -> Iterator[str]:
        """The parts that are left out, as readings name them: "sky", "reds"."""
        for pattern in self.excluded_parts:
            for found in pattern.finditer(said):
                is_reversed = _REVERSED.search(said[: found.start()]) or re.search(
                    r"\b(?:keep|leave|stays?|remains?)\b[^,.;]*\bbut\b", found[0]
                )
                if not is_reversed:
                    yield f"{found['part']}s" if _COLOUR.fullmatch(found["part"]) else found["part"]

    def misses_correction(self, said: str, read: str) -> bool:
        """Whether what was said last, after something else was taken back, is not in the reading."""
        back = list(_TAKEN_BACK.finditer(said))
        if not back:
            return False
        before, after, read = said[: back[0].start()], said[back[-1].end() :], read.casefold()
        if _PLACES.search(after):  # what it names may be only near what is meant
            return False
        for names in (self.thing, _COLOUR):
            meant = names.findall(after)
            if meant and names.search(before) and not _says(read, meant[-1]):
                return True
        return any(
            words.search(after)
            and any(other.search(before) for other, _ in _EFFECTS)
            and not effect.search(read)
            for words, effect in _EFFECTS
        )

    def miscounts(self, said: str, read: str) -> bool:
        """Whether the instruction counts things of a kind, and the reading changes another number of them."""
        if _RELATIONS.search(said):
            return False
        for number, kind in self.counted.findall(said):
            changed = sum(its_kind == kind for _, its_kind, _ in self.changed.findall(read))
            together = re.search(rf"\b(both|all (\d)|two)(?: \w+)* {kind}(?:e?s)\b", read.casefold())
            if together:
                changed = int(together[2] or 2)
            if changed and changed != _COUNTED[number]:
                return True
        return False

    def _clauses(self, said: str) -> Iterator[_Clause]:
        """Clauses with a thing, each with the words up to the next one."""
        last: _Clause | None = None
        for part in _JOINTS.split(said):
            if things := frozenset(self.thing.findall(part)):
                if last:
                    yield last
                last = _Clause(things, part)
            elif last:
                last = last._replace(words=f"{last.words} {part}")
        if last:
            yield last


@cache
def _rules(things: tuple[str, ...], regions: tuple[str, ...]) -> _Rules:
    return _Rules(things, regions)


def _says(read: str, name: str) -> bool:
    return re.search(rf"\b{name}", read) is not None
