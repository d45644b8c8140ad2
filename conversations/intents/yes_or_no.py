"""Yes and no, as people answer a question of the bot: the one rule for every question and every chat."""

from conversations.intents.message_markup import strip_markup
from conversations.intents.phrase_tables import PhraseTable, languages, phrase_table
from conversations.intents.sorted_text import YesNo
from conversations.intents.tagged_words import clauses

LONGEST_CHARS = 80
_SIGNS = {"👍": YesNo.YES, "✅": YesNo.YES, "👌": YesNo.YES, "👎": YesNo.NO, "❌": YesNo.NO, "🚫": YesNo.NO}


def yes_or_no(text: str) -> YesNo | None:
    """The answer that a text gives in any language; None for one that says more, or both."""
    words = strip_markup(text)
    if len(words) > LONGEST_CHARS:
        return None
    if not words:
        found = {answer for sign, answer in _SIGNS.items() if sign in text}
    else:
        found = {answer for tongue in languages() if (answer := _in(words, phrase_table(tongue)))}
    return found.pop() if len(found) == 1 else None


def _in(text: str, table: PhraseTable) -> YesNo | None:
    """The answer in one language: every clause is one or stands next to one."""
    given: set[YesNo] = set()
    for part in clauses(text, table.lexicon):
        found = [answer for answer in YesNo if table.answers[answer].matches(part.tagged())]
        if not found and not table.answers["beside"].matches(part.tagged()):
            return None
        given.update(found)
    if given == {YesNo.YES, YesNo.ALWAYS}:
        return YesNo.ALWAYS
    return given.pop() if len(given) == 1 else None
