"""Which picture is meant: the replied-to version, the attachment, a named version, my head here, else ask."""

from dataclasses import dataclass

from bot.cards import HIDDEN
from bot.events import EditAsked, Event
from bot.limits import Limits, is_fresh
from bot.replies import Choice, Say, Which
from bot.words import version_number
from conversations.errors import NoSuchVersion
from conversations.session import EditSession, Turn
from conversations.store import SessionStore

CHOICES = 3


@dataclass(frozen=True, slots=True)
class Base:
    """The version an edit starts from."""

    session: EditSession
    turn: Turn


async def shown_version(store: SessionStore, event: EditAsked) -> Base | None:
    """The version of the button pressed or the message replied to; None when neither is one of ours here."""
    if event.from_turn is not None:
        return await base_of(store, event, event.from_turn)
    if event.reply_to is not None and (turn := await store.find_by_delivered(event.reply_to)):
        return await base_of(store, event, turn.id)
    return None


async def named_version(
    store: SessionStore, event: Event, version: str, session: EditSession | None = None
) -> Base:
    """The version called so ("v2", or its id "k3f9"); NoSuchVersion if none is.

    A number counts in `session`, else in mine here, else in the newest one here.
    """
    number = version_number(version)
    if number is None:
        return await base_of(store, event, version.strip().lower())
    session = session or await store.session_for_channel(event.channel, event.person)
    if session is None:
        raise NoSuchVersion(version)
    return Base(session, session.version(number))


async def base_of(store: SessionStore, event: Event, turn_id: str) -> Base:
    """The turn of that id; NoSuchVersion unless it belongs to the channel the event comes from."""
    turn = await store.turn(turn_id)
    session = await store.session(turn.session_id)
    if session.channel != event.channel:
        raise NoSuchVersion(turn_id)
    return Base(session, session.turn(turn_id))


async def my_head(store: SessionStore, event: Event) -> Base | None:
    """Where I stand in this channel, however long ago I came there."""
    session = await store.session_for_channel(event.channel, event.person)
    if session is None or not session.has_head(event.person):
        return None
    forgotten = await store.recall(_forgotten(event))
    if forgotten is not None and float(forgotten) >= session.heads[event.person].moved_at:
        return None
    return Base(session, session.head_of(event.person))


def is_recent(base: Base, person: str, now: float, limits: Limits) -> bool:
    """Whether my head is recent enough (moved there, or finished) that bare words mean it."""
    moved_at = base.session.heads[person].moved_at
    return is_fresh((moved_at, base.turn.finished_at or 0.0), now, limits)


async def forget_head(store: SessionStore, event: Event, now: float) -> None:
    """From now on I stand nowhere in this channel, until the next picture."""
    await store.remember(_forgotten(event), repr(now))


async def ask_which(store: SessionStore, event: EditAsked) -> Which:
    """The question, with the newest pictures of the channel to choose from."""
    sessions = await store.sessions_in(event.channel, CHOICES)
    choices = tuple(_choice(session, event.person) for session in sessions)
    return Which(Say.WHICH_PICTURE(), event.text, choices)


def _choice(session: EditSession, person: str) -> Choice:
    turn = session.head_of(person)
    while turn.image is None:
        turn = session.parent_of(turn) or session.root
    return Choice(turn.id, turn.label, turn.image, turn.instruction, bool(turn.source.get(HIDDEN)))


def _forgotten(event: Event) -> str:
    return f"forgotten {event.channel} {event.person}"
