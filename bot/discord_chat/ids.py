"""The opaque keys by which the workflow knows Discord's people, places, messages and gestures."""

import re
from dataclasses import dataclass

CHAT = "discord"
_MESSAGE = re.compile(rf"{CHAT}:(\d+):(\d+)")
_NUMBER = re.compile(rf"{CHAT}:(\d+)")


def person_key(user_id: int) -> str:
    """The key of a person."""
    return f"{CHAT}:{user_id}"


def channel_key(channel_id: int) -> str:
    """The key of a channel, thread or DM."""
    return f"{CHAT}:{channel_id}"


def message_event(message_id: int) -> str:
    """The event id of a message somebody wrote."""
    return f"{CHAT}:m:{message_id}"


def interaction_event(interaction_id: int) -> str:
    """The event id of a command, button or modal."""
    return f"{CHAT}:i:{interaction_id}"


@dataclass(frozen=True, slots=True)
class MessagePlace:
    """Where a message is; as a string, its delivered key."""

    channel: int
    message: int

    def __str__(self) -> str:
        return f"{CHAT}:{self.channel}:{self.message}"

    @classmethod
    def of(cls, key: str | None) -> "MessagePlace | None":
        """The place a delivered key names; None for no key or another chat's."""
        found = _MESSAGE.fullmatch(key or "")
        return cls(int(found[1]), int(found[2])) if found else None

    def link(self, guild: int | None) -> str:
        """The address that jumps to the message."""
        return f"https://discord.com/channels/{guild or '@me'}/{self.channel}/{self.message}"


def user_of(person: str) -> int | None:
    """The Discord user a person key names; None for another chat's."""
    return _number(person)


def channel_of(channel: str) -> int | None:
    """The Discord channel a channel key names; None for another chat's."""
    return _number(channel)


def _number(key: str) -> int | None:
    found = _NUMBER.fullmatch(key)
    return int(found[1]) if found else None
