"""Finds out which of several results a text names: "the second", "I'll take 3", "die dritte bitte"."""

from conversations.intents.phrase_tables import PhraseTable, languages, phrase_table
from conversations.intents.tagged_words import NUMBER, ORDINAL, Clause, clauses
from conversations.intents.text_command import is_remark, windows


def picked_place(text: str) -> int | None:
    """The place that a text without markup names, from 1, in any language; None for one that says more."""
    for language in languages():
        table = phrase_table(language)
        parts = clauses(text, table.lexicon)
        places = [_place(part, table) for part in parts]
        named = [place for place in places if place is not None]
        rest = [part for part, place in zip(parts, places, strict=True) if place is None]
        if len(named) == 1 and all(is_remark(part, table) for part in rest):
            return named[0]
    return None


def _place(clause: Clause, table: PhraseTable) -> int | None:
    if not table.picking.matches(*(clause.tagged(start, end) for start, end in windows(clause, table))):
        return None
    marked = zip(clause.words, clause.tags, strict=True)
    return next(
        (table.lexicon.number_of(word) for word, tags in marked if {NUMBER, ORDINAL} & set(tags)), None
    )
