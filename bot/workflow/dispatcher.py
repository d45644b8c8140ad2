"""Events in, replies out: the one way of an edit, whichever chat it came from. Knows no chat and no model.

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
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

from bot.chat.cards import card_of
from bot.chat.events import (
    CancelAsked,
    CompareAsked,
    ConsentAnswered,
    ConsentAsked,
    DeleteAsked,
    EditAsked,
    Event,
    ExportAsked,
    ForgetAsked,
    GridAsked,
    HelpAsked,
    HistoryAsked,
    InfoAsked,
    LockAsked,
    MoveAsked,
    PrivacyAsked,
    QueueAsked,
    SettingsAsked,
    ShowAsked,
    VariationAsked,
)
from bot.chat.interface import Chat
from bot.chat.moderation_events import AppealAsked, ModActionRequested, ReportAsked
from bot.chat.replies import Accepted, Card, Note, Queue, Reply, Say, seconds_in_words
from bot.i18n.catalog import ENGLISH, known_language, speaking, spoken, translated
from bot.ops.metrics import Metrics
from bot.policy.limits import Limits, objection_to_words
from bot.workflow.admission import Admission
from bot.workflow.compare import compare
from bot.workflow.consents import Consents, consent_at_large, lock
from bot.workflow.moderation import Moderation
from bot.workflow.navigation import history, move, show
from bot.workflow.privacy import Privacy
from bot.workflow.runner import TurnRunner
from bot.workflow.settings_panel import change_settings
from bot.workflow.targets import shown_version
from bot.workflow.text_commands import parse, to_event
from conversations.errors import ConversationError, DuplicateEvent
from conversations.images.image_store import ImageStore
from conversations.session import Turn
from conversations.store.session_store import SessionStore
from mgie_engine.config import Defaults
from mgie_engine.serving.service import EditService
from mgie_engine.serving.stats import ServiceStats, waiting_time
from mgie_engine.strengths import Table

log = logging.getLogger(__name__)

READ_ONLY = (
    HistoryAsked,
    ShowAsked,
    CompareAsked,
    QueueAsked,
    HelpAsked,
    InfoAsked,
    PrivacyAsked,
    ExportAsked,
)
TIDY_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the workflow needs to know of the model behind the service."""

    name: str
    defaults: Defaults
    strengths: Table | None = None  # what was found out about it, for auto


