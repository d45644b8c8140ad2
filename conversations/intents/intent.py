"""What a message asks for, decided from its words alone; the same for every chat and every way in.

    understand("can you undo that?", "en")    Understood(CONTROL, command=TextCommand(UNDO))
    understand("thanks!", "de")               Understood(IGNORE)

A text command is looked for first, then a question about the bot, then evidence for an instruction; the
patterns are data (phrase_tables). Where no language of ours explains the words, none of them decides.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from conversations.intents.message_markup import strip_markup, whole_characters
from conversations.intents.phrase_tables import ENGLISH, PhraseTable, languages, phrase_table
from conversations.intents.sorted_text import Asks, SortedText, TextCommand
from conversations.intents.tagged_words import Clause, clauses, plain_words
from conversations.intents.text_command import (
    command_of,
    filler_bounds,
    is_firm,
    is_polite,
    steering_word,
)
from conversations.intents.text_language import is_read
from conversations.intents.yes_or_no import yes_or_no


class Evidence(IntEnum):
    """How much speaks for an instruction."""

    NONE = 0
    WEAK = 1
    FAIR = 2  # enough in a message to the bot
    STRONG = 3  # enough in any message


_LEVELS = {"strong": Evidence.STRONG, "fair": Evidence.FAIR, "weak": Evidence.WEAK}


@dataclass(frozen=True, slots=True)
class Understood:
    """What a message asks for. `command`: the one that was given, or may be meant where it is unsure.

    `evidence` for an instruction.
    """

    asks: Asks
    command: TextCommand | None = None
    evidence: Evidence = Evidence.NONE


def sort_text(text: str, language: str, read: Sequence[str] = ()) -> SortedText:
    """What a text as it was typed asks for. `language`: the user's, as a tag; `read`: of the model."""
    words = strip_markup(whole_characters(text))
    found = understand(words, re.split("[-_]", language)[0].casefold())
    may_edit = found.asks in (Asks.EDIT, Asks.UNSURE)
    return SortedText(
        words,
        found.asks,
        found.command,
        is_thanks=found.asks is Asks.IGNORE and is_thanks(words),
        is_pointing=is_pointing(words),
        answer=yes_or_no(text),
        is_read=not may_edit or is_read(words, read),
    )


def understand(text: str, language: str, *, is_addressed: bool = True) -> Understood:
    """What a text without markup asks for. `language`: of the user, where it is known; it breaks ties.

    `is_addressed`: whether it was said to the bot; if not, an instruction needs stronger evidence.
    """
    words = plain_words(text)
    if not words:
        return Understood(Asks.IGNORE)
    found = [_in_language(text, tongue, is_addressed) for tongue in _tongues(words, language)]
    return max(found, key=_weight)


def is_pointing(text: str) -> bool:
    """Whether a text only points at the picture beside it: "this one"."""
    return any(
        phrase_table(tongue).pointing.matches(part.tagged())
        for tongue in languages()
        for part in clauses(text, phrase_table(tongue).lexicon)
    )


def is_thanks(text: str) -> bool:
    """Whether a text holds thanks or praise."""
    tables = [phrase_table(tongue) for tongue in languages()]
    return any(
        table.tags["thanks"] in tags
        for table in tables
        for part in clauses(text, table.lexicon)
        for tags in part.tags
    )


@dataclass(frozen=True, slots=True)
class Named:
    """What an instruction names: things, and whether it is about the shape of the picture ("crop it")."""

    things: tuple[str, ...] = ()
    is_shape: bool = False


def named_in(instruction: str) -> Named:
    """What an instruction names, in the language that knows most of its words."""
    (language, *_) = _tongues(plain_words(instruction), ENGLISH)
    table = phrase_table(language)
    things, is_shape = [], False
    for part in clauses(instruction, table.lexicon):
        for word, tags in zip(part.words, part.tags, strict=True):
            is_shape |= table.tags["shape"] in tags
            things += [word] if table.tags["thing"] in tags else []
    return Named(tuple(dict.fromkeys(things)), is_shape)


