"""What moderators of a server ask of the bot, and what people ask of moderators: events like all others."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from bot.chat.events import Event, Implied, VersionEvent


class ModAction(StrEnum):
    """What moderators decide for their server; which `subject` each one needs."""

    STATUS = "status"  # show what holds here
    LOG = "log"  # show who decided what
    PAUSE = "pause"
    RESUME = "resume"
    OPEN = "open"  # these five: a channel
    HIDE = "hide"  # open, with pictures behind spoilers
    CLOSE = "close"
    LISTEN = "overhear"
    IGNORE = "ignore"
    REPORTS = "reports"  # the channel in which reports are shown
    LIMITS = "limits"
    OWN_ONLY = "own_only"
    BY_CONSENT = "by_consent"
    BLOCK = "block"  # these three: a person
    UNBLOCK = "unblock"
    CANCEL = "cancel"
    REMOVE = "remove"  # these three: a turn id
    BLOCK_IMAGE = "bar"
    DISMISS = "dismiss"
    UNBLOCK_IMAGE = "lift"  # the mark of a picture


@dataclass(frozen=True, slots=True, kw_only=True)
class ModActionRequested(Event):
    """A moderator decides something, or looks.

    `waiting` and `per_day` go with LIMITS: edits of one person; 0 takes the limit back, None leaves it.
    """

    action: ModAction
    subject: str = ""
    waiting: int | None = None
    per_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAsked(VersionEvent):
    """Tell the moderators about a version, and why."""

    implied: ClassVar[Implied] = Implied.NONE

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealAsked(Event):
    """Ask the moderators to look again at a refusal: `about` is a mark, or the id of a filtered turn."""

    about: str
