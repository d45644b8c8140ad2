"""Whether a text is in a language that a model reads; on doubt it is."""

import unicodedata
from collections.abc import Sequence
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from conversations.intents.phrase_tables import languages, phrase_table
from conversations.intents.tagged_words import plain_words

KNOWN_SHARE = 0.5  # of the words: from here on our own tables decide
LEAST = 0.02  # probability that it is in a language read, for a text of words that we do not know


def is_read(text: str, read: Sequence[str]) -> bool:
    """Whether a text is in one of the languages `read`; "en", "de". No languages: any is read."""
    words = plain_words(text)
    if not read or not words:
        return True
    if _is_mostly_foreign_script(text):
        return False
    known = {tongue: sum(map(phrase_table(tongue).knows, words)) for tongue in languages()}
    most = max(known.values())
    if most >= KNOWN_SHARE * len(words):
        return any(known[tongue] == most for tongue in read if tongue in known)
    if len(words) < 2:
        return True
    ranked = _identifier().rank(text)
    return sum(float(probability) for language, probability in ranked if language in read) >= LEAST


def _is_mostly_foreign_script(text: str) -> bool:
    """Whether most letters are not Latin."""
    letters = [sign for sign in text if sign.isalpha()]
    foreign = sum(not unicodedata.name(sign, "").startswith("LATIN") for sign in letters)
    return foreign > len(letters) / 2


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def load_identifier() -> None:
    """Load the recogniser, which takes a second or two."""
    _identifier()
