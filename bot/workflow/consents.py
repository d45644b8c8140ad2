"""Images of other users are edited only with consent. Answers and open questions are stored.

An asker has one open question to an owner at a time, and after a no none for a while. The chat posts it, also
after a restart; the message goes once the question is over.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from bot.chat.button_actions import CONSENTS
from bot.chat.events import Answer, BotQuestion, ConsentAnswered, EditAsked, Work
from bot.chat.interface import ChatGone, ChatRefused
from bot.chat.offered_masks import MaskFile
from bot.chat.offered_pictures import OfferedFile, OfferedPictures, PictureOffer, offer_of
from bot.chat.replies import Note, Reacted, Reply, buttons, duration
from bot.workflow.runner import TurnRunner
from bot.workflow.saved_work import restored_work, saved_work
from conversations.errors import UserErased
from conversations.images.image_store import ImageStore
from conversations.messages import Message, verbatim
from conversations.request_source import RequestSource
from conversations.store.consent_questions import ConsentQuestion
from conversations.store.session_store import SessionStore
from conversations.store.user_data import Consent

log = logging.getLogger(__name__)

HOUR_S = 3600.0
OPEN_S = 24 * HOUR_S  # how long a question waits for its answer
PAUSE_S = 7 * 24 * HOUR_S  # after a no, before the same asker may ask the same owner again
OPEN_QUESTIONS = 3  # of one asker; each may hold a picture
WORDS_CHARS = 200  # of the asker, in the question


def mention(user: str) -> Message:
    """A user inside a message; the chat puts their name there."""
    return verbatim(f"<@{user}>")


@dataclass(frozen=True, slots=True)
class LentPicture:
    """A picture of another user that no session has yet; `png`: as it was read; `message`: that holds it."""

    png: bytes
    message: str | None = None
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that its owner answered by an event, and the edit that waited for it."""

    question: ConsentQuestion
    work: Work
    event_id: str


