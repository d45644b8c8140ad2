"""Text commands: which one a message gives, with which version, however politely it is said."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from conversations.intents.phrase_tables import PhraseTable
from conversations.intents.sorted_text import LATEST, CommandWord, TextCommand
from conversations.intents.tagged_words import NUMBER, ORDINAL, VERSION, Clause, plain_word
from conversations.intents.text_classifier import text_classifier

VERSION_WORDS = ("version", "v")  # before a number, which is then that of a version
REMARK = 0.5  # how likely the clause beside a command must be chatter


def command_of(parts: Sequence[Clause], table: PhraseTable) -> TextCommand | None:
    """The command that a text gives: one of its clauses, where the others only say it politely or why."""
    found: TextCommand | None = None
    for part in parts:
        command = _command(part, table)
        if command is None and not is_remark(part, table):
            return None
        found = command or found
    return found


def _command(clause: Clause, table: PhraseTable) -> TextCommand | None:
    if has_opinion(clause, table):
        return None
    for start, end in windows(clause, table):
        text = clause.tagged(start, end)
        for word in CommandWord:
            if table.commands[word].matches(text):
                return _with_numbers(word, clause, start, end, table)
    return None


def has_opinion(clause: Clause, table: PhraseTable) -> bool:
    """Whether a clause says what somebody thinks: "I think the first one looked better"."""
    return any(table.tags["opinion"] in tags for tags in clause.tags)


def windows(clause: Clause, table: PhraseTable) -> Iterator[tuple[int, int]]:
    """Where a command may begin and end: anywhere in the politeness around it, the longest first."""
    first, last = filler_bounds(clause, table)
    length = len(clause.words)
    pairs = {(start, end) for start in range(first + 1) for end in (last, length)}
    pairs |= {(start, end) for start in (0, first) for end in range(last, length + 1)}
    yield from sorted((pair for pair in pairs if pair[0] < pair[1]), key=lambda pair: pair[0] - pair[1])


def filler_bounds(clause: Clause, table: PhraseTable) -> tuple[int, int]:
    """Where the words begin and end that are not politeness; the end and the end where all are."""
    is_filler = [is_polite(clause, at, table) for at in range(len(clause.words))]
    if all(is_filler):
        return len(is_filler), len(is_filler)
    return is_filler.index(False), len(is_filler) - is_filler[::-1].index(False)


def is_polite(clause: Clause, at: int, table: PhraseTable) -> bool:
    """Whether a word is politeness. After a degree it says how instead: "claro", but "un poco más claro"."""
    tags, before = clause.tags[at], clause.tags[at - 1] if at else ""
    says_how = set(table.tags["seen"] + table.tags["judged"])
    return table.tags["filler"] in tags and not (says_how & set(tags) and table.tags["degree"] in before)


def _with_numbers(word: CommandWord, clause: Clause, start: int, end: int, table: PhraseTable) -> TextCommand:
    """The command with the version or the steps that its words name."""
    tagged = list(zip(clause.words[start:end], clause.tags[start:end], strict=True))
    is_count = word in (CommandWord.UNDO, CommandWord.SEEDS)
    marks = (NUMBER,) if is_count else (NUMBER, ORDINAL, VERSION)
    numbers = (table.lexicon.number_of(said) for said, tags in tagged if set(marks) & set(tags))
    number = next((number for number in numbers if number is not None), None)
    if is_count:
        return TextCommand(word, steps=number or (1 if word is CommandWord.UNDO else 0))
    if word in (CommandWord.STRONGER, CommandWord.SUBTLER):
        return TextCommand(word, is_slight=table.slight.matches(clause.tagged(start, end)))
    if word not in (CommandWord.GO_TO, CommandWord.COMPARE, CommandWord.SHOW):
        return TextCommand(word)
    if number is None and table.of_original.matches(clause.tagged(start, end)):
        number = 0
    if number is None and table.of_latest.matches(clause.tagged(start, end)):
        return TextCommand(word, LATEST)
    is_version = any(VERSION in tags for _, tags in tagged) or any(
        said in VERSION_WORDS and NUMBER in after for (said, _), (_, after) in pairwise(tagged)
    )
    place = number if word is CommandWord.GO_TO and not is_version else None
    return TextCommand(word, None if number is None else f"v{number}", place=place)


def times_said(text: str, parts: Sequence[Clause], table: PhraseTable) -> int:
    """How often a text says its only word, politeness aside: 3 of "undo undo undo please"; else 1."""
    said = {word for part in parts for at, word in enumerate(part.words) if not is_polite(part, at, table)}
    words = [plain_word(word) for word in re.findall(r"\w+", text)]
    return max(1, words.count(said.pop())) if len(said) == 1 else 1


def is_remark(clause: Clause, table: PhraseTable) -> bool:
    """Whether a clause only goes with a command: politeness, a greeting, a statement."""
    start, end = filler_bounds(clause, table)
    text = clause.tagged(start, end)
    is_sound = len(clause.words) == 1 and not table.knows(clause.words[0])  # "ugh"
    return (
        not text or is_sound or text_classifier().likelihoods(" ".join(clause.words), table).ignore >= REMARK
    )


def steering_word(parts: Sequence[Clause], table: PhraseTable) -> CommandWord | None:
    """The command whose words stand in a text that gives none."""
    texts = [part.tagged() for part in parts]
    found = (word for word in CommandWord if word in table.steering and table.steering[word].matches(*texts))
    return next(found, None)


def is_firm(clause: Clause, table: PhraseTable) -> bool:
    """Whether a clause holds words that steer and can hardly be part of an instruction."""
    return table.steering["firm"].matches(clause.tagged())
