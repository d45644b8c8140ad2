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
REPLICAS_TRIED = 40  # that turn an edit away, before it gives up
OTHER_PAUSE_S = 0.25

log = logging.getLogger(__name__)


class ClusterGone(EngineError):
    """The cluster or the deployment cannot be reached now."""


class Replicas(Protocol):
    """The replicas, however they are reached."""

    async def connect(self) -> None:
        """Reach the deployment; ClusterGone if that is not possible now."""
        ...

    async def sign(self, message: Plain) -> Sequence[object]:
        """Tell every replica of a sign of life, also one that takes no more edits; statuses of the others."""
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
        self._elsewhere = 0  # edits on replicas that finish them and take no more
        self.statuses: tuple[ReplicaStatus, ...] = ()

    @property
    def slots(self) -> int:
        """Edits that may run at once beside those of other bots; 0 while no replica is ready."""
        free = sum(max(0, s.slots - s.running + s.mine) for s in self.statuses if s.ready)
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
        open_now, statuses = len(self._open), []
        for message in await self._replicas.sign(sign_message(sign)):
            try:
                statuses.append(read_status(message))
            except BadMessage as error:
                log.warning("The status of a replica: %s", error)
        self._elsewhere = max(0, open_now - sum(status.mine for status in statuses))
        self._take(tuple(sorted(statuses, key=lambda status: status.replica)))

    async def run(self, key: str, request: EditRequest, report: Report) -> EditResult:
        """Make one edit; raises as `EditRunner.run`. key: unique in this process."""
        for _ in range(REPLICAS_TRIED):
            weights = self._weights()
            try:
                return await self._try(ReplicaOrder(self._bot, self._instance, key, weights, request), report)
            except TurnedAway as error:  # replicas are being replaced, or another bot was faster
                log.info("%s", error)
                await asyncio.sleep(OTHER_PAUSE_S)
        raise EngineDied(f"The edit was turned away {REPLICAS_TRIED} times.")

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
                async for message in events:
                    match read_event(message):
                        case Progress() as progress:
                            report(progress)
                        case EditResult() as result:
                            return result
                        case EngineError() as error:
                            raise error
            raise EngineDied("The replica ended the edit without a result.")
        finally:
            self._open.discard(order.key)

    def _take(self, statuses: tuple[ReplicaStatus, ...]) -> None:
        if statuses != self.statuses:
            self.statuses = statuses
            self._changed()
