"""The queue before the device: fair between owners by cost, bounded, cancellable anywhere. No torch or clock.

Each owner has a tag: the cost of what was taken of theirs while others waited. The owner with the lowest is
served next; where all jobs cost the same, owners are served in turn, one job each. A newcomer begins at the
lowest tag that waits, and just before the owner served last: a user who asked for fifty edits delays a
newcomer by the one that runs, not by the next one too. No other owner is overtaken, so none starves.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Generic, Protocol, TypeVar

from mgie_engine.errors import QueueFull


class Queued(Protocol):
    """What the queue needs to know of a job; owners are opaque, costs are above 0 in any one unit."""

    @property
    def owner(self) -> str: ...

    @property
    def cost(self) -> float: ...


JobT = TypeVar("JobT", bound=Queued)


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How many may wait."""

    waiting: int = 100
    waiting_per_owner: int = 10


class FairQueue(Generic[JobT]):
    """Jobs in the order they will really run."""

    def __init__(self, limits: QueueLimits) -> None:
        self.limits = limits
        self._ring: dict[
            str, deque[JobT]
        ] = {}  # owners with waiting jobs; of one tag, first to be served first
        self._tags: dict[
            str, float
        ] = {}  # also of owners without waiting jobs who had more than those who wait
        self._served_last: str | None = None
        self._order: list[JobT] | None = None  # None: changed since it was last worked out

    def __len__(self) -> int:
        return sum(len(jobs) for jobs in self._ring.values())

    def push(self, job: JobT, *, again: bool = False) -> None:
        """Add `job` behind its owner's others; raises QueueFull. `again`: admitted before, no bounds."""
        if not again:
            self._check_room(job.owner)
        if job.owner not in self._ring:
            self._enter(job.owner)
        self._ring[job.owner].append(job)
        self._order = None

    def push_first(self, job: JobT) -> None:
        """Add a job that was taken before in front of its owner's others; no bounds."""
        if job.owner not in self._ring:
            self._enter(job.owner)
        self._ring[job.owner].appendleft(job)
        self._order = None

    def take(self, may_start: Callable[[JobT], bool] = lambda _: True) -> JobT | None:
        """Remove and return the next job that may start now; None if there is none."""
        job = next((job for job in self.order() if may_start(job)), None)
        if job is None:
            return None
        self._tags[job.owner] += job.cost
        self.remove(job)
        if job.owner in self._ring:
            self._ring[job.owner] = self._ring.pop(job.owner)  # as the last of the ring
        self._served_last = job.owner
        return job

    def remove(self, job: JobT) -> bool:
        """Take `job` out wherever it stands; False if it is not waiting."""
        jobs = self._ring.get(job.owner, deque())
        for place, other in enumerate(jobs):
            if other is job:
                del jobs[place]
                if not jobs:
                    del self._ring[job.owner]
                    self._forget()
                self._order = None
                return True
        return False

    def position(self, job: JobT) -> int | None:
        """How many jobs will be taken before `job` if no other comes; None if it is not waiting."""
        return next((place for place, other in enumerate(self.order()) if other is job), None)

    def order(self) -> list[JobT]:
        """Every waiting job, next first; do not change the list."""
        if self._order is None:
            self._order = self._simulated()
        return self._order

    def _simulated(self) -> list[JobT]:
        turn = count()
        heads = [(self._tags[owner], next(turn), 0, jobs) for owner, jobs in self._ring.items()]
        heapq.heapify(heads)
        found = []
        while heads:
            tag, _, place, jobs = heads[0]
            found.append(jobs[place])
            if place + 1 < len(jobs):
                heapq.heapreplace(heads, (tag + jobs[place].cost, next(turn), place + 1, jobs))
            else:
                heapq.heappop(heads)
        return found

    def _check_room(self, owner: str) -> None:
        if len(self._ring.get(owner, ())) >= self.limits.waiting_per_owner:
            raise QueueFull(self.limits.waiting_per_owner, own=True)
        if len(self) >= self.limits.waiting:
            raise QueueFull(self.limits.waiting)

    def _enter(self, owner: str) -> None:
        least = min((self._tags[other] for other in self._ring), default=0.0)
        self._tags[owner] = max(least, self._tags.get(owner, least))
        self._ring[owner] = deque()
        if self._served_last in self._ring and self._served_last != owner:
            self._ring[self._served_last] = self._ring.pop(self._served_last)

    def _forget(self) -> None:
        """Tags matter as long as others wait: what was taken while nobody else did costs nobody anything."""
        least = min((self._tags[owner] for owner in self._ring), default=float("inf"))
        kept = self._tags.items()
        self._tags = {owner: tag for owner, tag in kept if owner in self._ring or tag > least}
