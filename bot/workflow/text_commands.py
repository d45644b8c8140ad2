"""What the text of a message becomes: an event, or an answer where it asks for no edit.

`conversations.intents` decides what a text asks for; here is what follows from that, the same for every chat.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.chat.events import (
    Addressing,
    Answer,
    ButtonAction,
    CancelAsked,
    CompareAsked,
    ConsentAnswered,
    EditAsked,
    Event,
    GridAsked,
    HelpAsked,
    HistoryAsked,
    Move,
    MoveAsked,
    ShowAsked,
    VariationAsked,
    origin,
)
from bot.chat.replies import Button, Note, Reacted, Reply, buttons
from bot.i18n.catalog import ENGLISH
from bot.policy.limits import MOST_RESULTS
from conversations.intents.intent import sort_text
from conversations.intents.message_markup import strip_markup, whole_characters
from conversations.intents.sorted_text import Asks, CommandWord, SortedText, TextCommand, YesNo
from conversations.messages import Message
from conversations.variations import Variation

THANKED = "🧡"  # the reaction to thanks and praise
_MOVES = {
    CommandWord.REDO: Move.REDO,
    CommandWord.START_OVER: Move.START_OVER,
}
_VARIATIONS = {
    CommandWord.AGAIN: Variation.AGAIN,
    CommandWord.STRONGER: Variation.STRONGER,
    CommandWord.SUBTLER: Variation.SUBTLER,
    CommandWord.FROM_ORIGINAL: Variation.FROM_ORIGINAL,
}
OFFERED = {  # a text that gives each command, for buttons that offer it; they stand for years, so English
    CommandWord.UNDO: "undo",
    CommandWord.REDO: "redo",
    CommandWord.START_OVER: "back to the original",
    CommandWord.GO_TO: "history",
    CommandWord.AGAIN: "again",
    CommandWord.STRONGER: "stronger",
    CommandWord.SUBTLER: "subtler",
    CommandWord.COMPARE: "compare",
    CommandWord.STOP: "stop",
}
_CONSENT = {YesNo.YES: Answer.ONCE, YesNo.ALWAYS: Answer.ALWAYS, YesNo.NO: Answer.NO}
_VERSION = re.compile(r"(?:v|versi[oó]n)?\s?(\d{1,6})")


def read_text(asked: EditAsked, language: str, read: Sequence[str] = ()) -> Event | Reply:
    """What the text of a message stands for, in English, German or Spanish and first in `language`.

    An edit with its text cleaned of markup, the event of a text command, or an answer. Beside a picture, a
    text that is no instruction is left out; with a reading, no text is anything but an instruction.

    `read`: the languages of the model; what is in another one is left to admission, which answers it.
    """
    if asked.reading or asked.addressing is Addressing.VERBATIM:
        text = whole_characters(asked.text)
        return replace(asked, text=text if asked.reading else strip_markup(text) or text, said=None)
    if not asked.text.strip():
        return replace(asked, text="")
    said = asked.said or sort_text(asked.text, language, read)
    if asked.question is not None and asked.own is None and (answered := _answered(asked, said)):
        return answered
    is_menu = asked.replied is not None and asked.addressing is Addressing.FORM
    if asked.own is not None or is_menu:
        words = "" if said.is_chatter or said.is_pointing else said.words
        return replace(asked, text=words, said=said, results=_results_of(asked, said))
    match said.asks:
        case Asks.CONTROL if said.command is not None:
            return to_event(asked, said.command)
        case Asks.HELP:
            return HelpAsked(**origin(asked))
        case Asks.IGNORE if said.answer is YesNo.NO:
            return Reacted(Message("say_differently"))
        case Asks.IGNORE:
            return Reacted(Message("no_instruction"), THANKED if said.is_thanks else None)
        case Asks.UNSURE if said.command:
            return _question(asked, said.command)
        case Asks.UNSURE if asked.addressing is Addressing.MESSAGE and said.is_read:
            return _question(asked)
    return _after_first(asked, said)


def read_grid(asked: GridAsked, language: str) -> Event | Reply:
    """The same for the words of a grid, which holds no text command."""
    said = sort_text(asked.text, language)
    if not said.is_chatter:
        return replace(asked, text=said.words)
    return Reacted(Message("no_instruction")) if asked.text else asked


def _after_first(asked: EditAsked, said: SortedText) -> EditAsked:
    """The edit that a text asks for, from where the command before it leads: "back to v2, make it red"."""
    edit, first = replace(asked, text=said.words, said=said, results=_results_of(asked, said)), said.first
    if first is None:
        return edit
    match first.word:
        case CommandWord.UNDO | CommandWord.REJECT:
            return replace(edit, steps_back=first.steps)
        case CommandWord.GO_TO:
            return replace(edit, turn=None, reply_to=None, replied=None, version=first.version)
        case CommandWord.SEEDS:
            return edit
    return replace(edit, from_original=True)


def is_bare_answer(asked: EditAsked, language: str) -> bool:
    """Whether it is yes or no alone: with no picture, reply or button that says to what."""
    if (asked.question, asked.turn, asked.reply_to, asked.own) != (None, None, None, None):
        return False
    return (asked.said or sort_text(asked.text, language)).answer is not None


def _answered(asked: EditAsked, said: SortedText) -> Event | Reply | None:
    """What yes and no in reply to a question of the bot stand for; None where any text would do.

    An owner who is asked for consent is not taken for one who wants an edit.
    """
    assert asked.question is not None
    if asked.question.consent:
        if said.answer is not None:
            request = asked.question.consent
            return ConsentAnswered(**origin(asked), request=request, answer=_CONSENT[said.answer])
        return Reacted(Message("no_instruction")) if said.is_chatter else Note(Message("consent_how"))
    if said.answer is YesNo.NO:
        return Reacted(Message("no_instruction"))
    if said.answer is None:
        return None
    if asked.question.says:
        chosen = replace(
            asked, text=asked.question.says, addressing=Addressing.FORM, question=None, said=None
        )
        return read_text(chosen, ENGLISH)
    return replace(asked, text=strip_markup(asked.kept_words), said=None) if asked.kept_words else None


def _question(asked: EditAsked, command: TextCommand | None = None) -> Note:
    """Did you mean that command? Or: is that an instruction?"""
    (as_typed,) = buttons(ButtonAction.SAY)
    about = asked.turn or ""
    if command is None:
        return Note(
            Message("is_instruction"), buttons=(as_typed,), about=about, asks=asked.user, words=asked.text
        )
    offered = Button(ButtonAction.SAY, Message(f"means.{command.word}"), OFFERED[command.word])
    text = Message("did_you_mean", command=offered.label, words=OFFERED[command.word])
    return Note(text, buttons=(offered, as_typed), about=about, asks=asked.user, words=asked.text)


def reworded(text: str, language: str, read: Sequence[str] = ()) -> str | None:
    """The instruction of a message that was edited; None where it no longer is one in a language `read`."""
    said = sort_text(text, language, read)
    is_plain = said.is_read and (said.first, said.other, said.amendment) == (None, None, None)
    return said.words if said.asks in (Asks.EDIT, Asks.UNSURE) and is_plain else None


def to_event(asked: EditAsked, command: TextCommand) -> Event:
    """The event that `command` stands for, about the version that the message replied to, if any."""
    who = origin(asked)
    replied: dict[str, Any] = {"turn": asked.turn, "reply_to": asked.reply_to}
    word = command.word
    if word in _MOVES:
        return MoveAsked(**who, move=_MOVES[word])
    match word:
        case CommandWord.UNDO:
            return MoveAsked(**who, **replied, move=Move.UNDO, steps=command.steps)
        case CommandWord.REJECT:
            return MoveAsked(**who, **replied, move=Move.REJECT)
        case CommandWord.GO_TO:
            return MoveAsked(**who, version=command.version, move=Move.GO_TO, place=command.place)
        case CommandWord.SEEDS:
            return GridAsked(**who, **replied, seeds=_results(command))
        case CommandWord.COMPARE:
            return CompareAsked(**who, **replied, other=command.version)
        case CommandWord.STOP:
            return CancelAsked(**who, **replied)
        case CommandWord.HISTORY:
            return HistoryAsked(**who)
        case CommandWord.SHOW if command.version:
            return ShowAsked(**who, version=command.version)
        case CommandWord.SHOW:
            return ShowAsked(**who, **replied)
        case CommandWord.HELP:
            return HelpAsked(**who)
    return VariationAsked(**who, **replied, variation=_VARIATIONS[word], is_slight=command.is_slight)


def _results(command: TextCommand) -> int:
    """How many results "two versions" and "a few versions" ask for."""
    return min(command.steps, MOST_RESULTS) if command.steps > 1 else MOST_RESULTS


def _results_of(asked: EditAsked, said: SortedText) -> int:
    """How many results an instruction is to have: "make it blue, four versions"."""
    if said.first is None or said.first.word is not CommandWord.SEEDS:
        return asked.results
    return _results(said.first)


def is_chatter(text: str, language: str) -> bool:
    """Whether a text asks for nothing: no words, thanks, a remark, a question."""
    return sort_text(text, language).is_chatter


def version_number(text: str) -> int | None:
    """The n of "v2", "2" or "version 2"; None for anything else."""
    match = _VERSION.fullmatch(text.strip().casefold())
    return int(match[1]) if match else None
