"""A text as numbers: the features that the classifier weighs, each a bucket that its hash names.

Three groups: words and pairs of words; parts of words; the lists that the words stand in. The lists tell
nouns apart that the corpus never saw, the parts see through endings and typos.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from conversations.intents.phrase_tables import PhraseTable
from conversations.intents.tagged_words import clauses

BUCKETS = 1 << 17
GROUP_WEIGHTS = (1.0, 1.0, 0.5)
PART_CHARS = (3, 5)  # of a part of a word, the fewest and the most
TAGS_MAX = 4  # lists of one word that are paired with those of the next
_TOKEN = re.compile(r"[^\W_]+|[?!]|[.,;:]")
_NAME = r"[A-ZÁÉÍÓÚÑÄÖÜ][a-zäöüñáéíóúß]+"
_NAME_FIRST, _NAME_LAST = re.compile(rf"{_NAME},"), re.compile(rf",\s*{_NAME}\s*[.!?]*$")
_WORDS_COUNTED = 12

Features = tuple[NDArray[np.int64], ...]  # of each group the buckets, each once


def features_of(text: str, table: PhraseTable) -> Features:
    """The features of a text without markup. `table`: of its language."""
    tokens = _TOKEN.findall(_folded(text))
    groups = (_words(text, tokens), _parts(tokens), _lists(text, table))
    return tuple(np.unique([zlib.crc32(name.encode()) % BUCKETS for name in group]) for group in groups)


def _folded(text: str) -> str:
    """In lower case, without accents; every number is "0"."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss"))
    return re.sub(r"\d+", "0", "".join(sign for sign in letters if not unicodedata.combining(sign)))


def _words(text: str, tokens: list[str]) -> Iterator[str]:
    marked = ["^", *tokens, "$"]
    yield from marked
    yield from map(" ".join, pairwise(marked))
    yield f"length {min(len(text.split()), _WORDS_COUNTED)}"
    if _NAME_FIRST.match(text):
        yield "name first"
    if _NAME_LAST.search(text):
        yield "name last"
    if "@" in text:
        yield "name"


def _parts(tokens: list[str]) -> Iterator[str]:
    least, most = PART_CHARS
    for word in tokens:
        padded = f" {word} "
        for length in range(least, most + 1):
            for start in range(len(padded) - length + 1):
                yield "#" + padded[start : start + length]


def _lists(text: str, table: PhraseTable) -> Iterator[str]:
    for clause in clauses(text, table.lexicon):
        before = ["^"]
        for tags in clause.tags:
            here = [table.lists.get(tag, tag) for tag in dict.fromkeys(tags)] or ["?"]
            yield from (f"<{name}>" for name in here)
            yield from (f"<{a}><{b}>" for a, b in product(before[:TAGS_MAX], here[:TAGS_MAX]))
            before = here
        yield from (f"<{name}>$" for name in before[:TAGS_MAX])
