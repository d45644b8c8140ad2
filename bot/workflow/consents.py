"""Images of other users are edited only with consent. Answers are stored, open questions are in memory."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.chat.events import Answer, ButtonAction, ConsentAnswered, ConsentAsked, LockAsked, Work
from bot.chat.replies import Note, buttons
from bot.ops.clocks import uptime_s
from bot.workflow.targets import Context
from conversations.messages import Message, verbatim
from conversations.store.session_store import SessionStore
from conversations.store.user_data import Consent

OPEN_QUESTIONS = 16  # kept at most; each may hold a picture in memory
OPEN_S = 24 * 3600.0


def mention(user: str) -> Message:
    """A user inside a message; the chat puts their name there."""
    return verbatim(f"<@{user}>")


@dataclass(frozen=True, slots=True)
class Question:
    """An edit that waits for consent."""

    asked: Work
    owner: str
    at: float  # seconds, by the uptime clock


class Consents:
    """Asks the owner of an image, and stores lasting answers."""

    def __init__(self, store: SessionStore, uptime: Callable[[], float] = uptime_s) -> None:
        self._store = store
        self._uptime = uptime
        self._open: dict[str, Question] = {}

    async def objection(self, asked: Work, owner: str, words: str, *, is_open: bool) -> Note | None:
        """Why `asked` may not go on yet: the question to `owner`, or their refusal. None if it may.

        `is_open`: whether it may where the owner never said anything.
        """
        if owner == asked.user:
            return None
        said = await self._store.consent(owner, asked.user)
        if said is Consent.ALWAYS or (said is None and is_open):
            return None
        if said is Consent.NEVER:
            return Note(Message("consent_refused"))
        return self._ask(asked, owner, words)

    async def answered(self, event: ConsentAnswered) -> tuple[Note, Work | None]:
        """What to tell the owner, and the edit that may go on now, if any."""
        question = self._open.get(event.request)
        if question is None or question.at < self._uptime() - OPEN_S:
            return Note(Message("consent_over")), None
        if event.user != question.owner:
            return Note(Message("consent_not_yours", owner=mention(question.owner))), None
        del self._open[event.request]
        asker = question.asked.user
        match event.answer:
            case Answer.ONCE:
                return Note(Message("consent_once")), question.asked
            case Answer.ALWAYS:
                await self._store.set_consent(question.owner, asker, Consent.ALWAYS)
                return Note(Message("consent_always", person=mention(asker))), question.asked
            case Answer.NEVER:
                await self._store.set_consent(question.owner, asker, Consent.NEVER)
                return Note(Message("consent_never", person=mention(asker))), None

    def forget(self, user: str) -> None:
        """Drop the open questions by this user and to them, with the words and pictures in them."""
        kept = {
            key: open_ for key, open_ in self._open.items() if user not in (open_.asked.user, open_.owner)
        }
        self._open = kept

    def _is_asked(self, user: str, owner: str) -> bool:
        """Whether this user waits for an answer of that owner: they are asked once at a time."""
        since = self._uptime() - OPEN_S
        pairs = {(open_.asked.user, open_.owner) for open_ in self._open.values() if open_.at >= since}
        return (user, owner) in pairs

    def _ask(self, asked: Work, owner: str, words: str) -> Note:
        if self._is_asked(asked.user, owner):
            return Note(Message("consent_waiting", owner=mention(owner)))
        request = secrets.token_hex(4)
        while len(self._open) >= OPEN_QUESTIONS:
            del self._open[next(iter(self._open))]
        self._open[request] = Question(asked, owner, self._uptime())
        text = Message("consent_asked", owner=mention(owner), person=mention(asked.user), words=words)
        answers = buttons(ButtonAction.ALLOW_ONCE, ButtonAction.ALLOW_ALWAYS, ButtonAction.REFUSE)
        return Note(text, private=False, buttons=answers, about=request, asks=owner)


async def consent_at_large(store: SessionStore, context: Context[ConsentAsked]) -> Note:
    """Save what a user allows everybody."""
    asked = context.event
    await store.set_consent(asked.user, None, asked.everybody)
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