def _tongues(words: list[str], language: str) -> list[str]:
    """The languages that know most of the words, the user's first."""
    known = {tongue: sum(phrase_table(tongue).knows(word) for word in words) for tongue in languages()}
    best = max(known.values())
    return sorted(
        (tongue for tongue, count in known.items() if count == best), key=lambda tongue: tongue != language
    )


def _weight(found: Understood) -> tuple[int, Evidence]:
    order = (Asks.IGNORE, Asks.UNSURE, Asks.HELP, Asks.EDIT, Asks.CONTROL)
    return order.index(found.asks), found.evidence


def _in_language(text: str, language: str, is_addressed: bool) -> Understood:
    table = phrase_table(language)
    parts = clauses(text, table.lexicon)
    if command := command_of(parts, table):
        return Understood(Asks.CONTROL, command)
    if any(table.asking["sure"].matches(part.tagged()) for part in parts):
        return Understood(Asks.HELP)
    evidence = max(_evidence(part, table) for part in parts)
    if evidence is Evidence.FAIR and any(_is_statement(part, table) for part in parts):
        evidence = Evidence.WEAK  # "put the kettle on, I'm coming over"
    is_steering = any(is_firm(part, table) for part in parts)
    if not is_steering and evidence >= (Evidence.FAIR if is_addressed else Evidence.STRONG):
        return Understood(Asks.EDIT, None, evidence)
    if any(table.asking["patterns"].matches(*_with_and_without_fillers(part, table)) for part in parts):
        return Understood(Asks.HELP)
    is_talk = all(_is_talk(part, table) for part in parts)
    steering = steering_word(parts, table)
    if steering and (is_addressed or not is_talk):
        return Understood(Asks.UNSURE, TextCommand(steering), evidence)
    has_seen = any(set(tags) & set(table.tags["seen"]) for part in parts for tags in part.tags)
    if is_talk or (evidence < Evidence.FAIR and not is_addressed and not has_seen):
        return Understood(Asks.IGNORE, None, evidence)
    return Understood(Asks.UNSURE, None, evidence)


def _evidence(clause: Clause, table: PhraseTable) -> Evidence:
    """How much speaks for a clause being an instruction, with and without its politeness."""
    texts = _with_and_without_fillers(clause, table)
    if _is_social(clause, table) or _is_elsewhere(clause, table) or table.chatter["never"].matches(*texts):
        return Evidence.NONE
    for name, level in _LEVELS.items():
        if table.edits[name].matches(*texts):
            is_talk = level < Evidence.STRONG and table.chatter["talk"].matches(texts[-1])
            return Evidence.NONE if is_talk else level
    return Evidence.NONE


def _is_social(clause: Clause, table: PhraseTable) -> bool:
    """Whether every word of a clause is a greeting, thanks, praise, laughter or politeness."""
    social = {table.tags[name] for name in ("greeting", "thanks")}
    return all(social & set(tags) or is_polite(clause, at, table) for at, tags in enumerate(clause.tags))


def _is_elsewhere(clause: Clause, table: PhraseTable) -> bool:
    """Whether a clause names more of what no picture holds (accounts, meetings) than of what one does."""
    elsewhere = sum(table.tags["elsewhere"] in tags for tags in clause.tags)
    return elsewhere > sum(bool(set(tags) & set(table.tags["seen"])) for tags in clause.tags)


def _is_statement(clause: Clause, table: PhraseTable) -> bool:
    """Whether a clause tells or asks something, instead of only being polite."""
    return not _is_social(clause, table) and table.chatter["talk"].matches(clause.tagged())


def _is_talk(clause: Clause, table: PhraseTable) -> bool:
    """Whether a clause is chatter: only politeness, an idiom, a statement or a question."""
    texts = _with_and_without_fillers(clause, table)
    return (
        _is_social(clause, table)
        or _is_elsewhere(clause, table)
        or table.chatter["never"].matches(*texts)
        or table.chatter["talk"].matches(*texts)
    )


def _with_and_without_fillers(clause: Clause, table: PhraseTable) -> list[str]:
    start, end = filler_bounds(clause, table)
    return list(dict.fromkeys((clause.tagged(), clause.tagged(start, end))))
