"""Messages that do not mention the bot, in edit channels: which of them are instructions.

Pure. On doubt the bot asks with a reaction, because a conversation between users must never become an edit.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.i18n.catalog import ENGLISH
from conversations.intents.intent import named_in, understand
from conversations.intents.message_markup import strip_markup
from conversations.intents.other_picture import other_picture
from conversations.intents.picked_place import picked_place
from conversations.intents.sorted_text import Asks, CommandWord, OtherPicture
from conversations.intents.yes_or_no import yes_or_no

RECENT_S = 600.0
ASIDE = "//"
WORDS_MAX = 40  # a longer message is rarely an instruction


class Intent(StrEnum):
    """What to do with a plain message."""

    RUN = "run"
    ASK = "ask"  # react with 💬; the author clicking it runs the message
    IGNORE = "ignore"


# Text commands that people say to each other, too; any other one is meant for the bot.
_OVERHEARD = {CommandWord.HELP: Intent.IGNORE, CommandWord.REJECT: Intent.ASK}


@dataclass(frozen=True, slots=True)
class PlainMessage:
    """A message that neither mentions the bot nor replies to it, in an edit channel or a session thread."""

    text: str
    has_picture: bool = False
    replies_to_person: bool = False
    mentions_others: bool = False
    head_age_s: float | None = None  # since the author's current version was made or chosen; None without one
    is_asked: bool = False  # whether the bot asks the author if it understood what they asked for last
    results: int = 0  # of the author's last grid, one of which they may pick
    language: str = ENGLISH


def classify(said: PlainMessage) -> Intent:
    """Whether a plain message is meant for the bot."""
    text = said.text.strip()
    if said.replies_to_person or said.mentions_others or text.startswith(ASIDE):
        return Intent.IGNORE
    is_recent = said.head_age_s is not None and said.head_age_s < RECENT_S
    if not said.has_picture and not is_recent:
        return Intent.IGNORE
    if is_recent and said.is_asked and yes_or_no(text):
        return Intent.RUN
    words = strip_markup(text)
    if is_recent and said.results and 0 < (picked_place(words) or 0) <= said.results:
        return Intent.RUN
    if (
        is_recent
        and (other := other_picture(words))
        and (said.has_picture or other is OtherPicture.ELSEWHERE)
    ):
        return Intent.RUN if said.has_picture else Intent.ASK
    found = understand(words, said.language, is_addressed=False)
    match found.asks:
        case Asks.CONTROL if found.command is not None:
            return _OVERHEARD.get(found.command.word, Intent.RUN)
        case Asks.EDIT:
            return Intent.RUN if len(text.split()) <= WORDS_MAX else Intent.ASK
        case Asks.UNSURE:
            return Intent.ASK
        case Asks.IGNORE if said.has_picture and named_in(text).things:
            return Intent.ASK  # "my cat on the roof": what it shows, or what it should show
    return Intent.IGNORE
