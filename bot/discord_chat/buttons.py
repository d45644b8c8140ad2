"""What can be pressed: every button carries its whole meaning in its id, so it works after any restart.

e1:refine:k3f9:8dk2    release of the id, act, turn, owner's number in base 36
"""

import re
from dataclasses import dataclass
from typing import Any, Protocol, Self

import discord
from discord import ButtonStyle, ui

from bot.discord_chat.keys import user_of
from bot.events import Act
from bot.replies import Button

RELEASE = 1
CHOOSE = "choose"  # takes the place of an act on the buttons of "Which picture?"
WORDS_INPUT = "words"

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LOOKS: dict[Act, tuple[ButtonStyle, str | None]] = {
    Act.REFINE: (ButtonStyle.primary, "✏️"),
    Act.UNDO: (ButtonStyle.secondary, "↩️"),
    Act.RETRY: (ButtonStyle.secondary, "🎲"),
}
_PLAIN = (ButtonStyle.secondary, None)


@dataclass(frozen=True, slots=True)
class ButtonId:
    """The meaning of a button, as its custom_id (at most 100 characters)."""

    act: str  # an Act, or CHOOSE
    turn: str
    owner: int | None = None
    release: int = RELEASE

    def __str__(self) -> str:
        owner = "" if self.owner is None else base36(self.owner)
        return f"e{self.release}:{self.act}:{self.turn}:{owner}"

    @classmethod
    def read(cls, found: re.Match[str]) -> "ButtonId":
        """The meaning of an id that matched the template."""
        owner = int(found["owner"], 36) if found["owner"] else None
        return cls(found["act"], found["turn"], owner, int(found["release"]))


def base36(number: int) -> str:
    """A number in the shortest digits an id may hold."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


class PressHandler(Protocol):
    """What the client must be able to do with a pressed button."""

    async def pressed(self, interaction: discord.Interaction[Any], button: ButtonId) -> None: ...


_TEMPLATE = re.compile(r"e(?P<release>\d+):(?P<act>[a-z_]+):(?P<turn>[a-z0-9]+)(?::(?P<owner>[a-z0-9]*))?.*")


class CardButton(ui.DynamicItem[ui.Button[Any]], template=_TEMPLATE):
    """A button of any card of any release; the client decides what the press means."""

    def __init__(self, button_id: ButtonId, label: str, style: ButtonStyle, emoji: str | None = None) -> None:
        super().__init__(ui.Button(style=style, label=label, emoji=emoji, custom_id=str(button_id)))
        self.button_id = button_id

    @classmethod
    def of(cls, button: Button, turn: str, owner: str) -> Self:
        """The button of a card."""
        style, emoji = _LOOKS.get(button.act, _PLAIN)
        return cls(ButtonId(button.act.value, turn, user_of(owner)), button.label, style, emoji)

    @classmethod
    def choosing(cls, turn: str, version: str) -> Self:
        """A button that says which picture was meant."""
        return cls(ButtonId(CHOOSE, turn), version, ButtonStyle.secondary)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button as it was pressed; called by discord.py."""
        return cls(ButtonId.read(match), getattr(item, "label", None) or "…", ButtonStyle.secondary)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press to the client; called by discord.py."""
        handler: PressHandler = interaction.client
        await handler.pressed(interaction, self.button_id)


class RefineModal(ui.Modal):
    """Asks for the words of a refinement.

    What is sent is read by `read_modal` from the interaction itself, since a modal object does not outlive a
    restart and its id does.
    """

    def __init__(self, button: ButtonId, version: str, max_length: int) -> None:
        super().__init__(title=f"Refine {version}".strip()[:45], custom_id=str(button), timeout=900)
        words: ui.TextInput[Any] = ui.TextInput(
            custom_id=WORDS_INPUT,
            style=discord.TextStyle.paragraph,
            placeholder="make it darker",
            max_length=max_length,
        )
        self.add_item(ui.Label(text="What should change?", component=words))


def read_modal(data: Any) -> tuple[ButtonId, str] | None:
    """Which button's modal was sent and with which words; None for a modal that is not ours."""
    found = _TEMPLATE.fullmatch(data.get("custom_id", ""))
    if found is None:
        return None
    inputs = [label.get("component", {}) for label in data.get("components", [])]
    words = next((i["value"] for i in inputs if i.get("custom_id") == WORDS_INPUT), "")
    return ButtonId.read(found), words
