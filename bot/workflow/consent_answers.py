"""What users decide about their pictures: an answer to a question, once for all, and for one session."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import Protocol

from bot.chat.events import Answer, ConsentAnswered, ConsentAsked, Event, LockAsked
from bot.chat.replies import Accepted, Note, Reacted, Reply, ShownVersion
from bot.workflow.consents import Consents
from bot.workflow.runner import TurnRunner
from bot.workflow.targets import Context
from conversations.errors import ConversationError, DuplicateEvent
from conversations.messages import Message, joined
from conversations.store.session_store import SessionStore
from conversations.store.user_data import Consent


class Dispatch(Protocol):
    """Runs an event as if it had just come."""

    def __call__(self, event: Event) -> Awaitable[Reply | None]: ...


async def answer_consent(
    consents: Consents, runner: TurnRunner, run: Dispatch, context: Context[ConsentAnswered]
) -> Note:
    """Save the answer; an edit that may go on now does, and its card comes by itself.

    Who lent a picture does not open a session that its owner has locked: then that owner is asked next. If
    the edit is refused all the same, the owner and the asker are told why.
    """
    if runner.is_draining:
        return Note(Message("restarting"))  # the question stays open
    answered = await consents.answered(context.event)
    if isinstance(answered, Note):
        return answered
    if context.event.answer is Answer.NO:
        return await consents.refuse(answered)
    work = replace(answered.work, allowed_by=(*answered.work.allowed_by, answered.question.owner))
    try:
        reply = await run(work)
    except DuplicateEvent:  # a kill came between the edit and the end of its question
        reply = None
    except ConversationError as error:
        reply = Note(error.message)
    allowed, refusal = await consents.allow(answered, context.event), _refusal(reply)
    await consents.done(answered, refusal, waits_for_another=_is_question(reply))
    return Note(allowed if refusal is None else joined(" ", allowed, refusal))


def _refusal(reply: Reply | None) -> Message | None:
    """What came of an allowed edit instead of an edit; None if it was accepted."""
    if _is_question(reply):
        return None
    match reply:
        case None | Accepted():
            return None
        case Note(text=text) | ShownVersion(note=text):
            return text
    return Message("unexpected")


def _is_question(reply: Reply | None) -> bool:
    """Whether the reply is that an owner is asked."""
    return isinstance(reply, Reacted | Note) and reply.text.code == "question_posted"


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
