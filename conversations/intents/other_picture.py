"""Finds out whether a text means the user's last instruction for another picture: "same for this one"."""

from conversations.intents.phrase_patterns import PatternSet
from conversations.intents.phrase_tables import PhraseTable, languages, phrase_table
from conversations.intents.sorted_text import OtherPicture
from conversations.intents.tagged_words import Clause, clauses
from conversations.intents.text_command import is_remark, windows


def other_picture(text: str) -> OtherPicture | None:
    """Which other picture a text without markup means, in any language; None for one that says more."""
    for language in languages():
        table = phrase_table(language)
        parts = clauses(text, table.lexicon)
        named = [_matches(table.elsewhere, part, table) for part in parts]
        shown = [_matches(table.same_here, part, table) for part in parts]
        rest = [part for part, *found in zip(parts, named, shown, strict=True) if not any(found)]
        if len(rest) < len(parts) and all(is_remark(part, table) for part in rest):
            return OtherPicture.ELSEWHERE if any(named) else OtherPicture.HERE
    return None


def _matches(patterns: PatternSet, clause: Clause, table: PhraseTable) -> bool:
    return patterns.matches(*(clause.tagged(start, end) for start, end in windows(clause, table)))
