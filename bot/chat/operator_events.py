"""Events of operators, who decide for all servers."""

from dataclasses import dataclass
from enum import StrEnum

from bot.chat.events import Event
from bot.chat.offered_pictures import PictureOffer


class OperatorAct(StrEnum):
    """What operators do, and the `subject` that it needs."""

    STATUS = "status"
    LOG = "log"  # show the audit log; all of it, or what is about the subject
    PAUSE = "pause"
    RESUME = "resume"
    DRAIN = "drain"  # end running edits, keep the queue for the next start, stop
    BLOCK = "block"  # these two: a user, as typed
    UNBLOCK = "unblock"
    BAR = "bar"  # these three: an image hash or the id of a version, unless a picture is given
    UNBAR = "unbar"
    REMOVE = "remove"  # bar a picture, and erase all versions that show it or its likes
    NOTICES = "notices"  # list those that wait for a decision
    SETTLE = "settle"  # the number of a notice; the outcome says how
    ANNOUNCE = "announce"  # a text; "" ends the announcement
    SHARES = "shares"  # the name of a limit


OUTCOMES = ("removed", "kept")  # of a notice: with all copies of its picture, or not


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorActRequested(Event):
    """An operator decides something, or reads what is decided.

    picture  of BAR, UNBAR and REMOVE
    outcome  of SETTLE: one of OUTCOMES
    edits    of SHARES: 0 removes the limit, None returns to that of the environment
    """

    act: OperatorAct
    subject: str = ""
    picture: PictureOffer | None = None
    edits: float | None = None
    outcome: str = ""
