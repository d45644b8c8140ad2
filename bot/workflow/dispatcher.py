"""Events in, replies out: the one way of every event, whichever chat it comes from.

    async with EditService(editor) as service, EditWorkflow(store, images, service, model) as workflow:
        workflow.connect(chat)                    # before the first event of that chat
        await workflow.resume(chat.name)          # whenever the chat can show cards (again)
        reply = await workflow.handle(event)      # None: this event was handled before, say nothing

When `handle` returns Accepted, the turn is on disk: it will be answered exactly once through `Chat.show`,
even if the process is killed at any moment.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

from bot.chat.cards import card_of
from bot.chat.events import (
    CompareAsked,
    ConsentAnswered,
    ConsentAsked,
    EditAsked,
    Event,
    GridAsked,
    HelpAsked,
    HistoryAsked,
    LockAsked,
    MoveAsked,
    SettingsAsked,
    ShowAsked,
    VariationAsked,
    VersionEvent,
    origin,
)
from bot.chat.grid_events import CellPicked
from bot.chat.interface import Chat
from bot.chat.offered_pictures import OfferedPictures
from bot.chat.operator_events import OperatorActRequested
from bot.chat.replies import Card, Note, Reply
from bot.chat.session_events import GalleryAsked, SessionsAsked
from bot.i18n.catalog import match_locale
from bot.ops.clocks import uptime_s
from bot.ops.metrics import Metrics
from bot.policy.checks import EDITS, objection_to_text, only_reads, refused_permission
from bot.policy.host_facts import NO_HOST, HostFacts
from bot.policy.limits import Limits
from bot.workflow.admission import SILENCE, Admission
from bot.workflow.compare import compare
from bot.workflow.consent_answers import answer_consent, consent_at_large, lock
from bot.workflow.consents import Consents
from bot.workflow.grid_requests import CellPicks
from bot.workflow.moderation import Moderation
from bot.workflow.navigation import gallery, history, move, my_sessions, show
from bot.workflow.operators import Operators
from bot.workflow.privacy import Privacy
from bot.workflow.reading_questions import was_requested
from bot.workflow.runner import TurnRunner
from bot.workflow.settings_panel import change_settings
from bot.workflow.status import ModelFacts as ModelFacts
from bot.workflow.status import Status, public_lines
from bot.workflow.targets import Context, Target, find_target, read_asked
from bot.workflow.text_commands import read_grid, reworded
from conversations.errors import ConversationError, DuplicateEvent, UserErased
from conversations.images.image_store import ImageStore
from conversations.intents.phrase_tables import load_phrase_tables
from conversations.intents.text_language import load_identifier
from conversations.messages import Message
from conversations.picture_budget import NO_STORAGE_LIMITS, PictureBudget, StorageLimits
from conversations.picture_packing import PicturePacking
from conversations.store.session_store import SessionStore
from conversations.turn import Turn
from mgie_engine.errors import RequestRefused
from mgie_engine.serving.service import EditService

log = logging.getLogger(__name__)

TIDY_EVERY_S = 3600.0
PERIODIC = "periodic work"  # the name of its tasks
Handler = Callable[[Context[Any]], Awaitable[Reply]]


class EditWorkflow:
    """Decides what an event means, stores the session, and completes every accepted edit."""

    def __init__(
        self,
        store: SessionStore,
        images: ImageStore,
        service: EditService,
        model: ModelFacts,
        *,
        limits: Limits | None = None,
        metrics: Metrics | None = None,
        runner: TurnRunner | None = None,
        keep_days: float | None = 30.0,
        storage: StorageLimits = NO_STORAGE_LIMITS,
        host: HostFacts = NO_HOST,
        clock: Callable[[], float] = time.time,
        uptime: Callable[[], float] = uptime_s,
    ) -> None:
        """`keep_days`: how long images of unused sessions stay; None for ever. `clock`: that of the store.

        `uptime`: a clock in seconds that cannot be set.
        """
        self._store, self._images = store, images
        self._service, self._model, self.host = service, model, host
        self.limits = limits or Limits()
        self.metrics = metrics or Metrics()
        self._clock = clock
        self._runner = runner or TurnRunner(
            store, images, service, self.metrics, strengths=model.strengths, clock=clock
        )
        self.pictures = self._runner.pictures  # those that cards name
        self._consents = Consents(store, images, self._runner, clock)
        self._privacy = Privacy(store, images, self._runner, self._consents, keep_days, clock, uptime, host)
        self._packing = PicturePacking(images, self._runner.threads, self._is_idle, clock)
        self._moderation = Moderation(store, images, self._runner, self._privacy, clock)
        self._status = Status(store, service, self._runner, model, self.limits, host)
        parts = self._runner, self._consents, model.defaults, self.limits, self.metrics
        budget = PictureBudget(store, images, self._runner.threads, storage, uptime)
        self._admission = Admission(store, images, *parts, budget, host=host, clock=clock, uptime=uptime)
        for_all = self._admission.uploads, self._privacy, host, self.limits.shares, clock
        self.operators = Operators(store, images, self._runner, *for_all)
        self._handlers = self._handler_table()
        self._uptime = uptime
        self._unanswered: dict[object, float] = {}  # since when, on the uptime clock
        self._tidying: list[asyncio.Task[None]] = []
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        load_phrase_tables()
        if self.limits.languages:
            load_identifier()
        self._runner.checks.safety = self.limits.safety
        await self._runner.__aenter__()
        self._admission.uploads.reader.prepare()
        tidying = self._privacy.clean_up_forever(TIDY_EVERY_S), self._packing.forever()
        for task in (*tidying, self.operators.work_forever()):
            self._tidying.append(asyncio.create_task(task, name=PERIODIC))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tidying:
            task.cancel()
        await asyncio.gather(*self._tidying, return_exceptions=True)
        self._admission.uploads.reader.close()
        await self._runner.__aexit__(kind, error, trace)

    def _is_idle(self) -> bool:
        return not any(self._runner.active) and not self._unanswered

    # -- for chats ----------------------------------------------------------------------------------------

    @property
    def offers_auto(self) -> bool:
        """Whether chats should offer auto strengths."""
        return self._model.offers_auto

    @property
    def is_connected(self) -> bool:
        """Whether every chat there is, and at least one, can show cards."""
        return self._runner.delivery.is_connected

    @property
    def longest_wait_s(self) -> float:
        """How long the oldest event that is being handled has waited for its reply, in seconds."""
        return max((self._uptime() - since for since in self._unanswered.values()), default=0.0)

    async def public_lines(self) -> tuple[Message, ...]:
        """What the bot says about itself to everybody."""
        return public_lines(await self._store.servers.settings(None), self.host)

    def connect(self, chat: Chat) -> None:
        """Show the cards of users whose key begins with `chat.name` through `chat`."""
        self._runner.delivery.connect(chat)

    async def resume(self, chat: str) -> int:
        """Resume every unfinished turn of that chat, oldest first; how many there were.

        Questions to owners that were not posted are posted, too.
        """
        resumed = await self._runner.recovery.resume(chat)
        await self._consents.resume(chat)
        return resumed

    async def drain(self, within_s: float) -> None:
        """Stop admitting; running edits may finish for `within_s` seconds, the rest stays on disk."""
        await self._runner.drain(within_s)

    async def delete_old_images(self) -> int:
        """Delete images of unused sessions, as happens every hour; how many."""
        return await self._privacy.delete_old_images()

    async def card(self, turn: Turn) -> Card:
        """The card of a turn as it stands on disk; NoSuchVersion when it was deleted."""
        session = await self._store.session(turn.session_id)
        return card_of(session.turn(turn.id), session)

    async def message_deleted(self, event_id: str, message: str | None = None) -> tuple[str, ...]:
        """A message was deleted: what it asked for and still waits or runs is erased; its picture too.

        `event_id` of the gesture it was, `message` its key. Gives the keys of messages the chat should take
        away now.
        """
        taken: list[str] = []
        for question in await self._store.consent_questions.of_message(event_id, message):
            await self._consents.end(question)
        if active := self._runner.active.requested_by(event_id):
            taken += await self._privacy.erase(active.turn)
        shown = await self._store.find_by_message(message) if message else None
        if shown is not None and shown.shown_in == message and shown.state.is_final:
            taken += await self._privacy.erase_picture(shown)
        return tuple(taken)

    async def message_edited(self, event_id: str, text: str) -> bool:
        """A message was edited: its turn follows, if it still waits and the text is an instruction."""
        active = self._runner.active.requested_by(event_id)
        if active is None or not active.is_waiting:
            return False
        language = match_locale(active.language)
        words = reworded(text, language, self.limits.languages)
        if words in (None, active.turn.instruction) or objection_to_text(words or "", self.limits):
            return False
        if self.limits.words.objection(words):
            self.metrics.edits_dropped.labels("words").inc()
            return False
        return await self._runner.reword(active, words or "")

    def waiting(self, user: str | None = None) -> int:
        """How many edits are not yet started: of a user, or of all."""
        return self._runner.active.waiting(user)

    async def was_requested(self, message: str) -> bool:
        """Whether a message (a key) asked for an edit that was accepted, and is not asked back about."""
        return await was_requested(self._store, message)

    async def handle(self, event: Event) -> Reply | None:
        """Do what the event asks and say what to answer; None for an event that needs no answer.

        Never raises for anything a user can do; such cases are replies with a message. Events of one user in
        one channel are handled one after the other, in the order of the calls. Those that only read wait for
        nothing, since a form must open within seconds.
        """
        if event.asked_at is None:
            event = replace(event, asked_at=self._clock())
        waiting = object()  # the same event may be handled twice at once
        self._unanswered[waiting] = self._uptime()
        try:
            async with self._lock(event):
                return await self._reply(event)
        except DuplicateEvent:
            return None
        finally:
            del self._unanswered[waiting]

    def _lock(self, event: Event) -> AbstractAsyncContextManager[Any]:
        if only_reads(event):
            return nullcontext()
        return self._locks.setdefault((event.channel, event.user), asyncio.Lock())

    async def _reply(self, event: Event) -> Reply | None:
        try:
            return await self._dispatch(event)
        except DuplicateEvent:
            raise
        except UserErased as error:
            return None if error.user == event.user else Note(error.message)
        except (ConversationError, RequestRefused) as error:
            return Note(error.message)
        except Exception:
            log.exception("an event could not be handled: %s", type(event).__name__)
            return Note(Message("unexpected"))

    # -- one way in ---------------------------------------------------------------------------------------

    async def _dispatch(self, event: Event) -> Reply | None:
        """The way of every event: read its text, ask the rules, find its target, handle it."""
        language = match_locale(event.source.language)
        read: Event | Reply = event
        if isinstance(event, VersionEvent) and event.allowed_by:
            pass  # its text was read before it waited for consent
        elif isinstance(event, EditAsked):
            with_question = self._consents.with_question
            read = await read_asked(self._store, with_question, event, language, self.limits.languages)
        elif isinstance(event, GridAsked):
            read = read_grid(event, language)
        event, answer = (read, None) if isinstance(read, Event) else (HelpAsked(**origin(event)), read)
        await self._refuse_duplicate(event)
        settings = await self._store.servers.settings(event.source.server)
        async with self._admission.enter(event, settings) as refusal:
            if refusal is not None:
                return None if refusal is SILENCE else refusal
            if answer is not None:  # to chatter and to what is not clear; it counts as the request for help
                return answer
            found = await find_target(self._store, event, self._clock(), self.limits)
            target = found if isinstance(found, Target) else None
            pictures = found if isinstance(found, OfferedPictures) else None
            if target and (
                objection := refused_permission(event, target.session, target.turn, is_named=target.is_named)
            ):
                return Note(objection)
            return await self._handlers[type(event)](Context(event, settings, target, pictures))

    async def _refuse_duplicate(self, event: Event) -> None:
        """DuplicateEvent for one that was handled before; UserErased for one from before its user's erasure.

        The event of an edit is saved with its turn, that of an answer with the end of its question: a kill
        before that must not lose them.
        """
        if only_reads(event):
            return
        if await self._store.erasures.is_after(event.user, event.asked_at):
            raise UserErased(event.user)
        known = self._store.was_seen if isinstance(event, (*EDITS, ConsentAnswered)) else self._store.seen
        if await known(event.event_id):
            raise DuplicateEvent(event.event_id)

    def _handler_table(self) -> Mapping[type[Event], Handler]:
        """Who handles which event."""
        store, admission, privacy = self._store, self._admission, self._privacy
        return {
            EditAsked: admission.edit,
            VariationAsked: admission.vary,
            GridAsked: admission.grid,
            CellPicked: CellPicks(store, self._runner).pick,
            MoveAsked: partial(move, store, self.metrics, self._runner),
            HistoryAsked: history,
            SessionsAsked: partial(my_sessions, store),
            GalleryAsked: partial(gallery, store),
            ShowAsked: show,
            CompareAsked: partial(compare, store, self.pictures),
            SettingsAsked: partial(change_settings, store, self._model),
            **self._status.handlers(),
            LockAsked: partial(lock, store),
            ConsentAsked: partial(consent_at_large, store),
            ConsentAnswered: partial(answer_consent, self._consents, self._runner, self._dispatch),
            **privacy.handlers(),
            **self._moderation.handlers(),
            OperatorActRequested: self.operators.requested,
        }
