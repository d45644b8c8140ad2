"""A whole bot without a network: real store, real pictures, real service, a chat made of paper."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.chat.events import EditAsked
from bot.chat.interface import ChatGone
from bot.chat.offered_pictures import offered
from bot.chat.replies import Accepted, Card, CardState, Note
from bot.ops.metrics import Metrics
from bot.policy.host_facts import NO_HOST, HostFacts
from bot.policy.limits import Limits
from bot.workflow.dispatcher import EditWorkflow, ModelFacts
from bot.workflow.runner import TurnRunner
from conversations.images.image_store import ImageStore
from conversations.picture_budget import NO_STORAGE_LIMITS, StorageLimits
from conversations.request_source import RequestSource
from conversations.session import EditSession
from conversations.store.session_store import SessionStore
from conversations.turn import Turn
from mgie_engine.config import Defaults
from mgie_engine.edits import EditRunner
from mgie_engine.serving.service import EditService
from mgie_engine.strengths import StrengthTable
from tests.support.fakes import a_picture

MODEL = ModelFacts("test-model", Defaults(steps=4))
NO_PACE = Limits(requests=1000)


class Clock:
    """Unix seconds that only the test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class PaperChat:
    """Keeps what it was shown. The pages outlive the bot, as messages do."""

    name = "paper"
    is_connected = True

    def __init__(self) -> None:
        self.shown: list[Card] = []
        self.posted: dict[str, str] = {}  # nonce of a final card → key of its message
        self.notes: dict[str, Note] = {}  # nonce → what was posted to others than who asked
        self.deleted: list[str] = []  # keys of messages
        self.in_servers: tuple[str, ...] = ()
        self.announced: list[tuple[str, str | None, str]] = []  # server, channel, text
        self.taken_back: list[tuple[str, str | None]] = []  # erased turn, key of a message
        self.breaks = 0  # how many of the next shows fail
        self.hidden: list[str] = []  # keys of messages
        self.is_gone = False
        self.dies_after_posting = False
        self._news = asyncio.Condition()

    async def show(self, turn: Turn, card: Card) -> str | None:
        """Write the card down; a final one is posted once."""
        if self.is_gone:
            raise ChatGone("the channel was deleted")
        if self.breaks:
            self.breaks -= 1
            raise ConnectionError("503")
        self.shown.append(card)
        async with self._news:
            self._news.notify_all()
        if not card.state.is_final:
            return None
        key = self.posted.setdefault(f"{turn.id}-{card.state}", f"m-{turn.id}")
        if self.dies_after_posting:
            raise ConnectionError("the line went dead after the message went out")
        return key

    async def already_delivered(self, turn: Turn) -> str | None:
        """Look through the pages."""
        return next((key for nonce, key in self.posted.items() if nonce.startswith(turn.id)), None)

    async def post(self, source: RequestSource, note: Note, nonce: str, *, again: bool = False) -> str | None:
        """Write the note down, once."""
        if self.is_gone:
            raise ChatGone("nobody is there")
        if self.breaks:
            self.breaks -= 1
            raise ConnectionError("503")
        self.notes.setdefault(nonce, note)
        return f"paper:c1:{nonce}"

    async def delete(self, keys: Collection[str]) -> None:
        """Note it."""
        self.deleted += keys

    async def hide(self, keys: Collection[str]) -> int:
        """Note it."""
        self.hidden += keys
        return len(keys)

    @property
    def servers(self) -> Collection[str]:
        """Those that the test says."""
        return self.in_servers

    async def announce(self, server: str, channel: str | None, text: str, nonce: str) -> None:
        """Write it down."""
        self.announced.append((server, channel, text))

    async def retract(self, turn: Turn, key: str | None) -> None:
        """Note it."""
        self.taken_back.append((turn.id, key))

    async def saw(self, wanted: Callable[[Card], bool]) -> None:
        """Wait until a card like that was shown."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: any(map(wanted, self.shown)))

    def finals(self, turn_id: str) -> list[Card]:
        """Every final card shown of that turn."""
        return [card for card in self.shown if card.turn_id == turn_id and card.state.is_final]

    def states(self, turn_id: str) -> list[CardState]:
        """The states shown of that turn, in order, without repeats."""
        return [state for state, _ in itertools.groupby(c.state for c in self.shown if c.turn_id == turn_id)]


@dataclass
class WorkflowRoom:
    """One running bot and the things around it."""

    folder: Path
    store: SessionStore
    images: ImageStore
    service: EditService
    runner: TurnRunner
    workflow: EditWorkflow
    chat: PaperChat
    clock: Clock
    metrics: Metrics
    _events: Any = field(default_factory=lambda: itertools.count(1))

    def asked(self, text: str = "", user: str = "ann", channel: str = "c1", **more: Any) -> EditAsked:
        """An event of its own id; persons and channels belong to the paper chat.

        `picture`: bytes, of `picture_owner` if that is another user, in `message`.
        """
        if picture := more.pop("picture", None):
            owner = more.pop("picture_owner", None)
            offer = offered(picture, owner=owner, message=more.pop("message", None))
            more["replied" if owner else "own"] = offer
        more.setdefault("event_id", f"paper:{user}:{channel}:{next(self._events)}")
        return EditAsked(user=f"paper:{user}", channel=f"paper:{channel}", text=text, **more)

    def origin(self, user: str = "ann", channel: str = "c1") -> dict[str, Any]:
        """Keyword arguments for any other event."""
        event = self.asked(user=user, channel=channel)
        return {"user": event.user, "channel": event.channel, "event_id": event.event_id}

    async def accepted(self, text: str, user: str = "ann", channel: str = "c1", **more: Any) -> Accepted:
        """Ask, and be accepted."""
        reply = await self.workflow.handle(self.asked(text, user, channel, **more))
        assert isinstance(reply, Accepted), reply
        return reply

    async def upload(self, user: str = "ann", channel: str = "c1", **more: Any) -> EditSession:
        """A session on a fresh picture."""
        await self.workflow.handle(self.asked("", user, channel, picture=a_picture(), **more))
        session = await self.store.session_for_channel(f"paper:{channel}", f"paper:{user}")
        assert session is not None
        return session

    async def images_of(self, turn: Turn) -> bytes:
        """The file of its picture."""
        return await self.workflow.pictures.file(turn.image or "")

    async def done(self, *turn_ids: str) -> list[Turn]:
        """Those turns once nothing more will happen to them here."""
        await self.idle()
        return [await self.store.turn(turn_id) for turn_id in turn_ids]

    async def idle(self) -> None:
        """Wait until no turn is on its way."""
        await self.runner.idle()


@asynccontextmanager
async def workflow_room(
    folder: Path,
    editor: EditRunner,
    chat: PaperChat | None = None,
    *,
    limits: Limits = NO_PACE,
    clock: Clock | None = None,
    uptime: Clock | None = None,
    every_s: float = 3600,
    strengths: StrengthTable | None = None,
    storage: StorageLimits = NO_STORAGE_LIMITS,
    host: HostFacts = NO_HOST,
) -> AsyncIterator[WorkflowRoom]:
    """A bot on the files of `folder`, connected to `chat`; what it does now and then, it does `every_s`.

    `uptime`: the clock that nobody sets; None: runs as `clock` does.
    """
    clock, chat, metrics = clock or Clock(), chat or PaperChat(), Metrics()
    images = ImageStore(folder / "images")
    async with (
        SessionStore.open(folder / "conversations.db", clock=clock) as store,
        EditService(editor) as service,
    ):
        runner = TurnRunner(
            store,
            images,
            service,
            metrics,
            strengths=strengths,
            clock=clock,
            pauses_s=(0, 0, 0),
            places_every_s=every_s,
            resume_every_s=every_s,
        )
        workflow = EditWorkflow(
            store,
            images,
            service,
            MODEL,
            limits=limits,
            metrics=metrics,
            runner=runner,
            clock=clock,
            uptime=uptime or clock,
            storage=storage,
            host=host,
        )
        workflow.connect(chat)
        async with workflow:
            yield WorkflowRoom(folder, store, images, service, runner, workflow, chat, clock, metrics)
