"""What a turn remembers of the gesture that asked for it, enough to answer after a restart."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bot.i18n.catalog import ENGLISH

DEFAULT_FILE_LIMIT = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer goes: channel, message to reply to, and the bytes a file may have there.

    With a `token`, the place is one the bot is no member of: it answers through the interaction of that
    token, which ends after 15 minutes.
    """

    channel: int
    message: int | None = None
    guild: int | None = None
    file_limit: int = DEFAULT_FILE_LIMIT
    language: str = ENGLISH  # of the person
    token: str | None = None
    parent: int | None = None  # of a thread: the channel it hangs under

    def as_json(self) -> dict[str, Any]:
        """The value as plain JSON, for the store."""
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Source":
        """The value back from the store; fields of another release are ignored."""
        known = {name: stored[name] for name in cls.__dataclass_fields__ if name in stored}
        return cls(**known)
