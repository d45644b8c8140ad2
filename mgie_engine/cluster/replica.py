"""One replica: an engine process that edits for bots on other machines. Knows no ray and no torch.

An edit is dropped when nothing is heard of it for `unheard_s`: the cluster does not say when a bot died.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace

from mgie_engine.cluster.cluster_messages import (
    Held,
    NoFreeSlot,
    OtherWeights,
    Plain,
    ReplicaOrder,
    ReplicaStatus,
    SignOfLife,
    Unheard,
    event_message,
    read_edit,
    status_message,
)
from mgie_engine.edits import EditResult, EditRunner, Progress
from mgie_engine.errors import EngineDied, EngineError, ServiceClosed

UNHEARD_S = 8.0  # four signs of life; the look once a second ends an edit within ten
PROGRESS_EVERY_S = 0.25
HELD_EVERY_S = 5.0


@dataclass(eq=False, slots=True)
class _OpenEdit:
    """An edit under way."""

    order: ReplicaOrder
    heard_at: float
    latest: Progress | None = None  # not sent yet
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[EditResult] | None = None

    def report(self, progress: Progress) -> None:
        """Replace what was not sent, but lose no preview and no expressive instruction."""
        if waiting := self.latest:
            progress = replace(
                progress,
                preview=progress.preview or waiting.preview,
                expressive=progress.expressive or waiting.expressive,
            )
        self.latest = progress
        self.news.set()

    async def has_news(self, within_s: float) -> bool:
        """Wait for progress or the end; whether either came in time."""
        try:
            async with asyncio.timeout(within_s):
                await self.news.wait()
        except TimeoutError:
            return False
        self.news.clear()
        return True

    def ended(self, task: asyncio.Task[EditResult]) -> None:
        """The editor is done with it."""
        if not task.cancelled():
            task.exception()  # else asyncio complains where nobody asks for the outcome any more
        self.news.set()

    def drop(self) -> None:
        """Stop it: nobody waits for it."""
        if self.task:
            self.task.cancel()


class Replica:
    """Makes edits with one EditRunner. `async with` starts and closes it."""

    def __init__(
        self,
        editor: EditRunner,
        name: str,
        weights: str,
        *,
        unheard_s: float = UNHEARD_S,
        progress_every_s: float = PROGRESS_EVERY_S,
        held_every_s: float = HELD_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """weights: their fingerprint. progress_every_s: shortest time between two reports of one edit.

        held_every_s: longest time without a message about an edit, however long a step takes.
        """
        self.name, self.weights = name, weights
        self._editor = editor
        self._unheard_s, self._clock = unheard_s, clock
        self._progress_every_s, self._held_every_s = progress_every_s, held_every_s
        self._open: dict[tuple[str, int, str], _OpenEdit] = {}
        self.changed = asyncio.Event()  # set when the editor's slots, or whether it is ready, changed

    async def start(self) -> None:
        """Start the editor and return at once."""
        await self._editor.start(self.changed.set)

    async def close(self) -> None:
        """Drop every edit and close the editor."""
        for edit in self._open.values():
            edit.drop()
        await self._editor.close()

    @property
    def bots(self) -> set[tuple[str, int]]:
        """The bots, and which run of each, that edits are made for now."""
        return {(edit.order.bot, edit.order.instance) for edit in self._open.values()}

    def status(self, bot: str, instance: int) -> ReplicaStatus:
        """How it stands now, for a run of a bot."""
        devices = self._editor.devices
        return ReplicaStatus(
            replica=self.name,
            weights=self.weights,
            ready=self._editor.ready,
            slots=self._editor.slots,
            running=len(self._open),
            mine=[key for *asking, key in self._open if asking == [bot, instance]],
            deaths=sum(device.deaths for device in devices),
            fault=next((device.fault for device in devices if device.fault), None),
        )

    def hear(self, sign: SignOfLife) -> Plain:
        """Keep the edits of a sign of life, drop those of earlier runs of its bot; the status."""
        for (bot, instance, key), edit in self._open.items():
            if bot == sign.bot and instance < sign.instance:
                edit.drop()
            elif (bot, instance) == (sign.bot, sign.instance) and key in sign.keys:
                edit.heard_at = self._clock()
        return status_message(self.status(sign.bot, sign.instance))

    def drop_unheard(self) -> None:
        """Drop the edits of which nothing was heard for too long."""
        for edit in self._open.values():
            if self._clock() - edit.heard_at > self._unheard_s:
                edit.drop()

    async def edit(self, message: object) -> AsyncGenerator[Plain, None]:
        """Make an edit; that it is held, progress as it comes, the latest only, then its end.

        Closing it drops the edit.
        """
        try:
            order = read_edit(message)
            if order.weights != self.weights:
                raise OtherWeights(f"{self.name} has the weights {self.weights}, not {order.weights}.")
            if len(self._open) >= self._editor.slots:
                raise NoFreeSlot(f"{self.name} runs {len(self._open)} edits already.")
        except EngineError as error:
            yield event_message(error)
            return
        edit = _OpenEdit(order, self._clock())
        key = (order.bot, order.instance, order.key)
        self._open[key] = edit
        task = edit.task = asyncio.create_task(self._editor.run(order.request, edit.report))
        task.add_done_callback(edit.ended)
        try:
            yield event_message(Held())
            while not task.done():
                if not await edit.has_news(self._held_every_s):
                    yield event_message(Held())
                elif edit.latest and not task.done():
                    progress, edit.latest = edit.latest, None
                    yield event_message(progress)
                    await asyncio.wait((task,), timeout=self._progress_every_s)
            yield event_message(self._outcome(edit, task))
        finally:
            task.cancel()
            if self._open.get(key) is edit:  # sent again meanwhile, the key is of the later one
                del self._open[key]
            await asyncio.wait((task,))

    def _outcome(self, edit: _OpenEdit, task: asyncio.Task[EditResult]) -> EditResult | EngineError:
        if task.cancelled():
            return Unheard(f"{self.name} heard nothing of the edit for {self._unheard_s:g} s.")
        match task.exception():
            case None:
                return task.result()
            case ServiceClosed():  # this replica is stopping, not the bot
                return EngineDied(f"{self.name} is stopping.")
            case EngineError() as error:
                return error
            case error:
                return EngineError(f"The edit failed unexpectedly in {self.name}: {error!r}.")
