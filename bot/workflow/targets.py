"""Which picture is meant: the replied-to version, the attachment, a named version, my head here, else ask."""

from dataclasses import dataclass

from bot.chat.events import EditAsked, Event
from bot.chat.replies import AskTarget, ImageChoice, Say
from bot.policy.limits import Limits, is_fresh
from bot.workflow.text_commands import version_number
from conversations.errors import NoSuchVersion
from conversations.session import EditSession, Turn
from conversations.store.session_store import SessionStore

CHOICES = 3
LOOKED_THROUGH = 10  # of the newest sessions of a channel


@dataclass(frozen=True, slots=True)
class Target:
    """The version an edit starts from."""

    session: EditSession
    turn: Turn


async def shown_version(store: SessionStore, event: EditAsked) -> Target | None:
    """The version of the button pressed or the message replied to; None when neither is one of ours here."""
    if event.from_turn is not None:
        return await target_of(store, event, event.from_turn)
    if event.reply_to is not None and (turn := await store.find_by_delivered(event.reply_to)):
        return await target_of(store, event, turn.id)
    return None


async def named_version(
    store: SessionStore, event: Event, version: str, session: EditSession | None = None
) -> Target:
    """The version called so ("v2", or its id "k3f9"); NoSuchVersion if none is.

    A number counts in `session`, else in mine here, else in the newest one here that was shown.
    """
    number = version_number(version)
    if number is None:
        return await target_of(store, event, version.strip().lower())
    session = session or await session_here(store, event)
    if session is None:
        raise NoSuchVersion(version)
    return Target(session, session.version(number))


async def session_here(store: SessionStore, event: Event) -> EditSession | None:
    """Mine in this channel, else the newest one here that was shown to others."""
    session = await store.session_for_channel(event.channel, event.person)
    if session is None or _was_shown(session, event.person):
        return session
    return next(iter(await _shown_here(store, event)), None)


async def _shown_here(store: SessionStore, event: Event) -> list[EditSession]:
    newest = await store.sessions_in(event.channel, LOOKED_THROUGH)
    return [session for session in newest if _was_shown(session, event.person)]


def _was_shown(session: EditSession, person: str) -> bool:
    """Whether the person may have seen a picture of the session: as their own, or posted for all.

    Private answers are for the asker alone.
    """
    if session.owner == person or session.has_head(person):
        return True
    turns = session.turns.values()
    return any(turn.delivered and turn.image and not turn.source.is_private for turn in turns)


async def target_of(store: SessionStore, event: Event, turn_id: str) -> Target:
    """The turn of that id; NoSuchVersion unless it belongs to the channel the event comes from."""
    turn = await store.turn(turn_id)
    session = await store.session(turn.session_id)
    if session.channel != event.channel:
        raise NoSuchVersion(turn_id)
    return Target(session, session.turn(turn_id))


async def current_version(store: SessionStore, event: Event) -> Target | None:
    """Where I stand in this channel, however long ago I came there."""
    session = await store.session_for_channel(event.channel, event.person)
    if session is None or not session.has_head(event.person):
        return None
    forgotten = await store.recall(_forgotten(event))
    if forgotten is not None and float(forgotten) >= session.heads[event.person].moved_at:
        return None
    return Target(session, session.head_of(event.person))


def is_recent(base: Target, person: str, now: float, limits: Limits) -> bool:
    """Whether my head is recent enough (moved there, or finished) that bare words mean it."""
    moved_at = base.session.heads[person].moved_at
    return is_fresh((moved_at, base.turn.finished_at or 0.0), now, limits)


async def forget_head(store: SessionStore, event: Event, now: float) -> None:
    """From now on I stand nowhere in this channel, until the next picture."""
    await store.remember(_forgotten(event), repr(now))


async def ask_target(store: SessionStore, event: EditAsked) -> AskTarget:
    """The question, with the newest pictures of the channel to choose from."""
    sessions = await _shown_here(store, event)
    choices = tuple(_choice(session, event.person) for session in sessions[:CHOICES])
    return AskTarget(Say.WHICH_PICTURE(), event.text, choices)


def _choice(session: EditSession, person: str) -> ImageChoice:
    turn = session.head_of(person)
    while turn.image is None:
        turn = session.parent_of(turn) or session.root
    return ImageChoice(turn.id, turn.label, turn.image, turn.instruction, turn.is_hidden)


def _forgotten(event: Event) -> str:
    return f"forgotten {event.channel} {event.person}"
