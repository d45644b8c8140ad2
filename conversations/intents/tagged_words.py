"""Texts as clauses of plain words, each with the lists it stands in: what patterns are matched against."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"->|=>|→|[^\W_]+(?:['’´`][^\W_]+)*|[.!?;,:…\n()]+|\s[-–—]+\s")
_SMILEY = re.compile(r"(?<!\w)[:;=]['’-]?[)(\]\[DPpOo3/\\|*]+(?!\w)|<3")
_SUBORDINATE = re.compile(
    r",\s+(?=da(?:ss|ß)\b)", re.IGNORECASE
)  # German puts a comma inside "I want that …"
_ARROWS = ("->", "=>", "→")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_LONGEST_STEM = 12
WORDS_MAX = 60  # of a text; what follows decides nothing


@dataclass(frozen=True, slots=True)
class Clause:
    """Words between two marks, and the tags of each; `is_question`: a question mark ends it."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    is_question: bool = False

    def tagged(self, start: int = 0, end: int | None = None) -> str:
        """The words from `start` to `end` as patterns see them."""
        pairs = zip(self.words[start:end], self.tags[start:end], strict=True)
        return "".join(f"{word}/{tags} " for word, tags in pairs)


@lru_cache(4096)
def plain_word(word: str) -> str:
    """A word in lower case without accents and apostrophes; "sooo" becomes "so"."""
    folded = unicodedata.normalize("NFKD", word.casefold().replace("ß", "ss"))
    letters = "".join(sign for sign in folded if sign.isalnum())
    return re.sub(r"([^\W\d])\1{2,}", r"\1", letters)


def spellings(word: str) -> tuple[str, ...]:
    """How a word of a table may be typed: also with "ue" for "ü"."""
    return tuple(dict.fromkeys((plain_word(word), plain_word(word.casefold().translate(_UMLAUTS)))))


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The lists of words of one language; a tag is one character and stands for a list.

    words      plain word → tags; stems: beginnings of words → tags
    phrases    first word → (all its words, tags)
    splitting  words that begin another clause; joining: the same before a word with one of the tags `verbs`
    numbers    word → its value; ordinals: the same
    endings    that an inflected word may have beyond the listed one
    compounds  tags of the lists whose words may end a compound, as in "hintergrundfarbe"
    """

    words: Mapping[str, str]
    stems: Mapping[str, str]
    phrases: Mapping[str, Sequence[tuple[tuple[str, ...], str]]]
    splitting: frozenset[str]
    joining: frozenset[str]
    verbs: str
    numbers: Mapping[str, int]
    ordinals: Mapping[str, int]
    endings: tuple[str, ...] = ()
    compounds: str = ""

    def tags_of(self, word: str) -> str:
        """The tags of a plain word; "" for one in no list."""
        found = self.words.get(word, "")
        for length in range(3, min(len(word), _LONGEST_STEM) + 1):
            found += self.stems.get(word[:length], "")
        return found or self._inflected(word)

    def _inflected(self, word: str) -> str:
        for ending in self.endings:
            if word.endswith(ending) and (tags := self.words.get(word[: -len(ending)])):
                return tags
        for start in range(2, len(word) - 3) if self.compounds else ():
            if found := "".join(tag for tag in self.words.get(word[start:], "") if tag in self.compounds):
                return found
        return ""

    def number_of(self, word: str) -> int | None:
        """The number that a word names: "2", "v2", "two", "second"; else None."""
        digits = word[1:] if word[:1] == "v" else word
        if digits.isdecimal() and len(digits) <= 6:
            return int(digits)
        return self.numbers.get(word, self.ordinals.get(word))


NUMBER, ORDINAL, VERSION = "#", "&", "@"  # tags of words that are numbers


def clauses(text: str, lexicon: Lexicon) -> list[Clause]:
    """The clauses of a text, tagged by the lists of one language."""
    found = [_clause(words, lexicon, is_question) for words, is_question in _split(text) if words]
    return [part for clause in found for part in _parts(clause, lexicon)]


def plain_words(text: str) -> list[str]:
    """Every word of a text in its plain form."""
    return [word for words, _ in _split(text) for word in words]


def _split(text: str) -> Iterator[tuple[list[str], bool]]:
    words: list[str] = []
    for part in _WORD.findall(_SUBORDINATE.sub(" ", _SMILEY.sub(" ", text)))[: 2 * WORDS_MAX]:
        if part in _ARROWS:
            words.append("arrow")
        elif part[0].isalnum():
            plain = plain_word(part)
            words += [plain] if plain and plain not in words[-1:] else []  # "stop stop stop"
        else:
            yield words, "?" in part
            words = []
    yield words, False


def _clause(words: Sequence[str], lexicon: Lexicon, is_question: bool) -> Clause:
    tags = [lexicon.tags_of(word) + _number_tag(word, lexicon) for word in words]
    for at, word in enumerate(words):
        for phrase, of_phrase in lexicon.phrases.get(word, ()):
            if tuple(words[at : at + len(phrase)]) == phrase:
                for place in range(at, at + len(phrase)):
                    tags[place] += of_phrase
    return Clause(tuple(words), tuple(tags), is_question)


def _number_tag(word: str, lexicon: Lexicon) -> str:
    if word.isdecimal() or word in lexicon.numbers:
        return NUMBER
    if word in lexicon.ordinals:
        return ORDINAL
    return VERSION if lexicon.number_of(word) is not None else ""


def _parts(clause: Clause, lexicon: Lexicon) -> Iterator[Clause]:
    start = 0
    for at, word in enumerate(clause.words[:-1]):
        follows = set(clause.tags[at + 1]) & set(lexicon.verbs)
        if at > start and (word in lexicon.splitting or (word in lexicon.joining and follows)):
            yield Clause(clause.words[start:at], clause.tags[start:at], clause.is_question)
            start = at
    yield Clause(clause.words[start:], clause.tags[start:], clause.is_question)
