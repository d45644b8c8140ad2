"""Messages as an English-speaking user reads them."""

import re

from bot.chat.replies import Card, title
from bot.i18n.catalog import translations, translator
from conversations.messages import Message, Param


def english(code: str, /, **params: Param) -> str:
    """The English text of a message."""
    return translator("en")(Message(code, **params))


def in_english(message: Message | None) -> str:
    """The same for a message that is there; "" for none."""
    return translator("en")(message) if message else ""


def title_of(card: Card | None) -> str:
    """ "v2 · from v1"."""
    assert card is not None
    return in_english(title(card))


def facts_of(card: Card) -> str:
    """ "text 7.5 · image 1.5 · 4 steps · seed 3"."""
    return " · ".join(map(in_english, card.facts))


def notes_of(card: Card) -> tuple[str, ...]:
    """What is noted on a card."""
    return tuple(map(in_english, card.notes))


def english_pattern(code: str) -> re.Pattern[str]:
    """Matches the English text of a message, whatever its parameters."""
    text = translations("en").ungettext(code, code, 2)
    if text == code:  # it has no plural
        text = translations("en").ugettext(code)
    return re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(str(text))), re.DOTALL)
