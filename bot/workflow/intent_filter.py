"""Messages that do not mention the bot, in edit channels: which of them are instructions.

Pure. On doubt the bot asks with a reaction, because a conversation between users must never become an edit.
The words that decide are in the table `instructions` of each language.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.i18n.catalog import ENGLISH
from bot.i18n.word_lists import word_lists
from bot.workflow.text_commands import CommandWord, is_chatter, parse, words_of

RECENT_S = 600.0
ASIDE = "//"
WORDS_MAX = 40  # a longer message is rarely an instruction


class Intent(StrEnum):
    """What to do with a plain message."""

    RUN = "run"
    ASK = "ask"  # react with 💬; the author clicking it runs the message
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class PlainMessage:
    """A message that neither mentions the bot nor replies to it, in an edit channel or a session thread."""

    text: str
    has_picture: bool = False
    replies_to_person: bool = False
    mentions_others: bool = False
    head_age_s: float | None = None  # since the author's current version was made or chosen; None without one
    language: str = ENGLISH


def classify(said: PlainMessage) -> Intent:
    """Whether a plain message is meant for the bot."""
    text = said.text.strip()
    if said.replies_to_person or said.mentions_others or text.startswith(ASIDE):
        return Intent.IGNORE
    has_base = said.has_picture or (said.head_age_s is not None and said.head_age_s < RECENT_S)
    if not has_base or is_chatter(text, said.language):
        return Intent.IGNORE
    word = parse(text, {ENGLISH: None, said.language: None})
    if word is not None:
        return Intent.IGNORE if word.word is CommandWord.HELP else Intent.RUN
    words = words_of(text)
    if _is_instruction(words, said.language):
        return Intent.RUN if len(words) <= WORDS_MAX else Intent.ASK
    return Intent.IGNORE if text.endswith("?") else Intent.ASK


def _is_instruction(words: list[str], language: str) -> bool:
    """It begins with a verb of editing (after "please", "can you" and the like), or is short and compares."""
    verbs, comparatives = set[str](), set[str]()
    for tongue in {ENGLISH, language}:
        verbs.update(word_lists(tongue).instructions["verbs"])
        comparatives.update(word_lists(tongue).instructions["comparatives"])
    return bool(verbs & set(words[:4])) or (len(words) <= 6 and bool(comparatives & set(words)))
