"""What a chat does for the workflow; implemented once per chat, and by a fake in the tests."""

from collections.abc import Collection
from typing import Protocol

from bot.chat.replies import Card, Note
from conversations.messages import Message
from conversations.request_source import RequestSource
from conversations.turn import Turn


class Chat(Protocol):
    """Shows cards. `name` is the first part of every key it makes: "discord", "web".

    The workflow never calls two methods at once for the same turn. The cards of a turn only move forward:
    queued (again whenever its place changes), running (often), then one of done, failed, cancelled. The chat
    may skip queued and running cards, and should return soon; an error in showing one is logged and ignored.
    Final cards must be shown: see `show`.
    """

    @property
    def name(self) -> str:
        """The name of the chat; keys of its channels and users begin with f"{name}:"."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether cards can be shown now, for /readyz."""
        ...

    async def show(self, turn: Turn, card: Card) -> str | None:
        """Post the card of a turn, or edit it where it already stands, and return the delivered key.

        The delivered key is an opaque string that names the message later: as EditAsked.reply_to, as
        Card.parent_key, and as `turn.delivered` in the next call (None before the first). Return None when
        nothing was shown. `turn.source` is the source of the event that asked for the turn.

        After a crash, a final card may be passed again. It must appear once, so post it with the nonce
        f"{turn.id}-{card.state}". Raise when a final card cannot be shown now: the workflow retries a few
        times with growing pauses, then at the next `resume`. Raise ChatGone when it never can be shown, and
        ChatRefused when the chat will not take this card: then the turn fails, and its failed card is shown.
        """
        ...

    async def already_delivered(self, turn: Turn) -> str | None:
        """After a restart: the delivered key of this turn's final card if it was posted, else None.

        Asked once for each turn that had a result but no proof of delivery when the bot ended.
        """
        ...

    async def post(self, source: RequestSource, note: Note, nonce: str, *, again: bool = False) -> str | None:
        """Post a note that is not the reply to an event: a question to `note.asks`, or news for them.

        It goes where an event of `source` is answered, as a reply to its message if there is one; where that
        is not allowed or not shared, to `note.asks` in private. Returns the delivered key, if any. The same
        `nonce` posts once. `again`: an earlier run of the bot may have posted it, so look for the buttons
        about `note.about` first. Raise ChatGone when the user cannot be reached.
        """
        ...

    async def delete(self, keys: Collection[str]) -> None:
        """Delete these messages, if they are there; those that cannot be deleted now are deleted later."""
        ...

    async def hide(self, keys: Collection[str]) -> int:
        """Put the pictures of these messages behind spoilers, where the chat has such; how many messages."""
        ...

    @property
    def servers(self) -> Collection[str]:
        """The keys of the servers that the bot is in."""
        ...

    async def announce(self, server: str, channel: str | None, text: str, nonce: str) -> None:
        """Post an announcement of the operator in a server: in that channel (its moderators'), if possible.

        Posts nothing where the bot may not write. The same `nonce` posts once in a server.
        """
        ...

    async def retract(self, turn: Turn, key: str | None) -> None:
        """The turn was erased: forget it, and delete the message `key`, if any; no error if that is gone.

        `key` is what `show` returned too late to be stored, so nothing else refers to that message.
        """
        ...


class PostsNothing:
    """The part of a chat whose users see nothing but what they asked for."""

    async def post(self, source: RequestSource, note: Note, nonce: str, *, again: bool = False) -> str | None:
        """There is nobody else to tell."""
        raise ChatGone("this chat shows nothing to users who did not ask")

    async def delete(self, keys: Collection[str]) -> None:
        """There are no messages to delete."""

    async def hide(self, keys: Collection[str]) -> int:
        """There are no messages to change."""
        return 0

    @property
    def servers(self) -> Collection[str]:
        """There are no servers."""
        return ()

    async def announce(self, server: str, channel: str | None, text: str, nonce: str) -> None:
        """There are no servers."""


class ChatRefused(Exception):
    """The chat will never take this card; `message` tells the user why."""

    def __init__(self, message: Message) -> None:
        super().__init__(f"refused for good: {message.code}")
        self.message = message


class ChatGone(Exception):
    """The channel of a card is gone for good (deleted, or access was lost)."""
