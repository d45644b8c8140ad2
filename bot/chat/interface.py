"""What a chat must be able to do for the workflow; implemented once per chat, and by a fake in the tests."""

from typing import Protocol

from bot.chat.replies import Card
from conversations.session import Turn


class Chat(Protocol):
    """A place where cards are shown. `name` is the first part of every key it makes: "discord", "web".

    The workflow never calls two methods at once for the same turn, and a turn's cards only move forward:
    queued (again whenever its place changes), running (often: show what you can, drop the rest, return soon),
    then one of done, failed, cancelled. Progress and queued cards are a courtesy: the chat may skip any of
    them, and an error in showing one is logged and forgotten. Final cards are a promise: see `show`.
    """

    @property
    def name(self) -> str:
        """The chat's name; channels and persons of this chat begin with f"{name}:"."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether cards can be shown now, for /readyz."""
        ...

    async def show(self, turn: Turn, card: Card) -> str | None:
        """Post the card of a turn, or edit it where it already stands, and return the delivered key.

        The delivered key is an opaque string by which the message can be named later: as EditAsked.reply_to,
        as Card.parent_key, and as `turn.delivered` in the next call (None before the first). Return None when
        nothing was shown. `turn.source` is the source of the event that asked for it.
        A final card may be shown twice after a crash: it must appear once all the same, so post it with the
        nonce f"{turn.id}-{card.state}". Raise when a final card cannot be shown now; the workflow tries
        again, a few times with growing pauses, then at the next `resume`. Raise ChatGone when it never can.
        """
        ...

    async def already_delivered(self, turn: Turn) -> str | None:
        """After a restart: the delivered key of this turn's final card if it was posted, else None.

        Asked once for each turn that had a result but no proof of delivery when the bot ended.
        """
        ...

    async def retract(self, turn: Turn, key: str | None) -> None:
        """The turn was erased: forget it, and delete the message `key`, if any; quiet if that is gone.

        `key` is what `show` gave too late to be kept: nobody else knows that message.
        """
        ...


class ChatGone(Exception):
    """The place a card belongs to is gone for good (channel deleted, access lost)."""
