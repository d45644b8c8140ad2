"""Events of moderators, and of users who turn to moderators."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from bot.chat.events import Event, Implied, VersionEvent


class ModAction(StrEnum):
    """What moderators decide for their server, and the `subject` that each decision needs."""

    STATUS = "status"  # show the settings of the server
    LOG = "log"  # show the audit log
    PAUSE = "pause"
    RESUME = "resume"
    OPEN = "open"  # these eight: a channel
    HIDE = "hide"  # open, with pictures behind spoilers
    CLOSE = "close"
    ONLY = "only"  # open, as one of the only ones
    LISTEN = "overhear"
    IGNORE = "ignore"
    THREADS = "threads"  # a thread for each new picture
    NO_THREADS = "no_threads"
    EVERYWHERE = "everywhere"  # no channel is closed
    SHOWCASE = "showcase"  # the channel in which authors share results
    NO_SHOWCASE = "no_showcase"
    REPORTS = "reports"  # the channel in which reports are shown
    LIMITS = "limits"
    OWN_ONLY = "own_only"
    BY_CONSENT = "by_consent"
    BLOCK = "block"  # these three: a user
    UNBLOCK = "unblock"
    CANCEL = "cancel"
    REMOVE = "remove"  # these three: a turn id
    BLOCK_IMAGE = "bar"
    DISMISS = "dismiss"
    UNBLOCK_IMAGE = "lift"  # an image hash


@dataclass(frozen=True, slots=True, kw_only=True)
class ModActionRequested(Event):
    """A moderator decides something, or reads the settings.

    `waiting` and `per_day` belong to LIMITS: edits of one user. 0 removes a limit, None keeps it.
    """

    action: ModAction
    subject: str = ""
    waiting: int | None = None
    per_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAsked(VersionEvent):
    """Report a version to the moderators; `text` says why."""

    implied: ClassVar[Implied] = Implied.NONE

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealAsked(Event):
    """Ask the moderators to review a refusal: `about` is an image hash, or the id of a filtered turn."""

    about: str
