"""Values of one server: the settings its moderators chose, and their audit log."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One decision of a moderator or operator. `rule` names the action.

    subject  the user, channel, image hash, text or setting
    version  id of the version that it was decided on, if any
    server   where it holds, as read from the log
    """

    at: float  # Unix seconds
    by: str  # the moderator
    rule: str
    subject: str = ""
    version: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What the moderators of one server have set. Users and channels are named by their keys.

    blocked            users whose requests are refused
    closed             channels without edits
    only               the only channels with edits; none: all
    hidden             channels with all images behind spoilers
    threads            channels in which each new picture gets a thread
    listening          channels in which messages without a mention can be requests
    waiting, per_day   edits of one user: in the queue, and in 24 hours; None: the limits of the bot apply
    own_only           whether images of other users cannot be edited, not even with consent
    showcase           the channel in which authors share results; None for none
    reports            the channel that reports are posted in; None for none
    blocked_images     hashes of images that are neither accepted nor shown
    language           tag of the language of reports
    shares             limits, by name, in place of those of the environment; None: no limit
    announcement       what the operator announces to all users now; "" for nothing
    paused_everywhere, blocked_everywhere  what the operator decided for all servers and direct messages
    """

    is_paused: bool = False
    blocked: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    listening: tuple[str, ...] = ()
    waiting: int | None = None
    per_day: int | None = None
    own_only: bool = False
    showcase: str | None = None
    reports: str | None = None
    blocked_images: tuple[str, ...] = ()
    language: str = "en"
    shares: tuple[tuple[str, float | None], ...] = ()
    announcement: str = ""
    paused_everywhere: bool = False
    blocked_everywhere: tuple[str, ...] = ()


DEFAULT_SERVER_SETTINGS = ServerSettings()
EVERYWHERE = "*"  # in place of a server: decisions of the operator for all of them


def with_one(group: tuple[str, ...], member: str, is_in: bool) -> tuple[str, ...]:
    """The group with this member, or without."""
    others = tuple(other for other in group if other != member)
    return (*others, member) if is_in else others
