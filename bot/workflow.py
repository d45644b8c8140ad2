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
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from weakref import WeakValueDictionary

from bot.cards import card_of
from bot.chat import Chat
from bot.events import (
    CancelAsked,
    EditAsked,
    Event,
    HelpAsked,
    HistoryAsked,
    InfoAsked,
    MoveAsked,
    QueueAsked,
    SettingsAsked,
    ShowAsked,
    VariationAsked,
)
from bot.intake import Intake
from bot.limits import Limits
from bot.metrics import Metrics
from bot.moves import history, move, show
from bot.replies import HELP, LICENCE_NOTICE, Card, Note, Reply, Say
from bot.runner import TurnRunner
from bot.steering import steer
from bot.tuning import tune
from bot.which import shown_version
from bot.words import control
from conversations.errors import ConversationError, DuplicateEvent
from conversations.images import ImageStore
from conversations.session import Turn
from conversations.store import SessionStore
from mgie_engine.config import Defaults
from mgie_engine.serving.service import EditService

log = logging.getLogger(__name__)

READ_ONLY = (HistoryAsked, ShowAsked, QueueAsked, HelpAsked, InfoAsked)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the workflow needs to know of the model behind the service."""

    name: str
    defaults: Defaults


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
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` gives Unix seconds and must be the store's."""
        self._store = store
        self._images = images
        self._service = service
        self._model = model
        self._limits = limits or Limits()
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._runner = runner or TurnRunner(store, images, service, self._metrics, clock=clock)
        self._intake = Intake(
            store, images, self._runner, model.defaults, self._limits, self._metrics, clock=clock
        )
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        await self._runner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        return self._runner.is_connected

    def connect(self, chat: Chat) -> None:
        """Show the cards of people whose key begins with `chat.name` through `chat`."""
        self._runner.connect(chat)

    async def resume(self, chat: str) -> int:
        """Take up every unfinished turn of that chat in the order it was asked; how many there were."""
        return await self._runner.resume(chat)

    async def drain(self, within_s: float) -> None:
        """Stop admitting, let running edits finish for so many seconds; the rest stays queued on disk."""
        await self._runner.drain(within_s)

    async def picture(self, key: str) -> bytes:
        """The PNG of an ImageStore key, as found on a card; PictureMissing when it is gone."""
        return await asyncio.to_thread(self._images.get, key)

    async def card(self, turn: Turn) -> Card:
        """The card of a turn as it stands on disk; NoSuchVersion when it was deleted."""
        session = await self._store.session(turn.session_id)
        return card_of(session.turn(turn.id), session)

    async def handle(self, event: Event) -> Reply | None:
        """Do what the event asks and say what to answer; None for an event that was handled before.

        Never raises for anything a person can do; such cases are replies with a sentence. Events of one
        person in one channel are handled one after the other, in the order of the calls.
        """
        lock = self._locks.setdefault((event.channel, event.person), asyncio.Lock())
        async with lock:
            try:
                return await self._answer(event)
            except DuplicateEvent:
                return None
            except ConversationError as error:
                return Note(str(error))
            except Exception:
                log.exception("an event could not be handled: %s", type(event).__name__)
                return Note(Say.UNEXPECTED())

    # -- what an event means ------------------------------------------------------------------------------

    async def _answer(self, event: Event) -> Reply:
        if isinstance(event, EditAsked):
            event = await self._steered(event)
        if isinstance(event, EditAsked | VariationAsked):
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
                return await tune(self._store, event, self._model.defaults)
            case HistoryAsked():
                return await history(self._store, event)
            case ShowAsked():
                return await show(self._store, event)
            case QueueAsked():
                return self._queue(event)
            case InfoAsked():
                return self._info()
            case _:
                return Note(HELP)

    async def _steered(self, asked: EditAsked) -> Event:
        """The event a control word stands for; `asked` itself when its text is an instruction."""
        said = None if asked.picture is not None or asked.reading else control(asked.text)
        if said is None:
            return asked
        base = await shown_version(self._store, asked)
        return steer(asked, said, base.turn.id if base else None)

    async def _cancel(self, asked: CancelAsked) -> Note:
        """Stop the named turn if it is the person's own, else the newest of theirs in the channel."""
        if asked.turn is not None:
            turn = await self._store.turn(asked.turn)
            if turn.owner != asked.person and not asked.may_cancel_others:
                return Note(Say.NOT_YOURS(version=turn.label))
        else:
            mine = self._runner.runs_of(asked.person)
            here = [run.turn for run in mine if run.session.channel == asked.channel]
            if not here:
                return Note(Say.NOTHING_TO_CANCEL())
            turn = here[-1]
        done = await self._runner.cancel(turn.id)
        return Note((Say.STOPPED if done else Say.ALREADY_OVER)(version=turn.label))

    def _queue(self, asked: QueueAsked) -> Note:
        """The person's unfinished turns, and how busy it is."""
        cards = [run.card() for run in self._runner.runs_of(asked.person)]
        stats = self._service.stats()
        if not cards:
            return Note(Say.NOTHING_QUEUED(waiting=stats.waiting, running=stats.running))
        mine = "\n".join(Say.MY_TURN(version=c.version, words=c.instruction, status=c.status) for c in cards)
        return Note(Say.YOUR_QUEUE(mine=mine, waiting=stats.waiting, running=stats.running))

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
        return Note(f"{text}\n{LICENCE_NOTICE}")
