"""Every rule that an event must pass, in order; the same for every gesture of every chat. Pure.

`ADMISSION` is asked first, before anything is fetched; `refused_picture` and `refused_permission` once the
picture or the version that an event is about is known. A check names the kinds of events that it holds for,
and gives the message for those that it refuses.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.chat.cards import suggestions
from bot.chat.events import (
    Addressing,
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
from bot.chat.grid_events import CellPicked
from bot.chat.moderation_events import ModActionRequested
from bot.chat.operator_events import OperatorActRequested
from bot.chat.replies import Note
from bot.chat.session_events import DeleteSessionAsked
from bot.chat.sharing_events import HideAsked, ShareAsked
from bot.policy.limits import Limits
from bot.policy.share_texts import refused_share
from conversations.intents.text_language import is_read
from conversations.messages import Message, joined, verbatim
from conversations.servers import ServerSettings
from conversations.session import EditSession
from conversations.shares import DAY_S
from conversations.store.share_ledger import ShareUsedUp
from conversations.turn import Turn

MOST_VERSIONS = 1000  # of one session, which is read whole for every event about it
EDITS = (EditAsked, VariationAsked, GridAsked)
RESULTS = (*EDITS, CellPicked, ShareAsked)  # what posts a result


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules of admission look at.

    now                       Unix seconds; the clock may be set at any time
    uptime_s                  seconds by a clock that cannot be set
    waiting, waiting_of_all   edits not yet started: of the user, of everybody
    requests                  when the user asked lately, before this one: by the clock of `uptime_s`
    share                     the limit that has no room for anything, if one has none
    operators                 the users who decide for all servers
    """

    event: Event
    settings: ServerSettings
    limits: Limits
    now: float
    uptime_s: float = 0.0
    is_draining: bool = False
    waiting: int = 0
    waiting_of_all: int = 0
    requests: tuple[float, ...] = ()
    share: ShareUsedUp | None = None
    operators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One rule: a label for the metrics, the events it holds for, and why it refuses one (else None).

    `counts`: a request that this rule refuses still counts towards the request rate.
    """

    reason: str
    events: tuple[type[Event], ...]
    objection: Callable[[Facts], Message | None]
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """The check that refused an event, and the message for the user."""

    check: Check
    message: Message


def first_refusal(facts: Facts) -> Refusal | None:
    """The first rule of admission that refuses the event; None when all of them hold."""
    for check in ADMISSION:
        if isinstance(facts.event, check.events) and (message := check.objection(facts)):
            return Refusal(check, message)
    return None


def objection_to_text(text: str, limits: Limits) -> Message | None:
    """Why this instruction cannot be taken, or None."""
    if not text.strip():
        return Message("no_words")
    if len(text) > limits.instruction_chars:
        return Message("too_long", count=len(text), limit=limits.instruction_chars)
    return objection_to_length(text, limits)


def objection_to_length(text: str, limits: Limits) -> Message | None:
    """Why the model has no room for a text, or None."""
    fitting = limits.fitting_chars(text)
    return None if fitting >= len(text) else Message("too_long", count=len(text), limit=fitting)


def recent(times: Iterable[float], now: float, window_s: float) -> tuple[float, ...]:
    """Those of the times, in seconds by one clock, that are not older than the window."""
    return tuple(time for time in times if now - time < window_s)


def is_in(event: Event, channels: Iterable[str]) -> bool:
    """Whether an event comes from one of these channels, or from a thread of one."""
    return not {event.channel, event.source.parent_channel}.isdisjoint(channels)


# --- rules of admission ---


def _blocked(facts: Facts) -> Message | None:
    if facts.event.user in facts.settings.blocked_everywhere:
        return Message("blocked_everywhere")
    return Message("blocked") if facts.event.user in facts.settings.blocked else None


def _paused(facts: Facts) -> Message | None:
    if facts.settings.paused_everywhere:
        return Message("paused_everywhere")
    return Message("paused") if facts.settings.is_paused else None


def _account_too_new(facts: Facts) -> Message | None:
    too_new = _too_new(facts.event.account_since, facts.limits.least_account_s, facts.now)
    return Message("account_too_new", **too_new) if too_new else None


def _membership_too_new(facts: Facts) -> Message | None:
    too_new = _too_new(facts.event.member_since, facts.limits.least_member_s, facts.now)
    return Message("membership_too_new", **too_new) if too_new else None


def _too_new(since: float | None, least_s: float, now: float) -> dict[str, Message] | None:
    """How long it takes and how much is left, unless `least_s` passed; `since` and `now` in Unix seconds."""
    if since is None or not least_s or now - since >= least_s:
        return None
    least = Message("days", count=math.ceil(least_s / DAY_S))
    return {"least": least, "wait": Message("days", count=math.ceil((since + least_s - now) / DAY_S))}


def _closed(facts: Facts) -> Message | None:
    if is_in(facts.event, facts.settings.closed):
        return Message("channel_closed")
    if not facts.settings.only or is_in(facts.event, facts.settings.only):
        return None
    return Message("other_channels", list=tuple(verbatim(f"<#{key}>") for key in facts.settings.only[:5]))


def _words(facts: Facts) -> Message | None:
    event = facts.event
    return facts.limits.words.objection(getattr(event, "text", None), getattr(event, "reading", None))


def _may_not_post(facts: Facts) -> Message | None:
    return None if facts.event.may_post else Message("user_may_not_post")


def _quota(facts: Facts) -> Message | None:
    return refused_share(facts.share) if facts.share else None


def _draining(facts: Facts) -> Message | None:
    return Message("restarting") if facts.is_draining else None


def only_reads(event: Event) -> bool:
    """Whether an event changes nothing, as one does that only shows the settings."""
    return event.read_only or (isinstance(event, SettingsAsked) and not event.changes_something)


def is_paced(event: Event) -> bool:
    """Whether an event counts towards the request rate; decisions of moderators and operators never do."""
    is_decision = isinstance(event, ModActionRequested | OperatorActRequested)
    return isinstance(event, EDITS) or (event.is_counted and not is_decision)


def _rate(facts: Facts) -> Message | None:
    if not is_paced(facts.event):
        return None
    limits = facts.limits
    made = recent(facts.requests, facts.uptime_s, limits.window_s)
    if len(made) < limits.requests:
        return None
    wait_s = made[-limits.requests] + limits.window_s - facts.uptime_s
    return Message(
        "too_fast",
        count=limits.requests,
        window=Message("seconds", count=round(limits.window_s)),
        wait=Message("seconds", count=max(1, math.ceil(wait_s))),
    )


def _text(facts: Facts) -> Message | None:
    event = facts.event
    assert isinstance(event, EditAsked | GridAsked)
    is_optional = isinstance(event, GridAsked) or event.own is not None or event.replied is not None
    if is_optional and not event.text:
        return None
    reading = getattr(event, "reading", None) or ""
    return objection_to_text(event.text, facts.limits) or objection_to_length(reading, facts.limits)


def _queue(facts: Facts) -> Message | None:
    limits, of_server = facts.limits, facts.settings.waiting
    own = min(of_server or limits.waiting_per_person, limits.waiting_per_person)
    if facts.waiting >= own:
        return Message("too_many_waiting", count=facts.waiting, limit=own)
    return Message("queue_full", count=limits.waiting) if facts.waiting_of_all >= limits.waiting else None


def _not_in_server(facts: Facts) -> Message | None:
    return Message("only_in_servers") if facts.event.source.server is None else None


def _not_moderator(facts: Facts) -> Message | None:
    return None if facts.event.is_moderator else Message("not_a_moderator")


def _not_operator(facts: Facts) -> Message | None:
    return None if facts.event.user in facts.operators else Message("not_an_operator")


def _channel_settings(facts: Facts) -> Message | None:
    event = facts.event
    assert isinstance(event, SettingsAsked)
    is_open = event.is_moderator or event.scope is not Scope.CHANNEL or not event.changes_something
    return None if is_open else Message("no_channel_right")


ADMISSION = (
    Check("blocked", RESULTS, _blocked),
    Check("paused", RESULTS, _paused),
    Check("account_too_new", RESULTS, _account_too_new),
    Check("membership_too_new", RESULTS, _membership_too_new),
    Check("closed", RESULTS, _closed),
    Check("may_not_post", RESULTS, _may_not_post),
    Check("quota", EDITS, _quota),
    Check("draining", RESULTS, _draining),
    Check("rate", (Event,), _rate),
    Check("words", EDITS, _words, counts=True),
    Check("text", (EditAsked, GridAsked), _text, counts=True),
    Check("queue", EDITS, _queue, counts=True),
    Check("not_in_server", (ModActionRequested,), _not_in_server),
    Check("not_moderator", (ModActionRequested,), _not_moderator),
    Check("not_operator", (OperatorActRequested,), _not_operator),
    Check("channel_settings", (SettingsAsked,), _channel_settings),
)


# --- rules about a picture or a version ---


def refused_picture(settings: ServerSettings, user: str, owner: str | None) -> Message | None:
    """Why this user may not edit a picture that `owner` posted (None: the user), or None."""
    return Message("only_own") if settings.own_only and owner not in (None, user) else None


def refused_permission(event: Event, session: EditSession, turn: Turn, *, is_named: bool) -> Message | None:
    """Why this user may not do that with this version, or None."""
    is_own = turn.user == event.user
    match event:
        case EditAsked() | VariationAsked() | GridAsked() | CellPicked() if (
            len(session.turns) > MOST_VERSIONS
        ):
            return Message("too_many_versions", limit=MOST_VERSIONS)
        case LockAsked() | DeleteSessionAsked() if session.owner != event.user:
            return Message("not_your_session")
        case CellPicked() | ShareAsked() if not is_own:
            return Message("not_yours", version=turn.label)
        case CancelAsked() | DeleteAsked() | HideAsked() if not is_own and not event.is_moderator:
            return Message("not_yours", version=turn.label)
        case MoveAsked(move=Move.UNDO | Move.REJECT) if is_named and not is_own:
            return Message("not_yours", version=turn.label)
    return None


def refused_language(asked: EditAsked | GridAsked, limits: Limits) -> Note | None:
    """The answer to an instruction in a language that the model does not read; nothing is guessed."""
    if isinstance(asked, EditAsked) and asked.addressing is Addressing.VERBATIM:
        return None
    said = asked.said if isinstance(asked, EditAsked) else None
    if said.is_read if said else is_read(asked.text, limits.languages):
        return None
    names = joined(", ", *(Message(f"language.{code}") for code in limits.languages))
    return Note(Message("other_language", languages=names), buttons=suggestions(), asks=asked.user)
