"""What a message asks for, decided from its words alone; the same for every chat and every way in.

    understand("can you undo that?", "en")    Understood(CONTROL, command=TextCommand(UNDO))
    understand("thanks!", "de")               Understood(IGNORE)

Text commands must be exact: patterns find them, which are data (phrase_tables). What else a text is, a
classifier tells that was learned from a corpus; where it is not sure enough, the bot asks.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from conversations.intents.amendment import amendment
from conversations.intents.first_step import split_first_step
from conversations.intents.message_markup import strip_markup, whole_characters
from conversations.intents.other_picture import other_picture
from conversations.intents.phrase_tables import ENGLISH, PhraseTable, languages, phrase_table
from conversations.intents.picked_place import picked_place
from conversations.intents.same_area import split_same_area
from conversations.intents.sorted_text import Asks, CommandWord, OtherPicture, SortedText, TextCommand
from conversations.intents.tagged_words import Clause, clauses, plain_words
from conversations.intents.text_classifier import text_classifier
from conversations.intents.text_command import command_of, has_opinion, is_firm, steering_word, times_said
from conversations.intents.text_language import is_read
from conversations.intents.yes_or_no import yes_or_no

# How likely an instruction must be, to be painted; less is asked about. Held-out writers set the numbers.
LIKELY = 0.6  # in a message to the bot
LIKELY_OVERHEARD = 0.75  # in a message that nobody addressed to it, or that has the words of a command
LIKELY_HELP = 0.6  # a question about the bot; people also ask each other
# How likely an instruction or a command must be, to be asked about; less is left alone.
DOUBTFUL = 0.25
DOUBTFUL_OVERHEARD = 0.5
STEERING_OVERHEARD = 0.7  # the same of a command that nobody addressed to the bot


@dataclass(frozen=True, slots=True)
class Understood:
    """What a message asks for. `command`: the one that was given, or may be meant where it is unsure."""

    asks: Asks
    command: TextCommand | None = None


def sort_text(text: str, language: str, read: Sequence[str] = ()) -> SortedText:
    """What a text as it was typed asks for. `language`: the user's, as a tag; `read`: of the model."""
    words, is_same_area = split_same_area(strip_markup(whole_characters(text)))
    found = understand(words, re.split("[-_]", language)[0].casefold())
    answer = yes_or_no(text)
    if answer is not None and found == Understood(Asks.UNSURE):  # yes or no alone is no instruction
        found = Understood(Asks.IGNORE)
    first, other = None, None
    if found.asks in (Asks.EDIT, Asks.UNSURE) and (steps := split_first_step(words, command_in, _is_edit)):
        (first, words), found = steps, Understood(Asks.EDIT)
    elif found.asks is not Asks.CONTROL:
        other = other_picture(words)
    if other is OtherPicture.ELSEWHERE:
        found = Understood(Asks.EDIT)
    if found.asks is Asks.IGNORE and _is_foreign(words, read):
        found = Understood(Asks.UNSURE)
    may_edit = found.asks in (Asks.EDIT, Asks.UNSURE)
    return SortedText(
        words,
        found.asks,
        found.command,
        is_thanks=found.asks is Asks.IGNORE and is_thanks(words),
        is_pointing=is_pointing(words),
        answer=answer,
        is_read=not may_edit or is_read(words, read),
        is_same_area=is_same_area,
        first=first,
        other=other,
        place=picked_place(words),
        amendment=None if first or other or found.command or found.asks is Asks.HELP else amendment(words),
    )


def understand(text: str, language: str, *, is_addressed: bool = True) -> Understood:
    """What a text without markup asks for. `language`: of the user, where it is known; it breaks ties.

    `is_addressed`: whether it was said to the bot; if not, an instruction must be likelier.
    """
    words = plain_words(text)
    if not words:
        return Understood(Asks.IGNORE)
    readings = _readings(text, language)
    if command := _command_of(readings, text):
        return Understood(Asks.CONTROL, command)
    steering = next((word for parts, table in readings if (word := steering_word(parts, table))), None)
    is_steering = any(is_firm(part, table) for parts, table in readings for part in parts)
    likely = text_classifier().likelihoods(text, readings[0][1])
    if likely.edit >= (LIKELY if is_addressed and not steering else LIKELY_OVERHEARD) and not is_steering:
        return Understood(Asks.EDIT)
    if likely.help >= LIKELY_HELP:
        return Understood(Asks.HELP)
    may_steer = is_steering or likely.control >= likely.edit
    is_opinion = any(has_opinion(part, table) for parts, table in readings for part in parts)
    if is_addressed:
        is_doubtful = likely.edit + likely.control >= DOUBTFUL or is_steering
    elif may_steer:
        is_doubtful = likely.control >= STEERING_OVERHEARD and not is_opinion
    else:
        is_doubtful = likely.edit + likely.control >= DOUBTFUL_OVERHEARD
    if not is_doubtful:
        return Understood(Asks.IGNORE)
    return Understood(Asks.UNSURE, TextCommand(steering) if steering and may_steer else None)


def command_in(text: str, language: str = ENGLISH) -> TextCommand | None:
    """The text command that a text without markup gives, if it is no more than that."""
    return _command_of(_readings(text, language), text)


def _command_of(readings: list[tuple[list[Clause], PhraseTable]], text: str) -> TextCommand | None:
    for parts, table in readings:
        if command := command_of(parts, table):
            is_undo = command.word is CommandWord.UNDO and command.steps == 1
            return replace(command, steps=times_said(text, parts, table)) if is_undo else command
    return None


def _readings(text: str, language: str) -> list[tuple[list[Clause], PhraseTable]]:
    """The clauses of a text in the languages that know most of its words, each with its tables."""
    tables = [phrase_table(tongue) for tongue in tongues(plain_words(text), language)]
    return [(clauses(text, table.lexicon), table) for table in tables]


def _is_foreign(text: str, read: Sequence[str]) -> bool:
    """Whether no word of a text is known, and it is in no language `read`: the classifier cannot tell."""
    words = plain_words(text)
    is_known = any(phrase_table(tongue).knows(word) for tongue in languages() for word in words)
    return bool(words) and not is_known and not is_read(text, read)


def _is_edit(text: str) -> bool:
    return understand(text, ENGLISH).asks is Asks.EDIT


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
    (language, *_) = tongues(plain_words(instruction), ENGLISH)
    table = phrase_table(language)
    things, is_shape = [], False
    for part in clauses(instruction, table.lexicon):
        for word, tags in zip(part.words, part.tags, strict=True):
            is_shape |= table.tags["shape"] in tags
            things += [word] if table.tags["thing"] in tags else []
    return Named(tuple(dict.fromkeys(things)), is_shape)


def tongues(words: list[str], language: str) -> list[str]:
    """The languages that know most of the words, the user's first."""
    known = {tongue: sum(phrase_table(tongue).knows(word) for word in words) for tongue in languages()}
    best = max(known.values())
    return sorted(
        (tongue for tongue, count in known.items() if count == best), key=lambda tongue: tongue != language
    )
