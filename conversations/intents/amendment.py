"""Finds out what a text adds to the last edit, if it does no more: "but keep the red", "only the left half".

In English alone, since it becomes part of an instruction, which a model reads.
"""

import re

from conversations.intents.phrase_tables import ENGLISH, phrase_table
from conversations.intents.tagged_words import plain_word

_BEFORE = r"(?:(?:no|nope|ok|okay|oh|please|hm+|and|well|wait|oops|sorry|actually)[\s,.!]+)*"
_AFTER = r"(?:[\s,]+(?:please|pls|thanks|thx|though|tho|either))*[\s.!]*"
_NAMED = r"(?:(?:all (?:of )?)?(?:the|my|his|her|its|their|this|that|these|those)\s)"
_WORDS = (
    r"(?!(?:the )?(?:it|that|this|them|everything|anything|too|so|yet|only|going|same|original|first|last|"
    r"other|rest)\b)"
    r"\w[\w'’-]*(?:\s[\w'’-]+){0,4}?"
)
_STAYS = (
    r"(?:alone|unchanged|untouched|out(?: of (?:it|this|that))?|be|intact|the same|in colou?r|colou?red|"
    r"as (?:it|they) (?:is|was|are|were)(?: before)?|(?:the way|how) (?:it|they) (?:is|was|are|were))"
)
_EXCEPTIONS = (
    rf"but\s+keep\s+({_NAMED}?{_WORDS})(?:\s{_STAYS})?",
    rf"(?:keep|spare)\s+({_NAMED}{_WORDS})(?:\s{_STAYS})?",
    rf"(?:but\s+)?leave\s+({_NAMED}?{_WORDS})\s{_STAYS}",
    rf"(?:but\s+)?leave out\s+({_NAMED}?{_WORDS})",
    rf"(?:but\s+)?({_NAMED}{_WORDS}) (?:stays?|should stay|must stay|has to stay)(?:\s{_STAYS})?",
    rf"(?:but\s+)?(?:do not|don['’]?t|without)\s+(?:touch|chang|affect)(?:e|ing)?\s+({_NAMED}{_WORDS})",
    rf"(?:but\s+)?not\s+(?:for\s+|in\s+|on\s+)?({_NAMED}{_WORDS})",
    rf"(?:everything |all )?(?:except|excluding|apart from|besides|all but|everything but)(?: for)?\s+"
    rf"({_NAMED}?{_WORDS})",
)
_LIMITS = (rf"(?:but\s+|i meant\s+)?(?:only|just)\s+(?:for\s+|in\s+|on\s+)?({_NAMED}{_WORDS})",)
_MORE = (
    rf"(?:and |also |plus )+({_NAMED}{_WORDS}) (?:too|as well|also)",
    rf"(?:and )?also ({_NAMED}{_WORDS})",
)
_FORMS = tuple(
    (joint, re.compile(rf"{_BEFORE}(?:{'|'.join(forms)}){_AFTER}", re.IGNORECASE))
    for joint, forms in (("except", _EXCEPTIONS), ("just", _LIMITS), ("and", _MORE))
)
_DETERMINER = re.compile(rf"{_NAMED}|all (?:of )?", re.IGNORECASE)
_WHERE = re.compile(
    r" (?:on|in|at) (?:the )?(?:left|right|middle|cent(?:er|re)|back|front|top|bottom)", re.IGNORECASE
)
_PARTS = re.compile(r"shadows?|highlights?|mid-?tones?|background|foreground|subject|foliage|edges?|corners?")
_BARE_PARTS = re.compile(r"half|side|parts?|areas?|bits?")  # that say nothing without a word before them
_SHAPE = re.compile("[mcl]*(?:n+|co?|l|[mcl]b)")  # modifier, colour, location, noun, bare part, "ones"


def amendment(text: str) -> str | None:
    """What a text without markup adds: "except the red", "just the sky"; "and the blue" to one of these."""
    for joint, form in _FORMS:
        found = form.fullmatch(text.strip())
        part = next((named for named in found.groups() if named), "") if found else ""
        if part and _is_part(part):
            return f"{joint} {part}"
    return None


def _is_part(part: str) -> bool:
    """Whether the words name a part of a picture and say no more: "the red roof", but not "the roof red"."""
    words = _WHERE.sub("", _DETERMINER.sub("", part, count=1)).split()
    return bool(_SHAPE.fullmatch("".join(map(_kind, map(plain_word, words)))))


def _kind(word: str) -> str:
    """The letter of a word in `_SHAPE`; "x" for one that names no part."""
    if _BARE_PARTS.fullmatch(word):
        return "b"
    if word in ("one", "ones", "things"):
        return "o"
    if _PARTS.fullmatch(word):
        return "n"
    table = phrase_table(ENGLISH)
    tags = table.lexicon.tags_of(word)
    if word in ("upper", "lower", "right") or table.tags["attribute"] in tags:
        return "m"
    if table.tags["colour"] in tags:
        return "x" if re.match("colou?r", word) else "c"
    if table.tags["position"] in tags:
        return "l"
    return "n" if table.tags["thing"] in tags or table.tags["place"] in tags else "x"
