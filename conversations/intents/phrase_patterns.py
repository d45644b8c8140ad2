"""Small patterns over words, as the tables of each language write them.

    "(undo|revert) [<it>]"      alternatives, an optional part, a fragment or a list of words by name
    "make * <seen> *"           * stands for any words, + for at least one, dunkl* for a word that begins so
    "<any> <number> <version>"  built in: any word, "2" or "two", "v2"; <ordinal> is "second", <unknown> is a
                                word that is in no list

A pattern is matched against the whole of some tagged words, "make/AB it/C darker/D ". A list of words stands
for one or more words in a row that are on it.
"""

import re
from collections.abc import Iterable, Mapping

import re2

from conversations.intents.tagged_words import spellings

MAX_MEMORY = 64 << 20  # bytes, of one set
_PARTS = re.compile(r"[()\[\]|]|<\w+>|[^\s()\[\]|<>]+")
_FIXED = {
    "(": "(?:",
    ")": ")",
    "[": "(?:",
    "]": ")?",
    "|": "|",
    "*": r"(?:\S+ )*",
    "+": r"(?:\S+ )+",
    "<any>": r"\S+ ",
    "<unknown>": r"[^\s/]+/ ",
}


class PatternSet:
    """Patterns of which any may match. RE2 takes time in proportion to the text, whatever is typed."""

    def __init__(
        self, patterns: Iterable[str], tags: Mapping[str, str], fragments: Mapping[str, str]
    ) -> None:
        """KeyError for an unknown name.

        `tags`: the tags that stand for each list of words; `fragments`: patterns that others use by name.
        """
        options = re2.Options()
        options.max_mem = MAX_MEMORY
        self._set = re2.Set.FullMatchSet(options)
        for pattern in patterns:
            self._set.Add(_expression(pattern, tags, fragments))
        self._set.Compile()

    def matches(self, *texts: str) -> bool:
        """Whether a pattern matches the whole of one of the tagged texts."""
        return any(self._set.Match(text) for text in texts)


def _expression(pattern: str, tags: Mapping[str, str], fragments: Mapping[str, str]) -> str:
    return "".join(_part(part, tags, fragments) for part in _PARTS.findall(pattern))


def _part(part: str, tags: Mapping[str, str], fragments: Mapping[str, str]) -> str:
    if part in _FIXED:
        return _FIXED[part]
    if not part.startswith("<"):
        return _word(part)
    name = part[1:-1]
    if name in tags:
        return rf"(?:[^\s/]+/\S*[{tags[name]}]\S* )+"
    return f"(?:{_expression(fragments[name], tags, fragments)})"


def _word(word: str) -> str:
    forms = "|".join(map(re.escape, spellings(word.removesuffix("*"))))
    return rf"(?:{forms}){'[^/]*' if word.endswith('*') else ''}/\S* "
