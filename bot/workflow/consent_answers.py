"""What users decide about their pictures: an answer to a question, once for all, and for one session."""

from collections.abc import Awaitable
from typing import Protocol

from bot.chat.events import Answer, ConsentAnswered, ConsentAsked, Event, LockAsked
from bot.chat.replies import Accepted, Note, Reply, ShownVersion
from bot.workflow.consents import Consents
from bot.workflow.runner import TurnRunner
from bot.workflow.targets import Context
from conversations.errors import ConversationError, DuplicateEvent
from conversations.messages import Message, joined
from conversations.store.session_store import SessionStore
from conversations.store.user_data import Consent


class Dispatch(Protocol):
    """Runs an event as if it had just come."""

    def __call__(self, event: Event, *, has_consent: bool) -> Awaitable[Reply | None]: ...


async def answer_consent(
    consents: Consents, runner: TurnRunner, run: Dispatch, context: Context[ConsentAnswered]
) -> Note:
    """Save the answer; an edit that may go on now does, and its card comes by itself.

    If the edit is refused all the same, the owner and the asker are told why.
    """
    if runner.is_draining:
        return Note(Message("restarting"))  # the question stays open
    answered = await consents.answered(context.event)
    if isinstance(answered, Note):
        return answered
    if context.event.answer is Answer.NO:
        return await consents.refuse(answered)
    try:
        reply = await run(answered.work, has_consent=True)
    except DuplicateEvent:  # a kill came between the edit and the end of its question
        reply = None
    except ConversationError as error:
        reply = Note(error.message)
    allowed, refusal = await consents.allow(answered, context.event), _refusal(reply)
    await consents.done(answered, refusal)
    return Note(allowed if refusal is None else joined(" ", allowed, refusal))


def _refusal(reply: Reply | None) -> Message | None:
    """What came of an allowed edit instead of an edit; None if it was accepted."""
    match reply:
        case None | Accepted():
            return None
        case Note(text=text) | ShownVersion(note=text):
            return text
    return Message("unexpected")


async def consent_at_large(store: SessionStore, context: Context[ConsentAsked]) -> Note:
    """Save what a user allows everybody."""
    asked = context.event
    await store.set_consent(asked.user, None, asked.everybody, asked.asked_at)
    match asked.everybody:
        case Consent.ALWAYS:
            return Note(Message("consent_everybody"))
        case Consent.NEVER:
            return Note(Message("consent_nobody"))
        case None:
            return Note(Message("consent_by_asking"))


async def lock(store: SessionStore, context: Context[LockAsked]) -> Note:
    """Close a session to other users, or open it again."""
    if context.session is None:
        return Note(Message("no_session"))
    await store.lock(context.session.id, context.event.is_locked)
    return Note(Message("locked") if context.event.is_locked else Message("shared"))
