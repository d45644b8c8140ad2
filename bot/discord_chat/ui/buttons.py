"""Buttons and menus. A button's id holds its whole meaning, so it works after any restart.

e1:refine:k3f9:8dk2    release of the id, act, turn, owner's number in base 36
v1:k3f9:               a menu of versions beside that turn
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from textwrap import shorten
from typing import Any, Protocol, Self

import discord
import numpy as np
from discord import ButtonStyle, ui

from bot.chat.events import ButtonAction, Preset
from bot.chat.replies import Button, Card, title
from bot.discord_chat.ids import user_of
from bot.i18n.catalog import Translate
from conversations.messages import Message

RELEASE = 1
ID_CHARS = 100  # of an id, at most
LABEL_CHARS = 80  # of a button, at most
CHOOSE = "choose"  # takes the place of an act on the buttons of "Which picture?"
EDIT_IMAGE = "edit_image"  # in the id of a modal; the turn is the number of the message with the picture
MENU_ROWS = 25


class DiscordButton(StrEnum):
    """Acts of the buttons that only this chat has."""

    MORE = "more"
    STRENGTHS = "strengths"
    AS_PNG = "png"
    KEEP_STRICT = "keep_strict"
    KEEP_OFF = "keep_off"
    LOCK_SEED = "lock_seed"
    RANDOM_SEED = "random_seed"
    AUTO = Preset.AUTO.value
    FAITHFUL = Preset.FAITHFUL.value
    BALANCED = Preset.BALANCED.value
    BOLD = Preset.BOLD.value

    @property
    def label(self) -> Message:
        """The text on the button."""
        return Message(f"button.{self}")


OFFERED_PRESETS = (
    DiscordButton.AUTO,
    DiscordButton.FAITHFUL,
    DiscordButton.BALANCED,
    DiscordButton.BOLD,
)


def presets_offered(offers_auto: bool) -> tuple[DiscordButton, ...]:
    """The presets; auto only where the model has a table that it can follow."""
    return OFFERED_PRESETS if offers_auto else OFFERED_PRESETS[1:]


_LOOKS: dict[str, tuple[ButtonStyle, str | None]] = {
    ButtonAction.REFINE: (ButtonStyle.primary, "✏️"),
    ButtonAction.UNDO: (ButtonStyle.secondary, "↩️"),
    ButtonAction.RETRY: (ButtonStyle.secondary, "🎲"),
    ButtonAction.ALLOW_ONCE: (ButtonStyle.success, None),
    ButtonAction.DO_IT: (ButtonStyle.success, None),
    ButtonAction.DELETE: (ButtonStyle.danger, None),
    ButtonAction.DELETE_SESSION: (ButtonStyle.danger, None),
    ButtonAction.FORGET_ME: (ButtonStyle.danger, None),
    ButtonAction.REMOVE: (ButtonStyle.danger, None),
    DiscordButton.MORE: (ButtonStyle.secondary, "⋯"),
    DiscordButton.STRENGTHS: (ButtonStyle.secondary, "🎚"),
}
_PLAIN = (ButtonStyle.secondary, None)


@dataclass(frozen=True, slots=True)
class ButtonId:
    """The meaning of a button, as its custom_id (at most 100 characters)."""

    act: str  # a ButtonAction, a DiscordButton, CHOOSE or EDIT_IMAGE
    turn: str
    owner: int | None = None
    release: int = RELEASE
    says: str = ""  # with SAY, the text to send

    def __str__(self) -> str:
        owner = "" if self.owner is None else base36(self.owner)
        says = f":{self.says}" if self.says else ""
        return f"e{self.release}:{self.act}:{self.turn}:{owner}{says}"[:ID_CHARS]

    @classmethod
    def read(cls, found: re.Match[str]) -> "ButtonId":
        """The meaning of an id that matched the template."""
        owner = int(found["owner"], 36) if found["owner"] else None
        return cls(found["act"], found["turn"], owner, int(found["release"]), found["says"] or "")

    @classmethod
    def parse(cls, custom_id: str) -> "ButtonId | None":
        """The meaning of an id; None for an id of another kind."""
        found = _TEMPLATE.fullmatch(custom_id)
        return cls.read(found) if found else None


def base36(number: int) -> str:
    """A number in base 36, which keeps ids short."""
    return np.base_repr(number, 36).lower()


class PressHandler(Protocol):
    """Handles pressed buttons and chosen versions; the client has one as `components`."""

    async def pressed(self, interaction: discord.Interaction[Any], button: ButtonId) -> None: ...


_TEMPLATE = re.compile(
    r"e(?P<release>\d+):(?P<act>[a-z_]+):(?P<turn>[a-z0-9]*)(?::(?P<owner>[a-z0-9]*))?(?::(?P<says>.*)|.*)"
)


class CardButton(ui.DynamicItem[ui.Button[Any]], template=_TEMPLATE):
    """A button of any card of any release; `PressHandler` runs it."""

    def __init__(self, button_id: ButtonId, label: str) -> None:
        style, emoji = _LOOKS.get(button_id.act, _PLAIN)
        label = shorten(label, LABEL_CHARS, placeholder=" …") if len(label) > LABEL_CHARS else label
        super().__init__(ui.Button(style=style, label=label, emoji=emoji, custom_id=str(button_id)))
        self.button_id = button_id

    @classmethod
    def of(cls, button: Button, turn: str, owner: str | None, translate: Translate) -> Self:
        """The button of a card or a question."""
        return cls(
            ButtonId(button.act.value, turn, user_of(owner or ""), says=button.says), translate(button.label)
        )

    @classmethod
    def local(
        cls, act: DiscordButton, translate: Translate, turn: str = "", owner: str | None = None
    ) -> Self:
        """A button that only this chat has."""
        return cls(ButtonId(act.value, turn, user_of(owner or "")), translate(act.label))

    @classmethod
    def choosing(cls, turn: str, version: str) -> Self:
        """A button that chooses the image that was meant."""
        return cls(ButtonId(CHOOSE, turn), version)

    @classmethod
    def cancelling(cls, card: Card) -> Self:
        """A Cancel button with the version on it."""
        return cls(
            ButtonId(ButtonAction.CANCEL.value, card.turn_id, user_of(card.owner)), f"✖ {card.version}"
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button as it was pressed; called by discord.py."""
        return cls(ButtonId.read(match), getattr(item, "label", None) or "…")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Run the button; called by discord.py."""
        handler: PressHandler = interaction.client.components
        await handler.pressed(interaction, self.button_id)


class VersionMenu(
    ui.DynamicItem[ui.Select[Any]], template=re.compile(r"v(?P<release>\d+):(?P<turn>[a-z0-9]+):.*")
):
    """A menu of the newest versions of a session; a choice makes that version current."""

    def __init__(self, turn: str, options: Sequence[discord.SelectOption], placeholder: str) -> None:
        select: ui.Select[Any] = ui.Select(
            custom_id=f"v{RELEASE}:{turn}:", options=list(options), placeholder=placeholder
        )
        super().__init__(select)

    @classmethod
    def of(cls, cards: Sequence[Card], turn: str, translate: Translate) -> Self:
        """A menu of these versions, newest first, beside `turn`."""
        options = [
            discord.SelectOption(
                label=translate(title(card))[:100],
                value=card.turn_id,
                description=card.instruction[:100] or None,
            )
            for card in reversed(cards[-MENU_ROWS:])
        ]
        return cls(turn, options, translate(Message("go_on_from")))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The menu as it was used; called by discord.py."""
        return cls(match["turn"], getattr(item, "options", []), getattr(item, "placeholder", None) or "…")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Run the choice like a pressed button of that version; called by discord.py."""
        handler: PressHandler = interaction.client.components
        (chosen,) = self.item.values
        await handler.pressed(interaction, ButtonId(ButtonAction.GO_TO.value, chosen))
