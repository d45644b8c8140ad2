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
_ANOTHER_ACT = re.compile(r"\b(?:and|but|make|turn|add|remove|change)\b", re.IGNORECASE)


def amendment(text: str) -> str | None:
    """What a text without markup adds: "except the red", "just the sky"; "and the blue" to one of these."""
    for joint, form in _FORMS:
        found = form.fullmatch(text.strip())
        part = next((named for named in found.groups() if named), "") if found else ""
        if part and not _ANOTHER_ACT.search(part) and not _says_how(part):
            return f"{joint} {part}"
    return None


def _says_how(part: str) -> bool:
    """Whether the words say how something is to be: "the roof red", but not "the red roof"."""
    table, words = phrase_table(ENGLISH), [plain_word(word) for word in part.split()]
    how = {table.tags[name] for name in ("colour", "comparative", "attribute")}
    *before, last = (set(table.lexicon.tags_of(word)) for word in words)
    nouns = {table.tags["thing"], table.tags["place"]}
    return bool(before and last & how and before[-1] & nouns)
