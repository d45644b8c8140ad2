"""A cluster in one process: true replicas over scripted editors, reached by hand-written calls."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from mgie_engine.cluster.cluster_client import ClusterGone
from mgie_engine.cluster.cluster_messages import Plain, read_sign
from mgie_engine.cluster.replica import Replica
from mgie_engine.errors import EngineDied
from tests.support.fakes import EchoEditor


class FakeCluster:
    """Sends an edit to the replica with fewest. One in `draining` takes no more, one in `dead` is gone."""

    def __init__(self, *replicas: Replica) -> None:
        self.replicas = list(replicas)
        self.draining: set[Replica] = set()
        self.dead: set[Replica] = set()
        self.is_reachable = True
        self.signs: list[Plain] = []
        self._deaths = asyncio.Event()
        self._sent, self._sending = 0, asyncio.Event()

    async def connect(self) -> None:
        """Start the replicas."""
        if not self.is_reachable:
            raise ClusterGone("The cluster cannot be reached.")
        for replica in self.replicas:
            await replica.start()

    async def sign(self, message: Plain) -> Sequence[object]:
        """Told to all that live; those that drain do not answer."""
        if not self.is_reachable:
            raise ClusterGone("The cluster cannot be reached.")
        self.signs.append(message)
        statuses = {r: r.hear(read_sign(message)) for r in self.replicas if r not in self.dead}
        return [status for replica, status in statuses.items() if replica not in self.draining]

    async def edit(self, message: Plain) -> AsyncGenerator[object, None]:
        """The events of the replica that was chosen, until it dies."""
        self._sent += 1
        self._sending.set()
        able = [r for r in self.replicas if r not in self.dead | self.draining]
        replica = min(able, key=lambda r: r.status("", 0).running)
        async with aclosing(replica.edit(message)) as events:
            while True:
                following = asyncio.ensure_future(anext(events, None))
                dying = asyncio.ensure_future(self._died(replica))
                try:
                    await asyncio.wait({following, dying}, return_when=asyncio.FIRST_COMPLETED)
                    if dying.done():
                        raise EngineDied("The replica of the edit is gone.")
                    if (event := following.result()) is None:
                        return
                finally:
                    dying.cancel()
                    following.cancel()
                    await asyncio.wait({following})
                yield event

    async def has_sent(self, count: int) -> None:
        """Wait until so many edits were sent, also those that were turned away."""
        while self._sent < count:
            self._sending.clear()
            await self._sending.wait()

    def kill(self, replica: Replica) -> None:
        """It dies with its edits."""
        self.dead.add(replica)
        self._deaths.set()

    async def _died(self, replica: Replica) -> None:
        while replica not in self.dead:
            await self._deaths.wait()
            self._deaths.clear()


@dataclass(frozen=True)
class FakeClusterPlan:
    """Builds a cluster of echoing replicas in the link process."""

    bot: str = "bot"
    replicas: int = 2

    def files_version(self) -> object:
        return None

    def build(self) -> FakeCluster:
        return FakeCluster(
            *(Replica(EchoEditor(slots=2), f"r{number}", "w") for number in range(self.replicas))
        )