class Consents:
    """Asks the owner of an image, and stores what they answer."""

    def __init__(
        self, store: SessionStore, images: ImageStore, runner: TurnRunner, clock: Callable[[], float]
    ) -> None:
        """`clock`: Unix seconds; that of the store."""
        self._store, self._questions = store, store.consent_questions
        self._images, self._threads, self.erased = images, runner.threads, runner.erased
        self._delivery, self._clock = runner.delivery, clock
        self._asking = asyncio.Lock()  # so that two edits at once make one question
        self._resuming = asyncio.Lock()

    # -- asking -------------------------------------------------------------------------------------------

    async def objection(
        self,
        asked: Work,
        owner: str,
        words: str,
        *,
        is_open: bool,
        picture: LentPicture | None = None,
        mask: bytes | None = None,
    ) -> Reply | None:
        """Why `asked` may not go on yet: its owner is asked, or refused. None if it may.

        `is_open`: whether it may where the owner never said anything. `picture`: what it starts from, if that
        is no version; `mask`: where it may change.
        """
        if owner == asked.user or owner in asked.allowed_by:
            return None
        said = await self._store.consent(owner, asked.user)
        if said is Consent.ALWAYS or (said is None and is_open):
            return None
        if said is Consent.NEVER:
            return Note(Message("consent_refused"))
        async with self._asking:
            earlier = await self._questions.between(asked.user, owner)
            if earlier is not None and earlier.event_id == asked.event_id:
                return Reacted(Message("question_posted"))  # the same message, read again after a crash
            if refusal := await self._too_soon(asked.user, earlier):
                return refusal
            try:
                question = await self._saved(asked, owner, words, picture, mask)
            except UserErased as error:
                if error.user == asked.user:
                    raise
                return Note(error.message)
        return await self._ask(question, asked.source)

    async def _too_soon(self, asker: str, earlier: ConsentQuestion | None) -> Note | None:
        now = self._clock()
        if earlier is not None and earlier.refused_at is not None:
            wait_s = earlier.refused_at + PAUSE_S - now
            if wait_s > 0:
                return Note(Message("consent_paused", wait=duration(wait_s)))
        elif earlier is not None and earlier.asked_at > now - OPEN_S:
            return Note(Message("consent_waiting"))
        if await self._questions.open_by(asker) >= OPEN_QUESTIONS:
            return Note(Message("consent_too_many", count=OPEN_QUESTIONS))
        return None

    async def _saved(
        self, asked: Work, owner: str, words: str, picture: LentPicture | None, mask: bytes | None
    ) -> ConsentQuestion:
        if picture is not None and isinstance(asked, EditAsked):  # the picture is what it starts from
            asked = replace(asked, turn=None, reply_to=None, version=None)
        image, region = [
            None if png is None else await self._threads.disk(self._images.put, png)
            for png in (picture.png if picture else None, mask)
        ]
        question = ConsentQuestion(
            id=secrets.token_hex(4),
            asker=asked.user,
            owner=owner,
            event_id=asked.event_id,
            words=words if len(words) <= WORDS_CHARS else words[:WORDS_CHARS].rstrip() + "…",
            work=saved_work(asked),
            asked_at=self._clock(),
            image=image,
            image_message=picture.message if picture else None,
            is_hidden=picture is not None and picture.is_hidden,
            mask=region,
        )
        try:
            await self._questions.ask(question, asked.asked_at)
        except UserErased:
            await self.erased.delete([image, region])
            raise
        return question

    async def _ask(
        self, question: ConsentQuestion, source: RequestSource, *, again: bool = False
    ) -> Reacted | Note:
        """Post the question; what its asker is told. `again`: it may be there, as after a crash."""
        try:
            key = await self._post(question, source, again)
        except (ChatGone, ChatRefused) as error:
            log.info("the owner of a picture cannot be asked: %s", error)
            await self.end(question)
            return Note(Message("consent_unreachable"))
        is_there = None in (key, source.channel) or str(key).startswith(f"{source.channel}:")
        text = Message("question_posted")
        return Reacted(text) if is_there else Note(text)

    async def _post(self, question: ConsentQuestion, source: RequestSource, again: bool) -> str | None:
        """The key of its message; None if that could not be posted now, so that it is tried later."""
        language = await self._store.users.language(question.owner) or source.language
        text = Message(
            "consent_asked",
            owner=mention(question.owner),
            person=mention(question.asker),
            words=question.words,
        )
        note = Note(text, private=False, buttons=buttons(*CONSENTS), about=question.id, asks=question.owner)
        source = replace(source, language=language)
        key = await self._delivery.post(source, note, f"{question.id}-asked", again=again)
        if key is not None and not await self._questions.posted(question.id, key):
            await self._delivery.delete([key])
        return key

    async def resume(self, chat: str) -> None:
        """Post the questions to users of this chat that a crash or a failure kept from being posted."""
        async with self._resuming:
            for question in await self._questions.not_posted(chat):
                if question.asked_at < self._clock() - OPEN_S:
                    continue
                work = self._work(question)
                reply = await self._ask(question, work.source, again=True)
                if isinstance(reply, Note):
                    await self._tell(Answered(question, work, question.event_id), reply.text)

    # -- answers ------------------------------------------------------------------------------------------

    async def with_question(self, asked: EditAsked) -> EditAsked:
        """The same event, as an answer to the open question to its user there, if that is one."""
        here = await self._questions.open_in(asked.user, asked.channel)
        return replace(asked, question=BotQuestion(here[0].id)) if len(here) == 1 else asked

    async def answered(self, event: ConsentAnswered) -> Answered | Note:
        """The question that is answered, or what to tell the user instead."""
        question = await self._questions.question(event.request)
        if question is None or question.asked_at < self._clock() - OPEN_S:
            return Note(Message("consent_over"))
        if event.user != question.owner:
            return Note(Message("consent_not_yours"))
        return Answered(question, self._work(question), event.event_id)

    async def refuse(self, answered: Answered) -> Note:
        """The owner says no: the asker hears it, and cannot ask again for a while."""
        pause = duration(PAUSE_S)
        denied = Message("consent_denied", person=mention(answered.question.asker), wait=pause)
        await self._tell(answered, denied)
        await self.end(answered.question, answered.event_id, is_refused=True)
        return Note(Message("consent_no", wait=pause))

    async def allow(self, answered: Answered, event: ConsentAnswered) -> Message:
        """Save a lasting answer; what the owner is told."""
        question = answered.question
        if event.answer is Answer.ONCE:
            return Message("consent_once")
        await self._store.set_consent(question.owner, question.asker, Consent.ALWAYS, event.asked_at)
        return Message("consent_always")

    async def done(
        self, answered: Answered, refusal: Message | None = None, *, waits_for_another: bool = False
    ) -> None:
        """The allowed edit was accepted, waits for another owner, or was refused, which its asker hears."""
        if refusal is not None:
            asker = mention(answered.question.asker)
            await self._tell(answered, Message("consent_outcome", person=asker, outcome=refusal))
        await self.end(answered.question, answered.event_id, waits_for_another=waits_for_another)

    async def delete_expired(self) -> None:
        """End the questions that nobody answered, and forget old noes."""
        now = self._clock()
        for question in await self._questions.expired(now - OPEN_S, now - PAUSE_S):
            await self.end(question)

    async def end(
        self,
        question: ConsentQuestion,
        event_id: str | None = None,
        *,
        is_refused: bool = False,
        waits_for_another: bool = False,
    ) -> None:
        """End a question, answered by the event or not at all; its picture and message go."""
        async with self._asking:  # no other question begins with the picture meanwhile
            ended = await self._questions.end(
                question.id, is_refused=is_refused, event_id=event_id, waits_for_another=waits_for_another
            )
            await self.erased.delete(ended)
        if question.message is not None:
            await self._delivery.delete([question.message])

    def _work(self, question: ConsentQuestion) -> Work:
        mask = question.mask and MaskFile(self._fetch(question.mask))
        return restored_work(question.work, self._offer(question), mask or None)

    def _fetch(self, key: str) -> Callable[[], Awaitable[bytes]]:
        return partial(self._threads.disk, self._images.get, key)

    def _offer(self, question: ConsentQuestion) -> PictureOffer | None:
        if question.image is None:
            return None
        file = OfferedFile(self._fetch(question.image), question.is_hidden)
        return offer_of(OfferedPictures((file,), question.image_message, question.owner))

    async def _tell(self, answered: Answered, text: Message) -> None:
        """Tell the asker; no matter if that fails. Told again after a kill, it is there once."""
        asker = answered.question.asker
        note, nonce = Note(text, private=False, asks=asker), f"{answered.question.id}-told"
        try:
            key = await self._delivery.post(answered.work.source, note, nonce, again=True)
        except (ChatGone, ChatRefused) as error:
            log.info("the asker of a consent question cannot be told its end: %s", error)
        else:
            if key is not None:
                asked_at = answered.work.asked_at
                if not await self._store.messages.record_of_user(key, asker, asked_at):
                    await self._delivery.delete([key])
