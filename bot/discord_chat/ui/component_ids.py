"""What a posted message of the bot shows, read from the ids of its components and never from its text.

The ids are those of its buttons: they name the act and the turn, and every card has at least one. So texts
may be reworded and translated, and cards posted by earlier releases are still recognised.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import discord

from bot.chat.button_actions import CONSENTS
from bot.chat.events import BotQuestion, ButtonAction
from bot.discord_chat.ui.buttons import ButtonId
from bot.discord_chat.ui.markdown import unescape

INSTRUCTION_ID = 900  # the component of "Which picture?" that holds the instruction
ON_FINAL_CARDS = frozenset({ButtonAction.RETRY.value, ButtonAction.DELETE.value})
ON_OPEN_CARDS = frozenset({ButtonAction.CANCEL.value})


class HasComponents(Protocol):
    """A message, as far as it is read here."""

    @property
    def components(self) -> Iterable[Any]: ...


def walk(components: Iterable[Any]) -> Iterator[Any]:
    """Every component of a received message, outermost first."""
    for component in components:
        yield component
        yield from walk(getattr(component, "children", ()))


def button_ids(message: HasComponents) -> Iterator[ButtonId]:
    """The ids of the buttons on a message that are about a turn."""
    for component in walk(message.components):
        button = ButtonId.parse(getattr(component, "custom_id", None) or "")
        if button and button.turn:
            yield button


def shows_pictures(message: HasComponents) -> bool:
    """Whether a message of the bot shows pictures; those of a gallery are no attachments of it."""
    return any(isinstance(component, discord.MediaGalleryComponent) for component in walk(message.components))


def turn_id_of(message: HasComponents) -> str | None:
    """The turn that a card of the bot shows; None for other messages."""
    return next((button.turn for button in button_ids(message) if button.act not in CONSENTS), None)


def question_on(message: HasComponents) -> BotQuestion | None:
    """The question that a message of the bot asks and that yes or no answers, if any."""
    for component in walk(message.components):
        button = ButtonId.parse(getattr(component, "custom_id", None) or "")
        if button and button.act in CONSENTS:
            return BotQuestion(consent=button.turn)
        if button and button.act == ButtonAction.SAY:
            return BotQuestion(says=button.says)
    return None


def is_final_card(message: HasComponents, turn: str) -> bool:
    """Whether this is the card of that turn once it has ended."""
    return any(button.turn == turn and button.act in ON_FINAL_CARDS for button in button_ids(message))


def is_open_card(message: HasComponents, turn: str) -> bool:
    """Whether this is the card of that turn while it is queued or runs."""
    return any(button.turn == turn and button.act in ON_OPEN_CARDS for button in button_ids(message))


def kept_instruction(message: HasComponents | None) -> str:
    """The instruction that a "Which picture?" message holds in a component of its own; else an empty text."""
    for component in walk(message.components) if message else ():
        if isinstance(component, discord.TextDisplay) and component.id == INSTRUCTION_ID:
            return unescape(component.content.removeprefix("> "))
    return ""
