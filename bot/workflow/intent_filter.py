"""Plain messages in a channel given to editing: which of them are instructions, though nobody named the bot.

Pure. On doubt the bot asks with a reaction; two people's chatter must never become an edit. Which words tell
is in the table `instructions` of each language.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.i18n.catalog import ENGLISH
from bot.i18n.word_lists import word_lists
from bot.workflow.text_commands import CommandWord, parse

RECENT_S = 600.0
ASIDE = "//"
WORDS_MAX = 40  # longer ones are stories


class Intent(StrEnum):
    """What to do with an overheard message."""

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
    head_age_s: float | None = None  # since the author's last turn here; None without one
    language: str = ENGLISH


def classify(said: PlainMessage) -> Intent:
    """Whether an overheard message is meant for the bot."""
    text = said.text.strip()
    if said.replies_to_person or said.mentions_others or text.startswith(ASIDE):
        return Intent.IGNORE
    has_base = said.has_picture or (said.head_age_s is not None and said.head_age_s < RECENT_S)
    if not has_base or is_chatter(text, said.language):
        return Intent.IGNORE
    word = parse(text, {ENGLISH: None, said.language: None})
    if word is not None:
        return Intent.IGNORE if word.word is CommandWord.HELP else Intent.RUN
    words = _words(text)
    if _is_instruction(words, said.language):
        return Intent.RUN if len(words) <= WORDS_MAX else Intent.ASK
    return Intent.IGNORE if text.endswith("?") else Intent.ASK


def is_chatter(text: str, language: str = ENGLISH) -> bool:
    """Whether there are no words in it, or only laughter and the like."""
    plain = re.sub(r"<a?:\w+:\d+>|:\w+:|https?://\S+", " ", text)  # custom emoji and links
    words = _words(plain)
    laughs = {*word_lists(ENGLISH).instructions["laughter"], *word_lists(language).instructions["laughter"]}
    return not words or " ".join(words) in laughs or all(_laughs(word, laughs) for word in words)


def _is_instruction(words: list[str], language: str) -> bool:
    """It begins with a verb of editing (after "please", "can you" and the like), or is short and compares."""
    verbs, comparatives = set[str](), set[str]()
    for tongue in {ENGLISH, language}:
        verbs.update(word_lists(tongue).instructions["verbs"])
        comparatives.update(word_lists(tongue).instructions["comparatives"])
    return bool(verbs & set(words[:4])) or (len(words) <= 6 and bool(comparatives & set(words)))


def _laughs(word: str, laughs: set[str]) -> bool:
    return word in laughs or re.fullmatch(r"(?:ha|he|hi|ja|je|xd|lo+l)+h?|x+d+|a+h+|o+h+", word) is not None


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)?", text.casefold())