class EditWorkflow:
    """Decides what an event means, keeps the talk, and sees every accepted edit through."""

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
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`keep_days`: how long pictures of unused sessions stay, None for ever. `clock`: the store's."""
        self._store = store
        self._images = images
        self._service = service
        self._model = model
        self._limits = limits or Limits()
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._runner = runner or TurnRunner(
            store, images, service, self._metrics, strengths=model.strengths, clock=clock
        )
        self._consents = Consents(store, clock)
        self._privacy = Privacy(store, images, self._runner, keep_days, clock)
        self._moderation = Moderation(store, images, self._runner, self._privacy, clock)
        self._intake = Admission(
            store,
            images,
            self._runner,
            self._consents,
            model.defaults,
            self._limits,
            self._metrics,
            clock=clock,
        )
        self._tidying: asyncio.Task[None] | None = None
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        await self._runner.__aenter__()
        self._tidying = asyncio.create_task(self._privacy.clean_up_forever(TIDY_EVERY_S), name="tidying")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tidying is not None:
            self._tidying.cancel()
            await asyncio.gather(self._tidying, return_exceptions=True)
        await self._runner.__aexit__(kind, error, trace)

    # -- for chats ----------------------------------------------------------------------------------------

    @property
    def limits(self) -> Limits:
        """The numbers people are held to."""
        return self._limits

    @property
    def metrics(self) -> Metrics:
        """Where chats count what they do."""
        return self._metrics

    @property
    def is_connected(self) -> bool:
        """Whether every chat there is, and at least one, can show cards."""
        return self._runner.delivery.is_connected

    def connect(self, chat: Chat) -> None:
        """Show the cards of people whose key begins with `chat.name` through `chat`."""
        self._runner.delivery.connect(chat)

    async def resume(self, chat: str) -> int:
        """Take up every unfinished turn of that chat in the order it was asked; how many there were."""
        return await self._runner.resume(chat)

    async def drain(self, within_s: float) -> None:
        """Stop admitting, let running edits finish for so many seconds; the rest stays queued on disk."""
        await self._runner.drain(within_s)

    async def picture(self, key: str) -> bytes:
        """The PNG of an ImageStore key, as found on a card; PictureMissing when it is gone."""
        return await asyncio.to_thread(self._images.get, key)

    async def delete_old_images(self) -> int:
        """Delete pictures of sessions nobody uses any more (this also happens every hour); how many."""
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
        if active := self._runner.asked_by(event_id):
            await self._privacy.erase(active.turn)
            taken += [active.turn.delivered] if active.turn.delivered else []
        shown = await self._store.find_by_delivered(message) if message else None
        if shown is not None and shown.delivered == message and shown.state.is_final:
            await self._privacy.erase_picture(shown)
        return tuple(taken)

    async def message_edited(self, event_id: str, text: str) -> bool:
        """A message was edited: the turn it asked for follows if it still waits and the words will do."""
        words, active = text.strip(), self._runner.asked_by(event_id)
        if active is None or not active.is_waiting or words == active.turn.instruction:
            return False
        if objection_to_words(words, self._limits) or parse(words, self._tongues(active.language)):
            return False
        return await self._runner.reword(active, words)

    async def handle(self, event: Event) -> Reply | None:
        """Do what the event asks and say what to answer; None for an event that was handled before.

        Never raises for anything a person can do; such cases are replies with a sentence. Events of one
        person in one channel are handled one after the other, in the order of the calls; those that only look
        wait for nothing, since a form must open within seconds.
        """
        async with self._turnstile(event):
            try:
                with speaking(event.language):
                    return await self._answered(event)
            except DuplicateEvent:
                return None

    def _turnstile(self, event: Event) -> AbstractAsyncContextManager[Any]:
        if isinstance(event, READ_ONLY):
            return nullcontext()
        return self._locks.setdefault((event.channel, event.person), asyncio.Lock())

    async def _answered(self, event: Event) -> Reply:
        try:
            return await self._answer(event)
        except DuplicateEvent:
            raise
        except ConversationError as error:
            return Note(translated(str(error)))
        except Exception:
            log.exception("an event could not be handled: %s", type(event).__name__)
            return Note(Say.UNEXPECTED())

    # -- what an event means ------------------------------------------------------------------------------

    async def _answer(self, event: Event) -> Reply:
        if isinstance(event, EditAsked):
            event = await self._steered(event)
        if isinstance(event, EditAsked | VariationAsked | GridAsked):
            return await self._intake.admit(event)
        if not isinstance(event, READ_ONLY) and await self._store.seen(event.event_id):
            raise DuplicateEvent(event.event_id)
        match event:
            case MoveAsked():
                self._metrics.moves.labels(str(event.move)).inc()
                return await move(self._store, event, self._clock())
            case CancelAsked():
                return await self._cancel(event)
            case SettingsAsked():
                return await change_settings(self._store, event, self._model.defaults)
            case HistoryAsked():
                return await history(self._store, event)
            case ShowAsked():
                return await show(self._store, event)
            case CompareAsked():
                return await compare(self._store, self._images, event)
            case LockAsked():
                return await lock(self._store, event)
            case ConsentAnswered():
                return await self._consented(event)
            case ConsentAsked():
                return await consent_at_large(self._store, event)
            case QueueAsked():
                return self._queue(event)
            case InfoAsked():
                return self._info()
            case HelpAsked():
                return Note("\n".join([Say.HELP(), *filter(None, [spoken().help.get(event.chat)])]))
            case ModActionRequested():
                return await self._moderation.decide(event)
            case ReportAsked():
                return await self._moderation.report(event)
            case AppealAsked():
                return await self._moderation.appeal(event)
            case _:
                return await self._private(event)

    async def _private(self, event: Event) -> Reply:
        """About a person's own data."""
        match event:
            case PrivacyAsked():
                return await self._privacy.view(event)
            case ExportAsked():
                return await self._privacy.export(event)
            case ForgetAsked():
                return await self._privacy.forget(event)
            case DeleteAsked():
                return await self._privacy.delete(event)
            case _:
                raise TypeError(f"no way to handle {type(event).__name__}")

    async def _consented(self, event: ConsentAnswered) -> Reply:
        """Keep the answer; an edit that may go on now does, and its card comes by itself."""
        note, waiting = await self._consents.answered(event)
        if waiting is None:
            return note
        with speaking(waiting.language):
            reply = await self._intake.admit(waiting, is_allowed=True)
        return note if isinstance(reply, Accepted) else reply

    async def _steered(self, asked: EditAsked) -> Event:
        """The event a control word stands for; `asked` itself when its text is an instruction."""
        plain = asked.picture is None and not asked.reading
        said = parse(asked.text, self._tongues(asked.language)) if plain else None
        if said is None:
            return asked
        base = await shown_version(self._store, asked)
        return to_event(asked, said, base.turn.id if base else None)

    def _tongues(self, tag: object) -> tuple[str, ...]:
        """The languages in which a person's control words are known."""
        return tuple(dict.fromkeys((ENGLISH, known_language(tag))))

    async def _cancel(self, asked: CancelAsked) -> Note:
        """Stop the named turn if it is the person's own, else the newest of theirs in the channel."""
        if asked.turn is not None:
            turn = await self._store.turn(asked.turn)
            if turn.user != asked.person and not asked.may_cancel_others:
                return Note(Say.NOT_YOURS(version=turn.label))
        else:
            mine = self._runner.active_turns_of(asked.person)
            here = [active.turn for active in mine if active.session.channel == asked.channel]
            if not here:
                return Note(Say.NOTHING_TO_CANCEL())
            turn = here[-1]
        done = await self._runner.cancel(turn.id)
        return Note((Say.STOPPED if done else Say.ALREADY_OVER)(version=turn.label))

    def _queue(self, asked: QueueAsked) -> Queue:
        """The person's unfinished turns, and how busy it is."""
        cards = tuple(active.card() for active in self._runner.active_turns_of(asked.person))
        stats = self._service.stats()
        wait_s = _wait_s(stats)
        mine = "\n".join(Say.MY_TURN(version=c.version, words=c.instruction, status=c.status) for c in cards)
        busy = {"waiting": stats.waiting, "running": stats.running}
        text = Say.YOUR_QUEUE(mine=mine, **busy) if cards else Say.NOTHING_QUEUED(**busy)
        if wait_s:
            text = f"{text}\n{Say.NEW_WOULD_WAIT(seconds=seconds_in_words(wait_s))}"
        return Queue(text, cards, stats.waiting, stats.running, wait_s)

    def _info(self) -> Note:
        """The model, its state, its licence and the limits."""
        stats, limits = self._service.stats(), self._limits
        text = Say.INFO(
            model=self._model.name,
            state=Say.READY() if stats.ready else Say.LOADING(),
            slots=stats.slots,
            done=stats.done,
            waiting=limits.waiting_per_person,
            chars=limits.instruction_chars,
        )
        return Note(f"{text}\n{Say.LICENCE()}")


def _wait_s(stats: ServiceStats) -> float | None:
    """Seconds until a new edit would start, if those that run are half done; None until one was measured."""
    mean = stats.seconds_per_edit
    return (
        None if mean is None else waiting_time(stats.waiting, [mean / 2] * stats.running, stats.slots, mean)
    )
