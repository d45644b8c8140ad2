"""Events about who sees a finished result: shared in the showcase of the server, or behind a spoiler."""

from dataclasses import dataclass
from typing import ClassVar

from bot.chat.events import Event, Implied, VersionEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareAsked(VersionEvent):
    """Post a copy of my result in the showcase of this server."""

    implied: ClassVar[Implied] = Implied.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareEnded(Event):
    """Take my copy back: the message `message` (a key), which shows the turn `turn`."""

    turn: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HideAsked(VersionEvent):
    """Put my result, and everything made from it, behind spoilers, also where it is posted already."""

    implied: ClassVar[Implied] = Implied.NONE
