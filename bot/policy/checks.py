"""Every rule that an event must pass, in order; the same for every gesture of every chat. Pure.

`ADMISSION` is asked first; `refused_permission` once the version that an event is about is known. A check
names the kinds of events that it holds for, and gives the message for those that it refuses.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.chat.events import (
    CancelAsked,
    DeleteAsked,
    EditAsked,
    Event,
    GridAsked,
    LockAsked,
    Move,
    MoveAsked,
    Scope,
    SettingsAsked,
    VariationAsked,
)
from bot.chat.moderation_events import ModActionRequested
from bot.chat.replies import Say, seconds_in_words
from bot.policy.limits import Limits
from conversations.servers import ServerSettings
from conversations.session import EditSession, Turn

DAY_S = 24 * 3600.0
EDITS = (EditAsked, VariationAsked, GridAsked)


@dataclass(frozen=True, slots=True)
class Requests:
    """When one user asked lately: Unix seconds, oldest first."""

    times: tuple[float, ...] = ()

    def within(self, now: float, limits: Limits) -> "Requests":
        """Those that still count."""
        return Requests(tuple(time for time in self.times if now - time < limits.window_s))

    def after(self, now: float, limits: Limits) -> "Requests":
        """The same with one more at `now`; forgets those that no longer count."""
        return Requests((*self.within(now, limits).times, now))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules of admission look at.

    waiting, waiting_of_all   edits not yet started: of the user, of everybody
    requests                  of the user, before this one
    made_at                   Unix seconds at which the user's edits in this server began, where a quota holds
    """

    event: Event
    settings: ServerSettings
    limits: Limits
    now: float
    is_draining: bool = False
    waiting: int = 0
    waiting_of_all: int = 0
    requests: Requests = Requests()
    made_at: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One rule: a label for the metrics, the events it holds for, and why it refuses one (else None).

    `counts`: a request that this rule refuses still counts towards the request rate.
    """

    reason: str
    events: tuple[type[Event], ...]
    objection: Callable[[Facts], str | None]
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Which check refused an event, and what the user is told."""

    check: Check
    message: str


def first_refusal(facts: Facts) -> Refusal | None:
    """The first rule of admission that refuses the event; None when all of them hold."""
    for check in ADMISSION:
        if isinstance(facts.event, check.events) and (message := check.objection(facts)):
            return Refusal(check, message)
    return None


def objection_to_text(text: str, limits: Limits) -> str | None:
    """Why this instruction cannot be taken, or None."""
    if not text:
        return Say.NO_WORDS()
    if len(text) > limits.instruction_chars:
        return Say.TOO_LONG(length=len(text), limit=limits.instruction_chars)
    return None


def is_in(event: Event, channels: Iterable[str]) -> bool:
    """Whether an event comes from one of these channels, or from a thread of one."""
    return not {event.channel, event.source.parent_channel}.isdisjoint(channels)


# --- rules of admission ---


def _blocked(facts: Facts) -> str | None:
    return Say.BLOCKED() if facts.event.person in facts.settings.blocked else None


def _paused(facts: Facts) -> str | None:
    return Say.PAUSED() if facts.settings.is_paused else None


def _closed(facts: Facts) -> str | None:
    return Say.CHANNEL_CLOSED() if is_in(facts.event, facts.settings.closed) else None


def _quota(facts: Facts) -> str | None:
    limit = facts.settings.per_day
    today = sorted(at for at in facts.made_at if at > facts.now - DAY_S)
    if limit is None or len(today) < limit:
        return None
    return Say.OUT_OF_QUOTA(limit=limit, wait=seconds_in_words(today[-limit] + DAY_S - facts.now))


def _draining(facts: Facts) -> str | None:
    return Say.RESTARTING() if facts.is_draining else None


def _rate(facts: Facts) -> str | None:
    limits, recent = facts.limits, facts.requests.within(facts.now, facts.limits).times
    if len(recent) < limits.requests:
        return None
    wait_s = recent[-limits.requests] + limits.window_s - facts.now
    return Say.TOO_FAST(
        limit=limits.requests, window=f"{limits.window_s:g} s", seconds=f"{max(1, math.ceil(wait_s))} s"
    )


def _text(facts: Facts) -> str | None:
    event = facts.event
    assert isinstance(event, EditAsked | GridAsked)
    is_optional = isinstance(event, GridAsked) or event.picture is not None
    return None if is_optional and not event.text else objection_to_text(event.text, facts.limits)


def _queue(facts: Facts) -> str | None:
    limits, of_server = facts.limits, facts.settings.waiting
    own = min(of_server or limits.waiting_per_person, limits.waiting_per_person)
    if facts.waiting >= own:
        return Say.TOO_MANY_WAITING(count=facts.waiting, limit=own)
    return Say.QUEUE_FULL(limit=limits.waiting) if facts.waiting_of_all >= limits.waiting else None


def _own_only(facts: Facts) -> str | None:
    event = facts.event
    assert isinstance(event, EditAsked)
    is_own = event.picture_owner in (None, event.person)
    return Say.ONLY_OWN() if facts.settings.own_only and not is_own else None


def _not_in_server(facts: Facts) -> str | None:
    return Say.ONLY_IN_SERVERS() if facts.event.source.server is None else None


def _not_moderator(facts: Facts) -> str | None:
    return None if facts.event.is_moderator else Say.NOT_A_MODERATOR()


def _channel_settings(facts: Facts) -> str | None:
    event = facts.event
    assert isinstance(event, SettingsAsked)
    is_open = event.is_moderator or event.scope is not Scope.CHANNEL or not event.changes_something
    return None if is_open else Say.NO_CHANNEL_RIGHT()


ADMISSION = (
    Check("blocked", EDITS, _blocked),
    Check("paused", EDITS, _paused),
    Check("closed", EDITS, _closed),
    Check("quota", EDITS, _quota),
    Check("draining", EDITS, _draining),
    Check("rate", EDITS, _rate),
    Check("text", (EditAsked, GridAsked), _text, counts=True),
    Check("queue", EDITS, _queue, counts=True),
    Check("own_only", (EditAsked,), _own_only, counts=True),
    Check("not_in_server", (ModActionRequested,), _not_in_server),
    Check("not_moderator", (ModActionRequested,), _not_moderator),
    Check("channel_settings", (SettingsAsked,), _channel_settings),
)


# --- rules about a version ---


def refused_permission(event: Event, session: EditSession, turn: Turn, *, is_named: bool) -> str | None:
    """Why this user may not do that with this version, or None."""
    match event:
        case LockAsked() if session.owner != event.person:
            return Say.NOT_YOUR_SESSION()
        case CancelAsked() | DeleteAsked() if turn.user != event.person and not event.is_moderator:
            return Say.NOT_YOURS(version=turn.label)
        case MoveAsked(move=Move.UNDO) if is_named and turn.user != event.person:
            return Say.NOT_YOURS(version=turn.label)
    return None
