"""Keys by which the workflow names Discord's users, channels, messages and interactions."""

import re
from dataclasses import dataclass

CHAT = "discord"
_MESSAGE = re.compile(rf"{CHAT}:(\d+):(\d+)")
_NUMBER = re.compile(rf"{CHAT}:(\d+)")


def user_key(user_id: int) -> str:
    """The key of a user."""
    return f"{CHAT}:{user_id}"


def channel_key(channel_id: int) -> str:
    """The key of a channel, thread or DM."""
    return f"{CHAT}:{channel_id}"


def role_key(role_id: int) -> str:
    """The key of a role."""
    return f"{CHAT}:{role_id}"


def message_event(message_id: int) -> str:
    """The event id of a user's message."""
    return f"{CHAT}:m:{message_id}"


def interaction_event(interaction_id: int) -> str:
    """The event id of a command, button or modal."""
    return f"{CHAT}:i:{interaction_id}"


@dataclass(frozen=True, slots=True)
class MessagePlace:
    """The channel and id of a message; as a string, its key."""

    channel: int
    message: int

    def __str__(self) -> str:
        return f"{CHAT}:{self.channel}:{self.message}"

    @classmethod
    def of(cls, key: str | None) -> "MessagePlace | None":
        """The place that a key names; None for no key or a key of another chat."""
        found = _MESSAGE.fullmatch(key or "")
        return cls(int(found[1]), int(found[2])) if found else None

    def link(self, guild: int | None) -> str:
        """The URL that jumps to the message."""
        return f"https://discord.com/channels/{guild or '@me'}/{self.channel}/{self.message}"


def user_of(key: str) -> int | None:
    """The id of the Discord user that a key names; None for a key of another chat."""
    return _number(key)


def channel_of(key: str) -> int | None:
    """The id of the Discord channel that a key names; None for a key of another chat."""
    return _number(key)


def _number(key: str) -> int | None:
    found = _NUMBER.fullmatch(key)
    return int(found[1]) if found else None
