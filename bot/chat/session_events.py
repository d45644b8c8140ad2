"""Events about whole sessions: a picture with everything made from it."""

from dataclasses import dataclass
from typing import ClassVar

from bot.chat.events import Event, Implied, VersionEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsAsked(Event):
    """List my sessions in this channel."""

    read_only: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryAsked(Event):
    """Show my newest results, wherever I made them."""

    read_only: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSessionAsked(VersionEvent):
    """Erase my session with everything in it. Unless `is_confirmed`, only say what that is, with a button."""

    implied: ClassVar[Implied] = Implied.SESSION

    is_confirmed: bool = False
