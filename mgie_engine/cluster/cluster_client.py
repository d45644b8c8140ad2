"""The bot's side of the cluster: sends edits to replicas, says which it still waits for, and counts slots.

Runs in the link process (link.py). Knows no ray: `Replicas` reaches the replicas.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

from mgie_engine.cluster.cluster_messages import (
    BadMessage,
    Event,
    Held,
    Plain,
    ReplicaOrder,
    ReplicaStatus,
    SignOfLife,
    TurnedAway,
    edit_message,
    read_event,
    read_status,
    sign_message,
)
from mgie_engine.edits import DeviceState, EditRequest, EditResult, Progress, Report
from mgie_engine.errors import EngineDied, EngineError

SIGN_EVERY_S = 2.0
CONNECT_AGAIN_S = 5.0
TURNED_AWAY_PAUSE_S, LONGEST_PAUSE_S = 0.25, 2.0  # before an edit is sent again; doubles up to the longest
SILENCE_S = 30.0  # a replica says something of an edit every five seconds

log = logging.getLogger(__name__)


class ClusterGone(EngineError):
    """The cluster or the deployment cannot be reached now."""


class Replicas(Protocol):
    """The replicas, however they are reached."""

    async def connect(self) -> None:
        """Reach the deployment; ClusterGone if that is not possible now."""
        ...

    async def sign(self, message: Plain) -> Sequence[object] | None:
        """Tell every replica of a sign of life, also one that takes no more edits; statuses of the others.

        None where one of them does not answer in time.
        """
        ...

    def edit(self, message: Plain) -> AsyncGenerator[object, None]:
        """Send an edit to a replica with a free slot; its events. Closing it cancels the edit there.

        Raises EngineDied if the replica died.
        """
        ...


class ClusterClient:
    """Runs edits on the replicas. `serve` keeps it in touch with them."""

    def __init__(
        self,
        replicas: Replicas,
        bot: str,
        changed: Callable[[], None],
        *,
        instance: int | None = None,
        sign_every_s: float = SIGN_EVERY_S,
    ) -> None:
        """bot: a name that stays the same after a restart. changed: called when `statuses` changed."""
        self._replicas, self._bot, self._changed = replicas, bot, changed
        self._instance = time.time_ns() if instance is None else instance
        self._sign_every_s = sign_every_s
        self._count = 0
        self._open: set[str] = set()
        self._held: set[str] = set()  # those of them that a replica has taken
        self._elsewhere = 0  # edits on replicas that finish them and take no more
        self.statuses: tuple[ReplicaStatus, ...] = ()

    @property
    def slots(self) -> int:
        """Edits that may run at once beside those of other bots; 0 while no replica is ready."""
        free = sum(max(0, s.slots - s.running + len(s.mine)) for s in self.statuses if s.ready)
        return free + self._elsewhere if free else 0

    @property
    def devices(self) -> tuple[DeviceState, ...]:
        """The replicas as the operator sees devices."""
        return tuple(
            DeviceState(s.replica, s.ready, s.slots, s.running, s.deaths, s.fault) for s in self.statuses
        )

    async def serve(self) -> None:
        """Connect, then send signs of life for ever; connects again where that fails."""
        while True:
            try:
                await self._replicas.connect()
                log.info("The cluster is reached.")
                while True:
                    await self.sign()
                    await asyncio.sleep(self._sign_every_s)
            except EngineError as error:
                log.warning("%s Trying again in %.0f s.", error, CONNECT_AGAIN_S)
                self._elsewhere = 0
                self._take(())
                await asyncio.sleep(CONNECT_AGAIN_S)

    async def sign(self) -> None:
        """Send one sign of life, and take the statuses that come back."""
        self._count += 1
        sign = SignOfLife(self._bot, self._instance, self._count, sorted(self._open))
        held_before, statuses = set(self._held), []
        answers = await self._replicas.sign(sign_message(sign))
        if answers is None:
            return
        for message in answers:
            try:
                statuses.append(read_status(message))
            except BadMessage as error:
                log.warning("The status of a replica: %s", error)
        # Only what a replica has taken: an edit that is turned away would else count as a slot, for which the
        # bot would send one more to be turned away.
        named = {key for status in statuses for key in status.mine}
        self._elsewhere = len((held_before & self._held) - named)
        self._take(tuple(sorted(statuses, key=lambda status: status.replica)))

    async def run(self, key: str, request: EditRequest, report: Report) -> EditResult:
        """Make one edit; raises as `EditRunner.run`. key: unique in this process.

        It is sent until a replica takes it. That it was turned away is no failure: replicas are being
        replaced, or another bot was faster.
        """
        pause_s = TURNED_AWAY_PAUSE_S
        while True:
            weights = self._weights()
            try:
                return await self._try(ReplicaOrder(self._bot, self._instance, key, weights, request), report)
            except TurnedAway as error:
                log.info("%s", error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _weights(self) -> str:
        """The fingerprint that most slots have now."""
        slots: dict[str, int] = {}
        for status in self.statuses:
            slots[status.weights] = slots.get(status.weights, 0) + status.slots * status.ready
        return max(slots, key=lambda weights: slots[weights], default="")

    async def _try(self, order: ReplicaOrder, report: Report) -> EditResult:
        self._open.add(order.key)
        try:
            async with aclosing(self._replicas.edit(edit_message(order))) as events:
                while True:
                    match await self._next_event(order.key, events):
                        case Progress() as progress:
                            report(progress)
                        case EditResult() as result:
                            return result
                        case EngineError() as error:
                            raise error
                        case Held():
                            self._held.add(order.key)
        finally:
            self._open.discard(order.key)
            self._held.discard(order.key)

    async def _next_event(self, key: str, events: AsyncGenerator[object, None]) -> Event:
        """The next event of an edit; TurnedAway if no replica takes it, EngineDied if none comes."""
        try:
            async with asyncio.timeout(SILENCE_S):
                return read_event(await anext(events))
        except StopAsyncIteration:
            raise EngineDied("The replica ended the edit without a result.") from None
        except TimeoutError:
            if key not in self._held:
                raise TurnedAway(f"No replica took the edit within {SILENCE_S:g} s.") from None
            raise EngineDied(f"The replica said nothing of the edit for {SILENCE_S:g} s.") from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task and task.cancelling():
                raise
            raise EngineDied("The cluster cancelled the edit.") from None  # as Serve does where it stops one

    def _take(self, statuses: tuple[ReplicaStatus, ...]) -> None:
        if statuses != self.statuses:
            self.statuses = statuses
            self._changed()
